/** Steps: the engine takes hosted engine from a host; the slot that it leaves is emptied, which nobody else does (engine.md 19.12). */
import type { RemoveHostFacts } from '../../workflows/model/remove-host.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { slotOf } from '../storage/slot.ts';
import { haState, haStateOrSilence } from '../vdsm/ha-state.ts';
import type { EngineClient } from './client.ts';
import { findOrNull } from './errors.ts';
import { lastEventIndex } from './host-events.ts';
import { awaitInstalled, isInstalling } from './host-install.ts';
import type { Host } from './types.ts';

/** What is needed of a host's facts. */
interface LeavingHost {
  readonly board: RemoveHostFacts['board'];
  readonly hostId: number;
  readonly host: RemoveHostFacts['host'];
}

type Input = StepCall & { readonly facts: RemoveHostFacts };

/**
 * Undeploys in maintenance, and stays there. What an earlier try began is waited for.
 * @throws CounterpartError needs-operator at once when the installation failed
 */
export async function undeploy(
  cluster: Cluster,
  engine: EngineClient,
  { host }: Pick<LeavingHost, 'host'>,
  context: StepContext,
): Promise<'now' | 'before'> {
  const { signal } = context;
  const vdsm = cluster.hosts.ensure(host);
  const found = await engine.host(host.id);
  const eventsFrom = await lastEventIndex(engine);
  if (!isInstalling(found)) {
    if (!(await haState(vdsm, signal)).configured) return 'before';
    const login = { publicKey: true } as const;
    await engine.installHost(host.id, { login, hostedEngine: 'undeploy', activate: false, reboot: false });
  }
  const isDone = async ({ status }: Host) => {
    if (status !== 'maintenance') return false;
    const state = await haStateOrSilence(vdsm, signal);
    return typeof state !== 'string' && !state.configured;
  };
  const what = `the installation that takes hosted engine from ${host.name}`;
  await awaitInstalled(engine, { host, eventsFrom, what, isDone }, context);
  return 'now';
}

/**
 * Sees that nobody writes the host's slot, and empties it.
 * @returns whose row it was; undefined: it was empty
 * @throws CounterpartError needs-operator when somebody writes it
 */
export async function clearSlotOf(
  cluster: Cluster,
  { board, hostId, host }: LeavingHost,
  call: StepCall,
  context: StepContext,
): Promise<string | undefined> {
  const slot = await slotOf(cluster, { board, hostId, except: host.name }, call, context);
  const writer = await slot.writer();
  if (writer === undefined) return slot.clear();
  throw new CounterpartError({
    type: 'ha/agent-still-writes',
    kind: 'needs-operator',
    subject: `host ${host.name}`,
    what: 'hosted engine was taken from it, but an HA agent still writes its slot',
    why: `slot ${hostId} of the HA metadata changes; it says it is ${writer}`,
    remedy: `On ${writer}: systemctl disable --now bellwether-host ovirt-ha-agent ovirt-ha-broker (whichever of them is there), then retry.`,
  });
}

/** Deletes the host and sees it gone. */
export async function dropFromEngine(cluster: Cluster, engine: EngineClient, host: LeavingHost['host']) {
  const found = await findOrNull(engine.host(host.id));
  if (found !== null) await findOrNull(engine.removeHost(host.id));
  cluster.hosts.forget(host.name);
  return found === null ? ('before' as const) : ('now' as const);
}

export function undeployHost({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const done = await undeploy(cluster, engine, input.facts, context);
    const { name } = input.facts.host;
    const summary = `hosted engine is ${done === 'before' ? 'not deployed' : 'no longer deployed'} on ${name}, as it says itself`;
    return { done, summary, value: null };
  };
}

export function clearSlot({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const left = await clearSlotOf(clusters.get(input.cluster), facts, input, context);
    if (left === undefined) return { done: 'before', summary: `slot ${facts.hostId} is empty`, value: null };
    const summary = `nobody writes slot ${facts.hostId} any more; the row of ${left} was emptied and read back`;
    return { done: 'now', summary, value: null };
  };
}

export function removeHostFromEngine({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const { host, hostId } = input.facts;
    const done = await dropFromEngine(cluster, engine, host);
    const word = done === 'before' ? 'is not in the engine' : `left the engine; its host id ${hostId} is free`;
    return { done, summary: `${host.name} ${word}`, value: null };
  };
}
