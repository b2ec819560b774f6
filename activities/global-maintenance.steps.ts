/** The steps of a change of global maintenance: which is done by whom. */
import type { GlobalMaintenanceActivities } from '../workflows/model/global-maintenance.ts';
import type { Counterparts } from './counterparts.ts';
import type { StepFunctions } from './step-context.ts';
import { inspectBoard } from './storage/board.ts';
import { reportToTicket } from './tickets/report.ts';
import { enterGlobalMaintenance, leaveGlobalMaintenance } from './vdsm/global-maintenance.ts';

export function globalMaintenanceSteps(counterparts: Counterparts): StepFunctions<GlobalMaintenanceActivities> {
  return {
    inspectBoard: inspectBoard(counterparts),
    enterGlobalMaintenance: enterGlobalMaintenance(counterparts),
    leaveGlobalMaintenance: leaveGlobalMaintenance(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
