/** Steps: the engine's side of a host's maintenance, into it and out of it (engine.md 8.2, 11.3). */
import { isInEngineMaintenance, type HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { EngineClient } from './client.ts';
import { recentTrouble } from './host-events.ts';
import type { Host } from './types.ts';

type Input = StepCall & { readonly facts: HostFacts };

const POLL_MS = 250;
/** Other VMs are moved away meanwhile. */
const MAINTENANCE_LIMIT_MS = 1_800_000;
/** With a reboot that is still under way (engine.md 9: 600 s). */
const UP_LIMIT_MS = 900_000;

/** States that pass by themselves: the engine refuses commands meanwhile. */
const PASSING = new Set(['installing', 'reboot', 'initializing', 'connecting', 'unassigned']);
/** States from which only a person gets a host up. */
const BROKEN = new Set(['non_operational', 'install_failed', 'error', 'kdumping', 'pending_approval']);

async function stuck(
  engine: EngineClient,
  { facts, operationId }: Input,
  type: string,
  what: string,
  host: Host,
): Promise<CounterpartError> {
  const detail = host.statusDetail === undefined ? '' : ` (${host.statusDetail})`;
  const events = await recentTrouble(engine, facts.host.id, operationId);
  return new CounterpartError({
    type,
    kind: 'needs-operator',
    subject: `host ${facts.host.name}`,
    what,
    why: [`its status is ${host.status}${detail}`, ...events].join('; '),
    remedy: 'Look at the engine’s events for the host, remove the cause, then retry.',
  });
}

/** Deactivates the host unless it is on its way, and waits until no VM is left on it. */
async function reachMaintenance(
  engine: EngineClient,
  input: Input,
  reason: string,
  context: StepContext,
): Promise<'now' | 'before'> {
  const { id, name } = input.facts.host;
  let host = await engine.host(id);
  if (host.status === 'maintenance') return 'before';
  let asked = false;
  const what = `${name} to go to maintenance in the engine`;
  const reached = await poll(context, { what, everyMs: POLL_MS, limitMs: MAINTENANCE_LIMIT_MS }, async () => {
    host = await engine.host(id);
    if (host.status === 'maintenance') return true;
    if (host.status === 'preparing_for_maintenance' || PASSING.has(host.status)) return undefined;
    if (asked) return false;
    asked = true;
    await engine.deactivateHost(id, { reason });
    return undefined;
  });
  if (reached === true) return 'now';
  const failed = reached === false ? 'the engine took it out of maintenance again' : 'VMs may still run on it';
  throw await stuck(engine, input, 'engine/host-not-in-maintenance', `it did not reach maintenance: ${failed}`, host);
}

/** Activates the host unless it is on its way, and waits until it is up, or as it was. */
async function reachUp(engine: EngineClient, input: Input, context: StepContext): Promise<'now' | 'before'> {
  const { host: known, before } = input.facts;
  let host = await engine.host(known.id);
  if (host.status === 'up') return 'before';
  let asked = false;
  const what = `${known.name} to be up in the engine`;
  const reached = await poll(context, { what, everyMs: POLL_MS, limitMs: UP_LIMIT_MS }, async () => {
    host = await engine.host(known.id);
    if (host.status === 'up') return true;
    if (PASSING.has(host.status)) return undefined;
    if (asked) return BROKEN.has(host.status) || isInEngineMaintenance(host.status) ? false : undefined;
    asked = true;
    await engine.activateHost(known.id);
    return undefined;
  });
  // What was broken before may be so after: an operation that is taken back need not mend it.
  if (reached === true || (BROKEN.has(before.status) && host.status === before.status)) return 'now';
  throw await stuck(engine, input, 'engine/host-not-up', 'it did not come up in the engine', host);
}

export function enterEngineMaintenance({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input & { readonly reason: string }): Promise<StepOutcome<null>> => {
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    const done = await reachMaintenance(engine, input, input.reason, context);
    const word = done === 'before' ? 'is in maintenance in the engine already' : 'is in maintenance in the engine';
    return { done, summary: `${input.facts.host.name} ${word}`, value: null };
  };
}

export function activateHost({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    const done = await reachUp(engine, input, context);
    const word = done === 'before' ? 'is up in the engine already' : 'came up in the engine';
    return { done, summary: `${input.facts.host.name} ${word}`, value: null };
  };
}

/** Compensation: in maintenance or in service, as it was before the operation. */
export function restoreEngineState(counterparts: Counterparts) {
  const [enter, activate] = [enterEngineMaintenance(counterparts), activateHost(counterparts)];
  return (context: StepContext, input: Input): Promise<StepOutcome<null>> =>
    isInEngineMaintenance(input.facts.before.status)
      ? enter(context, { ...input, reason: `taken back: ${input.operationId}` })
      : activate(context, input);
}
