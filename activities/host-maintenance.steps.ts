/** The steps of a host's way into maintenance and out of it: which is done by whom. */
import type { HostMaintenanceActivities } from '../workflows/model/host-maintenance.ts';
import type { Counterparts } from './counterparts.ts';
import { moveEngineVmAway, restoreEngineVmPlace } from './engine/engine-vm-move.ts';
import { activateHost, enterEngineMaintenance, restoreEngineState } from './engine/host-maintenance.ts';
import { inspectHostToEnter, inspectHostToLeave } from './engine/inspect-host.ts';
import { verifyInMaintenance, verifyInService } from './engine/verify-host.ts';
import type { StepFunctions } from './step-context.ts';
import { reportToTicket } from './tickets/report.ts';
import { enterHaMaintenance, leaveHaMaintenance, restoreHaState } from './vdsm/local-maintenance.ts';

export function hostMaintenanceSteps(counterparts: Counterparts): StepFunctions<HostMaintenanceActivities> {
  return {
    inspectHostToEnter: inspectHostToEnter(counterparts),
    inspectHostToLeave: inspectHostToLeave(counterparts),
    moveEngineVmAway: moveEngineVmAway(counterparts),
    enterHaMaintenance: enterHaMaintenance(counterparts),
    enterEngineMaintenance: enterEngineMaintenance(counterparts),
    verifyInMaintenance: verifyInMaintenance(counterparts),
    activateHost: activateHost(counterparts),
    leaveHaMaintenance: leaveHaMaintenance(counterparts),
    verifyInService: verifyInService(counterparts),
    restoreEngineVmPlace: restoreEngineVmPlace(counterparts),
    restoreEngineState: restoreEngineState(counterparts),
    restoreHaState: restoreHaState(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
