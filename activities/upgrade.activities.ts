/** The upgrade's activities: which step is done by whom. */
import type { UpgradeActivities } from '../workflows/model/upgrade.ts';
import { backUp } from './archive/back-up.ts';
import { asActivity } from './border.activities.ts';
import type { Counterparts } from './counterparts.ts';
import { awaitDomainActive, importDomain, removeDomain } from './engine/import-domain.ts';
import { importVm } from './engine/import-vm.ts';
import { inspectUpgrade } from './engine/inspect.ts';
import { verifyUpgrade } from './engine/verify.ts';
import type { StepContext } from './step-context.ts';
import { convertDefinition } from './storage/definition.ts';
import { ensureOvfStoreDisks, removeOvfStoreDisks } from './storage/ovf-store-disks.ts';
import { restoreOvfStores, writeOvf } from './storage/ovf-store-content.ts';
import { reportToTicket } from './tickets/report.ts';
import { enterGlobalMaintenance, leaveGlobalMaintenance } from './vdsm/global-maintenance.ts';

type StepFunctions = {
  readonly [Name in keyof UpgradeActivities]: (
    context: StepContext,
    input: Parameters<UpgradeActivities[Name]>[0],
  ) => ReturnType<UpgradeActivities[Name]>;
};

/** The steps as plain functions: for the worker, and for a runner without Temporal. */
export function upgradeSteps(counterparts: Counterparts): StepFunctions {
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

export function upgradeActivities(counterparts: Counterparts): UpgradeActivities {
  const steps = upgradeSteps(counterparts);
  return {
    inspectUpgrade: asActivity(steps.inspectUpgrade),
    enterGlobalMaintenance: asActivity(steps.enterGlobalMaintenance),
    leaveGlobalMaintenance: asActivity(steps.leaveGlobalMaintenance),
    backUp: asActivity(steps.backUp),
    convertDefinition: asActivity(steps.convertDefinition),
    ensureOvfStoreDisks: asActivity(steps.ensureOvfStoreDisks),
    removeOvfStoreDisks: asActivity(steps.removeOvfStoreDisks),
    writeOvf: asActivity(steps.writeOvf),
    restoreOvfStores: asActivity(steps.restoreOvfStores),
    importDomain: asActivity(steps.importDomain),
    removeDomain: asActivity(steps.removeDomain),
    awaitDomainActive: asActivity(steps.awaitDomainActive),
    importVm: asActivity(steps.importVm),
    verifyUpgrade: asActivity(steps.verifyUpgrade),
    reportToTicket: asActivity(steps.reportToTicket),
  };
}
