/**
 * Steps: whether a host can run the engine VM, which nobody waits for by himself (engine.md 19.12). The engine, the host
 * and the storage each tell.
 */
import type { AddHostFacts } from '../../workflows/model/add-host.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { hostIdOf } from '../engine/host-id.ts';
import { unmet } from '../engine/hosted-engine.ts';
import { whyUnable } from '../engine/other-hosts.ts';
import type { Host } from '../engine/types.ts';
import { describeOvf } from '../ovf/read-ovf.ts';
import { poll, type StepContext } from '../step-context.ts';
import { findOvfStores, OVF_STORE_BYTES } from '../storage/ovf-store.ts';
import { parseOvfStoreDescription, readOvfStoreArchive } from '../storage/ovf-store-archive.ts';
import { slotOf } from '../storage/slot.ts';
import { callOptions } from '../storage/volumes.ts';
import { parseHostBlock } from '../storage/whiteboard.ts';
import { haStateOrSilence, haText, type HaState } from './ha-state.ts';
import { readRange } from './image-io.ts';

type Input = StepCall & { readonly facts: AddHostFacts };

const POLL_MS = 1000;
/** The agent needs storage, its host id for sanlock (up to 140 s after an unclean end) and a first round (ha-agent.md 9). */
const ABLE_LIMIT_MS = 900_000;

function whyHostUnable(state: HaState | string, name: string): string | undefined {
  if (typeof state === 'string' || !state.configured) return `${name} itself: ${haText(state)}`;
  if (state.active && state.score > 0 && !state.localMaintenance) return undefined;
  return `${name} itself: ${haText(state)}`;
}

function notAble(name: string, host: Host | undefined, why: string): CounterpartError {
  const stopped = host?.status === 'non_operational' || host?.status === 'install_failed';
  return new CounterpartError({
    type: 'ha/host-not-able',
    kind: 'needs-operator',
    subject: `host ${name}`,
    what: 'hosted engine was deployed there, but it can’t run the engine VM',
    why: stopped ? why : `${why}, after ${ABLE_LIMIT_MS / 60_000} minutes`,
    remedy: `Look at ovirt-ha-agent and ovirt-ha-broker on ${name} (journalctl -u ovirt-ha-agent, /var/log/ovirt-hosted-engine-ha/) and at the engine’s events for it, repair it, then retry.`,
  });
}

export function verifyDeployedHost({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly string[]>> => {
    const { facts } = input;
    const { name } = facts.host;
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const vdsm = cluster.hosts.ensure(facts.host);
    let host: Host | undefined;
    let why = '';
    const what = `${name} to be able to run the engine VM`;
    const able = await poll(context, { what, everyMs: POLL_MS, limitMs: ABLE_LIMIT_MS }, async () => {
      host = (await engine.hosts({ allContent: true })).find((candidate) => candidate.name === name);
      const engineSays = host === undefined ? 'the engine does not know it' : whyUnable(host);
      const hostSays = whyHostUnable(await haStateOrSilence(vdsm, context.signal), name);
      why = [engineSays, hostSays].filter((text) => text !== undefined).join('; ');
      if (why === '') return host;
      // No waiting helps there.
      return host?.status === 'non_operational' || host?.status === 'install_failed' ? null : undefined;
    });
    if (able === undefined || able === null) throw notAble(name, host, why);
    const hostId = await hostIdOf(engine, able);
    const slot = await slotOf(cluster, { board: facts.board, hostId, except: name }, input, context);
    const row = parseHostBlock(await slot.read());
    if (row.kind !== 'host' || row.block.score <= 0) throw notAble(name, able, `slot ${hostId} holds no score of it`);
    const global = able.hostedEngine?.globalMaintenance === true;
    const lines = [
      `engine: ${name} is up, hosted engine is configured and active, score ${able.hostedEngine?.score ?? 0}`,
      `storage: slot ${hostId} is written by ${row.block.hostname}, score ${row.block.score}`,
      ...(global ? ['global maintenance is on, as it was before: no host starts the engine VM until it ends'] : []),
    ];
    return { done: 'now', summary: lines[0] ?? '', notes: lines, value: lines };
  };
}

/** Content comes from the host's own imageio daemon: it reads the volume on the path that its HA agent reads. */
export function verifyDefinitionReadable({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly string[]>> => {
    const { host, board, engineVm } = input.facts;
    const vdsm = clusters.get(input.cluster).hosts.ensure(host);
    const options = callOptions(input, context.signal);
    const seen: string[] = [];
    for (const { image, volume, description } of await findOvfStores(vdsm, board.domain.id, context.signal)) {
      const { updated = false, size = 0 } = parseOvfStoreDescription(description) ?? {};
      // One copy is being written now and then; the other one counts meanwhile.
      if (!updated || size < 1 || size > OVF_STORE_BYTES) {
        seen.push(`${volume} holds nothing valid now`);
        continue;
      }
      const range = { offset: 0, length: size };
      const archive = await readOvfStoreArchive(
        await readRange(vdsm, { domain: board.domain.id, image, volume }, range, options),
      );
      const ovf = archive.ok ? archive.ovfs.get(engineVm.id) : undefined;
      const described = ovf === undefined ? undefined : describeOvf(ovf);
      if (described?.ok === true) {
        const line = `storage: ${host.name} reads the definition of ${described.description.name} from OVF_STORE ${volume}`;
        return { done: 'now', summary: line, value: [line] };
      }
      seen.push(`${volume}: ${archive.ok ? `no readable OVF of ${engineVm.name} in it` : archive.problem}`);
    }
    throw unreadable(host.name, engineVm.name, seen);
  };
}

function unreadable(host: string, vm: string, seen: readonly string[]): CounterpartError {
  const facts = unmet(
    'ha/definition-not-readable',
    `host ${host}`,
    `it finds no definition of ${vm}, so it could start the engine VM only from an old copy`,
    seen.join('; ') || 'it sees no OVF_STORE disk on the hosted-engine domain',
    'It is tried again by itself; if it lasts, let the engine update the OVF_STORE disks of the domain (Storage, Update OVFs).',
  ).facts;
  return new CounterpartError({ ...facts, kind: 'retryable' });
}
