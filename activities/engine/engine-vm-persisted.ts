/** Step: an edit of the engine VM counts only once the OVF that hosts start it from has it (engine.md 10, 11.4). */
import type { EditFacts } from '../../workflows/model/engine-vm.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { EngineVmChange } from '../../workflows/model/requests.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { describeOvf, type OvfDescription } from '../ovf/read-ovf.ts';
import { poll, type StepContext } from '../step-context.ts';
import { findOvfStores, OVF_STORE_COPIES, readCopy } from '../storage/ovf-store.ts';
import { ovfDifferences, wantedOf } from './engine-vm-change.ts';
import { conflict, engineVmState } from './engine-vm.ts';

type Input = StepCall & { readonly facts: EditFacts; readonly change: EngineVmChange };

const POLL_MS = 500;
/** The engine writes by itself after each change; so long it is left to do that before it is asked to. */
const BY_ITSELF_MS = 10_000;
const LIMIT_MS = 120_000;

function described(ovf: string | undefined): OvfDescription | undefined {
  const read = ovf === undefined ? undefined : describeOvf(ovf);
  return read?.ok === true ? read.description : undefined;
}

/** What is still wrong with the copies; empty: both hold what the engine has. */
async function openPoints(parts: Counterparts, input: Input, context: StepContext): Promise<readonly string[]> {
  const { facts } = input;
  const cluster = parts.clusters.get(input.cluster);
  const engines = described(
    (await cluster.engine(input.operationId, context.signal).vm(facts.vm.id, { allContent: true })).ovf,
  );
  if (engines === undefined) return ['the engine shows no OVF of its VM'];
  const spm = await cluster.hosts.spm(facts.dataCenter.id, context.signal);
  const copies = await findOvfStores(spm, facts.domain.id, context.signal);
  const open = copies.length >= OVF_STORE_COPIES ? [] : [`there are ${copies.length} OVF_STORE disks`];
  for (const copy of copies) {
    const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
    const { ovfs, fault } = await readCopy(spm, place, copy, context.signal);
    const ovf = described(ovfs?.get(facts.vm.id));
    if (ovf === undefined) open.push(`copy ${copy.volume}: ${fault ?? 'the engine VM is not in it'}`);
    else open.push(...ovfDifferences(ovf, engines).map((one) => `copy ${copy.volume}: ${one}`));
  }
  return open;
}

/** @returns false when the engine writes just now: then it is looked at again. */
async function askedToWrite(parts: Counterparts, input: Input, context: StepContext): Promise<boolean> {
  const engine = parts.clusters.get(input.cluster).engine(input.operationId, context.signal);
  try {
    await engine.updateOvfStore(input.facts.domain.id);
    return true;
  } catch (error) {
    if (error instanceof CounterpartError && error.facts.kind === 'retryable') return false;
    throw error;
  }
}

/** What was persisted must be this change, not one that somebody made on top of it. */
async function requireOurs(
  parts: Counterparts,
  { facts, change, ...call }: Input,
  context: StepContext,
): Promise<void> {
  const engine = parts.clusters.get(call.cluster).engine(call.operationId, context.signal);
  const now = await engineVmState(engine, facts.vm.id, facts.domain.id);
  const lost = wantedOf(change, now).filter(({ value, now: present }) => value !== present);
  if (lost.length > 0)
    throw conflict(
      facts,
      lost.map(({ what, value, now: present }) => `${what} was set to ${value} and is ${String(present)} now`),
    );
}

export function persistEngineVm(parts: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly string[]>> => {
    const { facts } = input;
    const startedMs = context.now().getTime();
    let open: readonly string[] = [];
    let asked = false;
    const persisted = await poll(
      context,
      { what: 'both OVF_STORE copies to hold the change', everyMs: POLL_MS, limitMs: LIMIT_MS },
      async () => {
        open = await openPoints(parts, input, context);
        if (open.length === 0) return true;
        if (!asked && context.now().getTime() - startedMs >= BY_ITSELF_MS)
          asked = await askedToWrite(parts, input, context);
        return undefined;
      },
    );
    if (persisted === undefined) {
      throw new CounterpartError({
        type: 'engine-vm/not-persisted',
        kind: 'retryable',
        subject: `engine VM ${facts.vm.name}`,
        what: 'the change is in the engine but not in the OVF that the hosts start it from',
        why: open.join('; '),
        remedy: 'It is tried again by itself; if it lasts, look at the engine’s events about OVF_STORE (1016 to 1018).',
      });
    }
    await requireOurs(parts, input, context);
    const lines = ['Both copies of the OVF on storage have it: every host would start the engine VM with it.'];
    return { done: 'now', summary: 'both OVF_STORE copies hold what the engine has', value: lines };
  };
}
