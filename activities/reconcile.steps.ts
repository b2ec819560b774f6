/** The steps of a comparison of the sources and of its repairs: which is done by whom. */
import type { ReconcileActivities } from '../workflows/model/reconcile.ts';
import { takeBackup } from './archive/back-up.ts';
import type { Counterparts } from './counterparts.ts';
import { lookForDifferences, verifyRepairs } from './reconcile/look.ts';
import { repairDifference } from './reconcile/repair.ts';
import type { StepFunctions } from './step-context.ts';
import { reportToTicket } from './tickets/report.ts';

export function reconcileSteps(counterparts: Counterparts): StepFunctions<ReconcileActivities> {
  return {
    lookForDifferences: lookForDifferences(counterparts),
    takeBackup: takeBackup(counterparts),
    repairDifference: repairDifference(counterparts),
    verifyRepairs: verifyRepairs(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
