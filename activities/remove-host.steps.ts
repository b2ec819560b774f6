/** The steps of removing a host: which is done by whom. */
import type { RemoveHostActivities } from '../workflows/model/remove-host.ts';
import type { Counterparts } from './counterparts.ts';
import { giveUpDeadHost } from './engine/dead-host.ts';
import { moveEngineVmAway, restoreEngineVmPlace } from './engine/engine-vm-move.ts';
import { activateHost, enterEngineMaintenance, restoreEngineState } from './engine/host-maintenance.ts';
import { inspectLeavingHost, verifyHostRemoved } from './engine/inspect-leaving-host.ts';
import { clearSlot, removeHostFromEngine, undeployHost } from './engine/undeploy-host.ts';
import { restoreWorker, withdrawWorker } from './host-worker/put.ts';
import type { StepFunctions } from './step-context.ts';
import { reportToTicket } from './tickets/report.ts';
import { enterHaMaintenance, restoreHaState } from './vdsm/local-maintenance.ts';

export function removeHostSteps(counterparts: Counterparts): StepFunctions<RemoveHostActivities> {
  return {
    inspectLeavingHost: inspectLeavingHost(counterparts),
    moveEngineVmAway: moveEngineVmAway(counterparts),
    restoreEngineVmPlace: restoreEngineVmPlace(counterparts),
    enterHaMaintenance: enterHaMaintenance(counterparts),
    restoreHaState: restoreHaState(counterparts),
    enterEngineMaintenance: enterEngineMaintenance(counterparts),
    restoreEngineState: restoreEngineState(counterparts),
    activateHost: activateHost(counterparts),
    withdrawWorker: withdrawWorker(counterparts),
    restoreWorker: restoreWorker(counterparts),
    giveUpDeadHost: giveUpDeadHost(counterparts),
    undeployHost: undeployHost(counterparts),
    clearSlot: clearSlot(counterparts),
    removeHostFromEngine: removeHostFromEngine(counterparts),
    verifyHostRemoved: verifyHostRemoved(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
