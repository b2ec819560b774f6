/** The upgrade's steps: which is done by whom. */
import type { UpgradeActivities } from '../workflows/model/upgrade.ts';
import { backUp } from './archive/back-up.ts';
import type { Counterparts } from './counterparts.ts';
import { awaitDomainActive, importDomain, removeDomain } from './engine/import-domain.ts';
import { importVm } from './engine/import-vm.ts';
import { inspectUpgrade } from './engine/inspect.ts';
import { verifyUpgrade } from './engine/verify.ts';
import type { StepFunctions } from './step-context.ts';
import { convertDefinition } from './storage/definition.ts';
import { ensureOvfStoreDisks, removeOvfStoreDisks } from './storage/ovf-store-disks.ts';
import { restoreOvfStores, writeOvf } from './storage/ovf-store-content.ts';
import { reportToTicket } from './tickets/report.ts';
import { enterGlobalMaintenance, leaveGlobalMaintenance } from './vdsm/global-maintenance.ts';

export function upgradeSteps(counterparts: Counterparts): StepFunctions<UpgradeActivities> {
  return {
    inspectUpgrade: inspectUpgrade(counterparts),
    enterGlobalMaintenance: enterGlobalMaintenance(counterparts),
    leaveGlobalMaintenance: leaveGlobalMaintenance(counterparts),
    backUp: backUp(counterparts),
    convertDefinition: convertDefinition(counterparts),
    ensureOvfStoreDisks: ensureOvfStoreDisks(counterparts),
    removeOvfStoreDisks: removeOvfStoreDisks(counterparts),
    writeOvf: writeOvf(counterparts),
    restoreOvfStores: restoreOvfStores(counterparts),
    importDomain: importDomain(counterparts),
    removeDomain: removeDomain(counterparts),
    awaitDomainActive: awaitDomainActive(counterparts),
    importVm: importVm(counterparts),
    verifyUpgrade: verifyUpgrade(counterparts),
    reportToTicket: reportToTicket(counterparts),
  };
}
