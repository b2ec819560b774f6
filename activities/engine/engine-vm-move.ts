/**
 * Steps: the engine VM leaves a host, and comes back to it, by live migration. It is asked of the engine, which may do
 * that with its own VM (engine.md 10); where the VM runs is asked of the hosts: exactly one must run it in the end.
 */
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { engineVmPlaces } from '../vdsm/engine-vm-place.ts';
import { placesText } from './inspect-host.ts';
import { verifyInService } from './verify-host.ts';

type Input = StepCall & { readonly facts: HostFacts };

const POLL_MS = 250;
const MOVE_LIMIT_MS = 480_000;
/** A migration that the engine accepted shows on its host within this. */
const BEGIN_LIMIT_MS = 60_000;

function failed({ facts }: Input, why: string): CounterpartError {
  return new CounterpartError({
    type: 'engine-vm/not-moved',
    kind: 'retryable',
    subject: `engine VM ${facts.engineVm.name}`,
    what: 'it could not be moved',
    why,
    remedy:
      'It is tried again by itself; if it lasts, look at the engine’s events for the VM and at vdsm.log of its host.',
  });
}

interface Move {
  /** Whether the VM is where it shall be, when exactly the host of this name runs it. */
  readonly reached: (on: string) => boolean;
  readonly ask: () => Promise<void>;
  /** For people: "to move away from host1". */
  readonly what: string;
}

interface Moved {
  /** Undefined: no host that answers runs it, and it was not moved. */
  readonly on: string | undefined;
  readonly now: boolean;
  readonly text: string;
}

/** Asks for the migration once, unless one is under way, and waits for its end. */
async function move(cluster: Cluster, input: Input, { reached, ask, what }: Move, context: StepContext) {
  let askedAt: number | undefined;
  let begun = false;
  let text = '';
  const vdsm = cluster.hosts.ensure(input.facts.host);
  const look = async (): Promise<Moved | undefined> => {
    const places = await engineVmPlaces(cluster.hosts, input.facts.engineVm.id, context.signal, vdsm);
    text = placesText(places);
    const [only] = places;
    const moving = places.length > 1 || only?.status.startsWith('Migration') === true;
    begun ||= moving;
    const ours = begun || askedAt !== undefined;
    // Between the end here and the start there nobody seems to run it: only a move that we know of may look so.
    if (only === undefined) return ours ? undefined : { on: undefined, now: false, text };
    if (moving) return undefined;
    if (reached(only.host)) return { on: only.host, now: ours, text };
    if (begun) throw failed(input, `the migration began and failed: ${text}`);
    if (askedAt === undefined) {
      // A step that lost the answer finds the VM on its way, or there, at its next look.
      await ask();
      askedAt = context.now().getTime();
    } else if (context.now().getTime() - askedAt > BEGIN_LIMIT_MS) {
      throw failed(input, `the engine accepted the migration, but none began: ${text}`);
    }
    return undefined;
  };
  const options = { what: `engine VM ${input.facts.engineVm.name} ${what}`, everyMs: POLL_MS, limitMs: MOVE_LIMIT_MS };
  const moved = await poll(context, options, look);
  if (moved === undefined) throw failed(input, `${text} after ${MOVE_LIMIT_MS / 60_000} minutes`);
  return moved;
}

export function moveEngineVmAway({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const { host, engineVm } = input.facts;
    const away: Move = {
      reached: (on) => on !== host.name,
      ask: () => engine.migrateVm(engineVm.id),
      what: `to move away from ${host.name}`,
    };
    const { on, now, text } = await move(cluster, input, away, context);
    if (!now) return { done: 'before', summary: `not on ${host.name}: ${text}`, value: null };
    return { done: 'now', summary: `moved to ${on}, the one host that runs it now`, value: null };
  };
}

/** Compensation: back to the host, once that can run it again, if it ran there before. */
export function restoreEngineVmPlace(counterparts: Counterparts) {
  const verify = verifyInService(counterparts);
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { host, engineVm, before } = input.facts;
    if (before.runsEngineVm !== true) {
      return { done: 'before', summary: `it did not run on ${host.name} before`, value: null };
    }
    const cluster = counterparts.clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const back: Move = {
      reached: (on) => on === host.name,
      ask: async () => {
        await verify(context, { ...input, score: 1 });
        await engine.migrateVm(engineVm.id, { host: host.id });
      },
      what: `to move back to ${host.name}`,
    };
    const { now, text } = await move(cluster, input, back, context);
    return { done: now ? 'now' : 'before', summary: text, value: null };
  };
}
