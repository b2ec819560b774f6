/** The steps of a backup: which is done by whom. */
import type { BackupActivities } from '../workflows/model/backup.ts';
import { takeBackup } from './archive/back-up.ts';
import { discardBackup, removeOldBackups } from './archive/backups.ts';
import type { Counterparts } from './counterparts.ts';
import type { StepFunctions } from './step-context.ts';
import { inspectStorage } from './storage/inspect-storage.ts';
import { reportToTicket } from './tickets/report.ts';

export function backupSteps(counterparts: Counterparts): StepFunctions<BackupActivities> {
  return {
    inspectStorage: inspectStorage(counterparts),
    takeBackup: takeBackup(counterparts),
    discardBackup: discardBackup(counterparts),
    removeOldBackups: removeOldBackups(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
