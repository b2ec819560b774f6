/** The install's steps: which is done by whom. The end of it is an upgrade's. */
import type { InstallActivities } from '../workflows/model/install.ts';
import { backUp } from './archive/back-up.ts';
import type { Counterparts } from './counterparts.ts';
import { addFirstHost, awaitHighAvailability, quietHighAvailability } from './engine/add-first-host.ts';
import { awaitEngine } from './engine/await-engine.ts';
import { ensureMasterDomain, prepareDataCenter, removeMasterDomain } from './engine/first-data-center.ts';
import { awaitDomainActive, importDomain } from './engine/import-domain.ts';
import { importVm } from './engine/import-vm.ts';
import { verifyInstall } from './engine/verify-install.ts';
import type { StepFunctions } from './step-context.ts';
import { convertDefinition } from './storage/definition.ts';
import { fetchAppliance } from './storage/fetch-appliance.ts';
import { writeOvf } from './storage/ovf-store-content.ts';
import { writeHostedEngineConfiguration } from './storage/write-configuration.ts';
import { reportToTicket } from './tickets/report.ts';
import { createHostedEngineDomain, releasePool, removeHostedEngineDomain } from './vdsm/install-storage.ts';
import { createHostedEngineVolumes } from './vdsm/install-volumes.ts';
import { startEngineVm, stopEngineVm } from './vdsm/install-vm.ts';
import { preflight } from './vdsm/preflight.ts';

export function installSteps(counterparts: Counterparts): StepFunctions<InstallActivities> {
  return {
    preflight: preflight(counterparts),
    createHostedEngineDomain: createHostedEngineDomain(counterparts),
    createHostedEngineVolumes: createHostedEngineVolumes(counterparts),
    fetchAppliance: fetchAppliance(counterparts),
    writeHostedEngineConfiguration: writeHostedEngineConfiguration(counterparts),
    releasePool: releasePool(counterparts),
    removeHostedEngineDomain: removeHostedEngineDomain(counterparts),
    startEngineVm: startEngineVm(counterparts),
    stopEngineVm: stopEngineVm(counterparts),
    awaitEngine: awaitEngine(counterparts),
    prepareDataCenter: prepareDataCenter(counterparts),
    addFirstHost: addFirstHost(counterparts),
    quietHighAvailability: quietHighAvailability(counterparts),
    ensureMasterDomain: ensureMasterDomain(counterparts),
    removeMasterDomain: removeMasterDomain(counterparts),
    convertDefinition: convertDefinition(counterparts),
    writeOvf: writeOvf(counterparts),
    importDomain: importDomain(counterparts),
    awaitDomainActive: awaitDomainActive(counterparts),
    importVm: importVm(counterparts),
    awaitHighAvailability: awaitHighAvailability(counterparts),
    verifyInstall: verifyInstall(counterparts),
    backUp: backUp(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
