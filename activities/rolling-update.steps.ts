/** The steps of a rolling update of the hosts: which is done by whom. */
import type { RollingUpdateActivities } from '../workflows/model/rolling-update.ts';
import type { Counterparts } from './counterparts.ts';
import { updateHost } from './engine/host-update.ts';
import {
  inspectHostToUpdate,
  planRollingUpdate,
  restoreHost,
  takeHostBack,
  takeHostOut,
} from './engine/rolling-update.ts';
import type { StepFunctions } from './step-context.ts';
import { reportToTicket } from './tickets/report.ts';

export function rollingUpdateSteps(counterparts: Counterparts): StepFunctions<RollingUpdateActivities> {
  return {
    planRollingUpdate: planRollingUpdate(counterparts),
    inspectHostToUpdate: inspectHostToUpdate(counterparts),
    takeHostOut: takeHostOut(counterparts),
    updateHost: updateHost(counterparts),
    takeHostBack: takeHostBack(counterparts),
    restoreHost: restoreHost(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
