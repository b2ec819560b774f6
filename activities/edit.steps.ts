/** The steps of an edit of the engine VM: which is done by whom. */
import type { EditEngineVmActivities } from '../workflows/model/engine-vm.ts';
import type { Counterparts } from './counterparts.ts';
import { editEngineVm, inspectEdit, revertEngineVm } from './engine/engine-vm.ts';
import { persistEngineVm } from './engine/engine-vm-persisted.ts';
import type { StepFunctions } from './step-context.ts';
import { reportToTicket } from './tickets/report.ts';

export function editSteps(counterparts: Counterparts): StepFunctions<EditEngineVmActivities> {
  return {
    inspectEdit: inspectEdit(counterparts),
    editEngineVm: editEngineVm(counterparts),
    revertEngineVm: revertEngineVm(counterparts),
    persistEngineVm: persistEngineVm(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
