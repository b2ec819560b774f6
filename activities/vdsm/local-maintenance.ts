/**
 * Steps: local HA maintenance of a host, set through its own VDSM. "Done" means only that a flag was written (vdsm.md 7):
 * what the agent then reports of its slot is the proof.
 */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { callOptions } from '../storage/volumes.ts';
import type { VdsmClient } from './client.ts';
import { haState, haText, type HaState } from './ha-state.ts';

type Input = StepCall & { readonly facts: HostFacts };

const POLL_MS = 250;
/** The agent looks at the flag once in a round of 10 s and publishes then. */
const CONFIRM_LIMIT_MS = 60_000;
/** Setting it waits up to 60 s for the host's broker (vdsm.md 7). */
const SET_LIMIT_MS = 70_000;

/** An agent that has stopped or just started counts as score 0; it can't start the engine VM either. */
function isReached(state: HaState, wanted: boolean): boolean {
  if (state.localMaintenance !== wanted) return false;
  return !wanted || state.score === 0 || !state.active;
}

function notSeen(host: string, wanted: boolean, last: HaState): CounterpartError {
  const subject = `host ${host}`;
  if (!wanted && last.localMaintenance) {
    return new CounterpartError({
      type: 'ha/local-maintenance-stays',
      kind: 'needs-operator',
      subject,
      what: 'local HA maintenance was ended but is still on',
      why: 'somebody set it on the host itself, where the engine and VDSM can’t end it (local_maintenance_manual in ha.conf)',
      remedy: `On ${host}: hosted-engine --set-maintenance --mode=none, then retry.`,
    });
  }
  return new CounterpartError({
    type: 'ha/local-maintenance-not-confirmed',
    kind: 'retryable',
    subject,
    what: `local HA maintenance was set ${wanted ? 'on' : 'off'} but is not seen`,
    why: haText(last),
    remedy: `It is tried again by itself; if it lasts, look at ovirt-ha-agent and ovirt-ha-broker on ${host}.`,
  });
}

/**
 * Brings local maintenance to what is wanted and sees it.
 * @returns whether it was set now, and what cannot be seen before global maintenance ends
 */
export async function reachLocalMaintenance(
  host: VdsmClient,
  call: StepCall,
  wanted: boolean,
  context: StepContext,
): Promise<{ readonly set: boolean; readonly notes: readonly string[] }> {
  const { signal } = context;
  if (isReached(await haState(host, signal), wanted)) return { set: false, notes: [] };
  const options = { ...callOptions(call, signal), timeoutMs: SET_LIMIT_MS };
  await host.call('Host.setHaMaintenanceMode', { mode: 'LOCAL', enabled: wanted }, options);
  let last = await haState(host, signal);
  const what = `${host.name}’s agent to ${wanted ? 'enter' : 'leave'} local maintenance`;
  const seen = await poll(context, { what, everyMs: POLL_MS, limitMs: CONFIRM_LIMIT_MS }, async () => {
    last = await haState(host, signal);
    return isReached(last, wanted) ? true : undefined;
  });
  if (seen === true) return { set: true, notes: [] };
  // In global maintenance the reference's agent does not look at its local flag (ha-agent.md 2.2).
  if (!last.globalMaintenance) throw notSeen(host.name, wanted, last);
  const taken = `${host.name}’s agent takes it up when global maintenance ends: until then it shows nothing of it`;
  return { set: true, notes: [taken] };
}

function step(counterparts: Counterparts, wantedOf: (facts: HostFacts) => boolean) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const wanted = wantedOf(facts);
    const host = counterparts.clusters.get(input.cluster).hosts.ensure(facts.host);
    const { set, notes } = await reachLocalMaintenance(host, input, wanted, context);
    const state = wanted ? 'in local HA maintenance, score 0' : 'not in local HA maintenance';
    if (!set) return { done: 'before', summary: `${host.name} is ${state} already`, value: null };
    const more = notes.length === 0 ? {} : { notes };
    return { done: 'now', summary: `${host.name} is ${state}, as its agent reports`, ...more, value: null };
  };
}

export function enterHaMaintenance(counterparts: Counterparts) {
  return step(counterparts, () => true);
}

export function leaveHaMaintenance(counterparts: Counterparts) {
  return step(counterparts, () => false);
}

/** Compensation: as it was before the operation. */
export function restoreHaState(counterparts: Counterparts) {
  return step(counterparts, (facts) => facts.before.localMaintenance);
}
