/** The steps of a restore: which is done by whom. */
import type { RestoreActivities } from '../workflows/model/restore.ts';
import { takeBackup } from './archive/back-up.ts';
import type { Counterparts } from './counterparts.ts';
import type { StepFunctions } from './step-context.ts';
import { inspectStorage } from './storage/inspect-storage.ts';
import { compareWithBackup, putItemBack, restoreItem, verifyBackup } from './storage/restore.ts';
import { reportToTicket } from './tickets/report.ts';
import { enterGlobalMaintenance, leaveGlobalMaintenance } from './vdsm/global-maintenance.ts';

export function restoreSteps(counterparts: Counterparts): StepFunctions<RestoreActivities> {
  return {
    verifyBackup: verifyBackup(counterparts),
    inspectStorage: inspectStorage(counterparts),
    compareWithBackup: compareWithBackup(counterparts),
    enterGlobalMaintenance: enterGlobalMaintenance(counterparts),
    leaveGlobalMaintenance: leaveGlobalMaintenance(counterparts),
    takeBackup: takeBackup(counterparts),
    restoreItem: restoreItem(counterparts),
    putItemBack: putItemBack(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
