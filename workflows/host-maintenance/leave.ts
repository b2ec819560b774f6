/** Workflow `leaveHostMaintenance`: a host back into service, in the engine and for HA. */
import { NOUNS } from '../model/words.ts';
import {
  isInEngineMaintenance,
  LEAVE_HOST_MAINTENANCE_STEPS,
  type HostFacts,
  type HostMaintenanceActivities,
} from '../model/host-maintenance.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { LeaveHostMaintenanceRequest, OperationInput } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<HostMaintenanceActivities>;

const plan = (name: (typeof LEAVE_HOST_MAINTENANCE_STEPS)[number]['name']) =>
  planOf(LEAVE_HOST_MAINTENANCE_STEPS, name);

function outcome({ host, before }: HostFacts): OperationEnd {
  const engine = isInEngineMaintenance(before.status);
  if (before.status === 'up' && !before.localMaintenance) {
    return { state: 'nothing-to-do', lines: [`${host.name} was in service already, in the engine and for HA.`] };
  }
  const half =
    engine === before.localMaintenance
      ? []
      : [
          engine
            ? 'It had been in maintenance in the engine only.'
            : 'It had been in maintenance for HA only: the engine VM could not have been started there.',
        ];
  return { state: 'done', lines: [`${host.name} is up, and its HA agent is active.`, ...half] };
}

async function leave(run: Runner, call: StepCall, request: LeaveHostMaintenanceRequest): Promise<OperationEnd> {
  const facts = await run.step(plan('preconditions'), (a) => a.inspectHostToLeave({ ...call, host: request.host }));
  const input = { ...call, facts };
  await run.step(plan('activate'), (a) => a.activateHost(input), {
    name: 'undo-activate',
    title: 'Move the host back to maintenance in the engine, if it was there before',
    run: (a) => a.restoreEngineState(input),
  });
  await run.step(plan('ha-active'), (a) => a.leaveHaMaintenance(input), {
    name: 'undo-ha-active',
    title: 'Set local HA maintenance again, if it was on before',
    run: (a) => a.restoreHaState(input),
  });
  await run.step(plan('verify'), (a) => a.verifyInService({ ...input, score: 1 }));
  return outcome(facts);
}

const run = operationWorkflow<LeaveHostMaintenanceRequest, HostMaintenanceActivities>({
  noun: NOUNS['leave-host-maintenance'],
  steps: LEAVE_HOST_MAINTENANCE_STEPS,
  body: leave,
});

export async function leaveHostMaintenance(
  input: OperationInput<LeaveHostMaintenanceRequest>,
): Promise<OperationResult> {
  return run(input);
}
