/** The steps of adding a host: which is done by whom. */
import type { AddHostActivities } from '../workflows/model/add-host.ts';
import type { Counterparts } from './counterparts.ts';
import { deployHost } from './engine/deploy-host.ts';
import { enterEngineMaintenance, restoreEngineState } from './engine/host-maintenance.ts';
import { inspectNewHost } from './engine/inspect-new-host.ts';
import { withdrawHost } from './engine/withdraw-host.ts';
import { inspectWorkerHost } from './host-worker/preflight.ts';
import { putWorkerFiles, swapServices, withdrawWorker } from './host-worker/put.ts';
import { verifyHostWorker } from './host-worker/verify.ts';
import type { StepFunctions } from './step-context.ts';
import { reportToTicket } from './tickets/report.ts';
import { verifyDefinitionReadable, verifyDeployedHost } from './vdsm/verify-deployed.ts';

export function addHostSteps(counterparts: Counterparts): StepFunctions<AddHostActivities> {
  return {
    inspectNewHost: inspectNewHost(counterparts),
    enterEngineMaintenance: enterEngineMaintenance(counterparts),
    restoreEngineState: restoreEngineState(counterparts),
    deployHost: deployHost(counterparts),
    withdrawHost: withdrawHost(counterparts),
    verifyDeployedHost: verifyDeployedHost(counterparts),
    verifyDefinitionReadable: verifyDefinitionReadable(counterparts),
    inspectWorkerHost: inspectWorkerHost(counterparts),
    putWorkerFiles: putWorkerFiles(counterparts),
    swapServices: swapServices(counterparts),
    verifyHostWorker: verifyHostWorker(counterparts),
    withdrawWorker: withdrawWorker(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
