/** Workflow `setGlobalMaintenance`: on (for ever, or until a time) or off. */
import { NOUNS } from '../model/words.ts';
import { GLOBAL_MAINTENANCE_STEPS, type GlobalMaintenanceActivities } from '../model/global-maintenance.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { GlobalMaintenanceRequest, OperationInput } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<GlobalMaintenanceActivities>;

const plan = (name: (typeof GLOBAL_MAINTENANCE_STEPS)[number]['name']) => planOf(GLOBAL_MAINTENANCE_STEPS, name);

async function switchOff(run: Runner, call: StepCall): Promise<OperationEnd> {
  run.notNeeded(['hold', 'leave'], 'only with mode on and a time');
  const facts = await run.step(plan('preconditions'), (a) => a.inspectBoard(call));
  // Whoever asks for "off" means it, whatever was before.
  const input = { ...call, facts: { ...facts, globalMaintenanceBefore: false } };
  const undo = {
    name: 'undo-switch',
    title: 'Switch global maintenance on again',
    run: (a: GlobalMaintenanceActivities) => a.enterGlobalMaintenance({ ...call, facts }),
  };
  await run.step(
    plan('switch'),
    (a) => a.leaveGlobalMaintenance(input),
    facts.globalMaintenanceBefore ? undo : undefined,
  );
  if (!facts.globalMaintenanceBefore) return { state: 'nothing-to-do', lines: ['Global maintenance was off already.'] };
  return { state: 'done', lines: ['Global maintenance is off: seen in the HA metadata and by every host.'] };
}

async function switchOn(run: Runner, call: StepCall, until: string | undefined): Promise<OperationEnd> {
  const facts = await run.step(plan('preconditions'), (a) => a.inspectBoard(call));
  const input = { ...call, facts };
  await run.step(plan('switch'), (a) => a.enterGlobalMaintenance(input), {
    name: 'undo-switch',
    title: 'Leave global maintenance',
    run: (a) => a.leaveGlobalMaintenance(input),
  });
  const before = facts.globalMaintenanceBefore;
  if (until === undefined) {
    run.notNeeded(['hold', 'leave'], 'no time was asked for');
    const lines = [
      'Global maintenance is on: no host starts, stops or moves the engine VM until somebody switches it off.',
    ];
    return before
      ? { state: 'nothing-to-do', lines: ['Global maintenance was on already.'] }
      : { state: 'done', lines };
  }
  await run.hold(plan('hold'), until, `it is ${until}`);
  // What was on before is somebody else's, and stays.
  await run.step(plan('leave'), (a) => a.leaveGlobalMaintenance(input));
  const end = before
    ? 'It was on before, so it was left on.'
    : 'It is off again: seen in the HA metadata and by every host.';
  return { state: 'done', lines: [`Global maintenance was on until ${until}.`, end] };
}

const run = operationWorkflow<GlobalMaintenanceRequest, GlobalMaintenanceActivities>({
  noun: NOUNS['global-maintenance'],
  steps: GLOBAL_MAINTENANCE_STEPS,
  body: (runner, call, { mode, until }) => (mode === 'on' ? switchOn(runner, call, until) : switchOff(runner, call)),
});

export async function setGlobalMaintenance(input: OperationInput<GlobalMaintenanceRequest>): Promise<OperationResult> {
  return run(input);
}
