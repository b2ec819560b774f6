/** Workflow `enterHostMaintenance`: a host into maintenance, in the engine and for HA. */
import { NOUNS } from '../model/words.ts';
import {
  ENTER_HOST_MAINTENANCE_STEPS,
  isInEngineMaintenance,
  type HostFacts,
  type HostMaintenanceActivities,
} from '../model/host-maintenance.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { EnterHostMaintenanceRequest, OperationInput } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<HostMaintenanceActivities>;

const plan = (name: (typeof ENTER_HOST_MAINTENANCE_STEPS)[number]['name']) =>
  planOf(ENTER_HOST_MAINTENANCE_STEPS, name);

function outcome({ host, before }: HostFacts): OperationEnd {
  const engine = isInEngineMaintenance(before.status);
  if (engine && before.localMaintenance) {
    return { state: 'nothing-to-do', lines: [`${host.name} was in maintenance already, in the engine and for HA.`] };
  }
  const half = engine
    ? [`The engine had it in maintenance before, but HA did not: the engine VM could have been started there.`]
    : before.localMaintenance
      ? ['HA had it in maintenance before, but the engine did not: other VMs could have been started there.']
      : [];
  return { state: 'done', lines: [`${host.name} is in maintenance, in the engine and for HA.`, ...half] };
}

async function enter(run: Runner, call: StepCall, request: EnterHostMaintenanceRequest): Promise<OperationEnd> {
  const facts = await run.step(plan('preconditions'), (a) => a.inspectHostToEnter({ ...call, host: request.host }));
  const input = { ...call, facts };
  await run.step(plan('move-engine-vm'), (a) => a.moveEngineVmAway(input), {
    name: 'undo-move-engine-vm',
    title: 'Move the engine VM back, if it ran there before',
    run: (a) => a.restoreEngineVmPlace(input),
  });
  await run.step(plan('ha-maintenance'), (a) => a.enterHaMaintenance(input), {
    name: 'undo-ha-maintenance',
    title: 'End local HA maintenance, if it was off before',
    run: (a) => a.restoreHaState(input),
  });
  const reason = request.reason ?? request.ticket ?? request.key;
  await run.step(plan('engine-maintenance'), (a) => a.enterEngineMaintenance({ ...input, reason }), {
    name: 'undo-engine-maintenance',
    title: 'Activate the host in the engine, if it was active before',
    run: (a) => a.restoreEngineState(input),
  });
  await run.step(plan('verify'), (a) => a.verifyInMaintenance(input));
  return outcome(facts);
}

const run = operationWorkflow<EnterHostMaintenanceRequest, HostMaintenanceActivities>({
  noun: NOUNS['enter-host-maintenance'],
  steps: ENTER_HOST_MAINTENANCE_STEPS,
  body: enter,
});

export async function enterHostMaintenance(
  input: OperationInput<EnterHostMaintenanceRequest>,
): Promise<OperationResult> {
  return run(input);
}
