/** Workflow `editEngineVm`. */
import { NOUNS } from '../model/words.ts';
import { EDIT_STEPS, type EditEngineVmActivities } from '../model/engine-vm.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { EditEngineVmRequest, OperationInput } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

const plan = (name: (typeof EDIT_STEPS)[number]['name']) => planOf(EDIT_STEPS, name);

async function edit(
  run: StepRunner<EditEngineVmActivities>,
  call: StepCall,
  { change }: EditEngineVmRequest,
): Promise<OperationEnd> {
  const facts = await run.step(plan('preconditions'), (a) => a.inspectEdit({ ...call, change }));
  const input = { ...call, facts, change };
  await run.step(plan('edit'), (a) => a.editEngineVm(input), {
    name: 'undo-edit',
    title: 'Give the engine VM its former values again',
    run: (a) => a.revertEngineVm(input),
  });
  const lines = await run.step(plan('persist'), (a) => a.persistEngineVm(input));
  const when = 'Memory and processors count from the engine VM’s next start on; the hosts start it from this OVF.';
  return { state: 'done', lines: [`Engine VM ${facts.vm.name} was changed.`, ...lines, when] };
}

const run = operationWorkflow<EditEngineVmRequest, EditEngineVmActivities>({
  noun: NOUNS['edit-engine-vm'],
  steps: EDIT_STEPS,
  body: edit,
});

export async function editEngineVm(input: OperationInput<EditEngineVmRequest>): Promise<OperationResult> {
  return run(input);
}
