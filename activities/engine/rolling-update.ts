/** Steps of a rolling update: the order of the hosts, and the phases of one host, made of the steps of host maintenance. */
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { HostToUpdate, RollingUpdatePlan } from '../../workflows/model/rolling-update.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';
import { engineVmPlaces } from '../vdsm/engine-vm-place.ts';
import { enterHaMaintenance, leaveHaMaintenance, restoreHaState } from '../vdsm/local-maintenance.ts';
import { moveEngineVmAway } from './engine-vm-move.ts';
import { activateHost, enterEngineMaintenance, restoreEngineState } from './host-maintenance.ts';
import { checkForUpdate } from './host-update.ts';
import { unmet } from './hosted-engine.ts';
import { findEngineVm, hostNamed, hostsOnceSeen, lookAtHost, placesText, requireElsewhere } from './inspect-host.ts';
import { whyUnable } from './other-hosts.ts';
import type { Host } from './types.ts';
import { verifyInMaintenance, verifyInService } from './verify-host.ts';

type Input = StepCall & { readonly facts: HostFacts };

/** The engine VM's own host last, so that the VM moves once, to a host that is updated already. */
export function updateOrder(hosts: readonly Host[], runsOn: string | undefined): string[] {
  const names = hosts.filter(({ hostedEngine }) => hostedEngine?.configured === true).map(({ name }) => name);
  return [...names.filter((name) => name !== runsOn), ...names.filter((name) => name === runsOn)];
}

/** Each host must be in service: only then can be seen that it came back as it was. */
function requireInService(hosts: readonly Host[], names: readonly string[], cluster: string): void {
  const why = names.flatMap((name) => whyUnable(hostNamed(hosts, name, cluster)) ?? []);
  if (names.length > 0 && why.length === 0) return;
  throw unmet(
    'engine/hosts-not-in-service',
    `hosts ${names.join(', ') || 'of the cluster'}`,
    'not all of them are in service',
    why.join('; ') || 'the cluster has no hosted-engine host',
    'Bring them up with a score above 0 and retry, or start anew with a list of the others as `hosts`.',
  );
}

export function planRollingUpdate({ clusters }: Counterparts) {
  return async (
    context: StepContext,
    input: StepCall & { readonly hosts?: readonly string[] },
  ): Promise<StepOutcome<RollingUpdatePlan>> => {
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const hosts = await hostsOnceSeen(engine, input.cluster, context);
    const vm = await findEngineVm(engine);
    const places = await engineVmPlaces(cluster.hosts, vm.id, context.signal);
    const names = input.hosts ?? updateOrder(hosts, places[0]?.host);
    requireInService(hosts, names, input.cluster);
    const summary = `in this order: ${names.join(', ')}; ${placesText(places)}`;
    return { done: 'now', summary, value: { hosts: names } };
  };
}

export function inspectHostToUpdate({ clusters }: Counterparts) {
  return async (
    context: StepContext,
    input: StepCall & { readonly host: string },
  ): Promise<StepOutcome<HostToUpdate>> => {
    const cluster = clusters.get(input.cluster);
    const look = await lookAtHost(cluster, input, context);
    requireInService(look.hosts, [input.host], input.cluster);
    const notes = requireElsewhere(look);
    const engine = cluster.engine(input.operationId, context.signal);
    const updateAvailable = await checkForUpdate(engine, look.facts, context);
    const summary = updateAvailable ? 'the engine found updates' : 'the engine found no update: left alone';
    const value = { facts: look.facts, updateAvailable };
    return { done: 'now', summary, ...(notes.length === 0 ? {} : { notes }), value };
  };
}

type Phase = (context: StepContext, input: Input) => Promise<StepOutcome<null>>;

/** Several steps as one; each of them finds out by itself what is done already. */
function inOrder(phases: readonly Phase[]): Phase {
  return async (context, input) => {
    const outcomes: StepOutcome<null>[] = [];
    for (const phase of phases) outcomes.push(await phase(context, input));
    const done = outcomes.every((outcome) => outcome.done === 'before') ? 'before' : 'now';
    const notes = outcomes.flatMap((outcome) => outcome.notes ?? []);
    const summary = outcomes.at(-1)?.summary ?? '';
    return { done, summary, ...(notes.length === 0 ? {} : { notes }), value: null };
  };
}

export function takeHostOut(counterparts: Counterparts) {
  const inEngine = enterEngineMaintenance(counterparts);
  return (context: StepContext, input: Input & { readonly reason: string }): Promise<StepOutcome<null>> =>
    inOrder([
      moveEngineVmAway(counterparts),
      enterHaMaintenance(counterparts),
      (inner, facts) => inEngine(inner, { ...facts, reason: input.reason }),
      verifyInMaintenance(counterparts),
    ])(context, input);
}

/** Up to the score that the host had before. */
export function takeHostBack(counterparts: Counterparts) {
  const verify = verifyInService(counterparts);
  return inOrder([
    activateHost(counterparts),
    leaveHaMaintenance(counterparts),
    (context, input) => verify(context, { ...input, score: Math.max(1, input.facts.before.score) }),
  ]);
}

export function restoreHost(counterparts: Counterparts) {
  return inOrder([restoreEngineState(counterparts), restoreHaState(counterparts)]);
}
