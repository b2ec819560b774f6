/** Step: repair one difference. Looks first: what is so no more needs no repair, and what is not safe any more gets none. */
import {
  keyOf,
  type Difference,
  type Look,
  type ReconcileActivities,
  type RepairTarget,
} from '../../workflows/model/reconcile.ts';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { writeSlots } from '../storage/ha-slots.ts';
import { callOptions } from '../storage/volumes.ts';
import { BLOCK_BYTES } from '../storage/whiteboard.ts';
import { lookOnce } from './look.ts';

type Input = Parameters<ReconcileActivities['repairDifference']>[0];

const POLL_MS = 500;
const LIMIT_MS = 60_000;
/** The engine's answer comes when its update is done, or not at all: it may take this long. */
const OVF_LIMIT_MS = 120_000;

function concerns(difference: Difference, target: RepairTarget): boolean {
  if (difference.kind !== target.kind) return false;
  if (target.kind === 'local-maintenance') return difference.subject === target.host;
  return target.kind === 'ovf-store-stale' || difference.subject === `slot ${target.slot}`;
}

function stays(target: RepairTarget, why: string, remedy: string): CounterpartError {
  return new CounterpartError({
    type: `reconcile/${target.kind}`,
    kind: 'needs-operator',
    subject:
      target.kind === 'slot-left-over'
        ? `slot ${target.slot}`
        : target.kind === 'local-maintenance'
          ? `host ${target.host}`
          : 'OVF_STORE',
    what: 'it could not be repaired',
    why,
    remedy,
  });
}

async function setLocal(
  cluster: Cluster,
  input: Input,
  target: Extract<RepairTarget, { kind: 'local-maintenance' }>,
  context: StepContext,
): Promise<string> {
  const { signal } = context;
  const { wanted } = target;
  const host = cluster.hosts.named(target.host);
  const options = { ...callOptions(input, signal), timeoutMs: 70_000 };
  await host.call('Host.setHaMaintenanceMode', { mode: 'LOCAL', enabled: wanted }, options);
  const word = wanted ? 'on' : 'off';
  const what = `${host.name} to report local maintenance ${word}`;
  const seen = await poll(context, { what, everyMs: POLL_MS, limitMs: LIMIT_MS }, async () => {
    const { haStats } = await host.call('Host.getStats', {}, { signal });
    return haStats?.localMaintenance === wanted ? true : undefined;
  });
  if (seen === true) return `local maintenance is ${word} on ${host.name}`;
  throw stays(
    target,
    `${host.name} still reports it ${wanted ? 'off' : 'on'}: an administrator’s own flag is not the engine’s to change`,
    `On ${host.name} run hosted-engine --set-maintenance --mode=${wanted ? 'local' : 'none'}, then retry.`,
  );
}

async function updateStores(counterparts: Counterparts, input: Input, context: StepContext): Promise<string> {
  const engine = counterparts.clusters.get(input.cluster).engine(input.operationId, context.signal);
  context.waitsFor('the engine to write its OVF_STORE copies');
  await engine.updateOvfStore(input.facts.domain.id, { timeoutMs: OVF_LIMIT_MS });
  const what = 'both OVF_STORE copies to be as the engine’s VM';
  let left: readonly Difference[] = [];
  const fresh = await poll(context, { what, everyMs: POLL_MS, limitMs: LIMIT_MS }, async () => {
    const look = await lookOnce(counterparts, context, input);
    left = look.differences.filter((one) => concerns(one, input.target));
    return left.length === 0 ? true : undefined;
  });
  if (fresh === true) return 'the engine has written its OVF_STORE copies';
  throw stays(
    input.target,
    left.flatMap(({ says }) => says).join('; '),
    'See events 190 to 193 and 1016 to 1018 of the storage domain in the engine, then retry.',
  );
}

async function clean(cluster: Cluster, input: Input, slot: number, context: StepContext): Promise<string> {
  const { facts } = input;
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  const spm = await cluster.hosts.spm(place.pool, context.signal);
  const empty = new Map([[slot, Buffer.alloc(BLOCK_BYTES)]]);
  await writeSlots(spm, place, facts.domain.metadata, empty, callOptions(input, context.signal));
  return `slot ${slot} is empty, the others are as they were; brokers may go on showing it until they are restarted`;
}

function requireSafe(found: readonly Difference[], { target }: Input): void {
  const unsafe = found.find((one) => one.target === undefined);
  if (unsafe === undefined) return;
  const remedy = 'Look at it with a new reconcile that repairs nothing; repair by hand what it names.';
  throw stays(target, `${keyOf(unsafe)} is not safe to repair any more: ${unsafe.says.join('; ')}`, remedy);
}

function requireUnused(look: Look, { target }: Input): void {
  if (target.kind !== 'slot-left-over') return;
  const used = look.differences.find(
    (one) => one.kind === 'slot-writer-unknown' && one.subject === `slot ${target.slot}`,
  );
  if (used === undefined) return;
  throw stays(target, `somebody writes it now: ${used.says.join('; ')}`, 'Find that host before anything else.');
}

export function repairDifference(counterparts: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { target } = input;
    const cluster = counterparts.clusters.get(input.cluster);
    const look = await lookOnce(counterparts, context, input);
    requireUnused(look, input);
    const found = look.differences.filter((one) => concerns(one, target));
    requireSafe(found, input);
    if (found.length === 0) return { done: 'before', summary: 'it is so no more', value: null };
    const act = () => {
      if (target.kind === 'local-maintenance') return setLocal(cluster, input, target, context);
      if (target.kind === 'slot-left-over') return clean(cluster, input, target.slot, context);
      return updateStores(counterparts, input, context);
    };
    return { done: 'now', summary: await act(), value: null };
  };
}
