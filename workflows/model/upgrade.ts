/** The upgrade's step list and what its steps hand to each other (issue's order: nothing later is done before it). */
import type { BackupRef, HostedEngineFacts, VolumeRef } from './hosted-engine.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';
import type { DefinitionSource } from './requests.ts';

const MINUTE = 60_000;

/** What the operation learnt before it touched anything. */
export interface UpgradeFacts extends HostedEngineFacts {
  /** True: the engine manages its VM already; there is nothing to upgrade. */
  readonly alreadyManaged: boolean;
  /** Whether the engine knew the domain before; if so an abort must not remove it. */
  readonly domainKnownBefore: boolean;
}

export interface ConvertedDefinition {
  readonly source: Exclude<DefinitionSource, 'auto'>;
  readonly ovf: string;
  readonly sha256: string;
}

export interface OvfStoreDisk extends VolumeRef {
  readonly createdByUs: boolean;
}

/** The upgrade's activities: one per step, each of which checks, acts and verifies, so that repeating it is safe. */
export interface UpgradeActivities extends ReportActivities {
  inspectUpgrade: Step<{ readonly vmConf?: string }, UpgradeFacts>;
  enterGlobalMaintenance: Step<{ readonly facts: UpgradeFacts }, null>;
  leaveGlobalMaintenance: Step<{ readonly facts: UpgradeFacts }, null>;
  backUp: Step<{ readonly facts: UpgradeFacts; readonly phase: 'before' | 'after' }, BackupRef>;
  convertDefinition: Step<
    { readonly facts: UpgradeFacts; readonly source: DefinitionSource; readonly vmConf?: string },
    ConvertedDefinition
  >;
  ensureOvfStoreDisks: Step<{ readonly facts: UpgradeFacts }, readonly OvfStoreDisk[]>;
  removeOvfStoreDisks: Step<{ readonly facts: UpgradeFacts }, null>;
  writeOvf: Step<
    { readonly facts: UpgradeFacts; readonly disks: readonly OvfStoreDisk[]; readonly definition: ConvertedDefinition },
    null
  >;
  restoreOvfStores: Step<
    { readonly facts: UpgradeFacts; readonly disks: readonly OvfStoreDisk[]; readonly backup: BackupRef },
    null
  >;
  importDomain: Step<{ readonly facts: UpgradeFacts }, null>;
  removeDomain: Step<{ readonly facts: UpgradeFacts }, null>;
  awaitDomainActive: Step<{ readonly facts: UpgradeFacts }, null>;
  importVm: Step<{ readonly facts: UpgradeFacts; readonly definition: ConvertedDefinition }, null>;
  verifyUpgrade: Step<{ readonly facts: UpgradeFacts; readonly definition?: ConvertedDefinition }, readonly string[]>;
}

export const UPGRADE_STEPS = [
  { name: 'preconditions', title: 'Check the engine, the hosts and the storage', attemptMs: 2 * MINUTE },
  { name: 'enter-global-maintenance', title: 'Set global maintenance and see it on storage', attemptMs: 3 * MINUTE },
  { name: 'back-up-before', title: 'Back up the configuration to S3', attemptMs: 5 * MINUTE },
  { name: 'convert', title: 'Convert the engine VM’s definition to OVF', attemptMs: MINUTE },
  { name: 'ovf-store-disks', title: 'Find or create the two OVF_STORE disks', attemptMs: 10 * MINUTE },
  { name: 'write-ovf', title: 'Write the OVF to both disks and read it back', attemptMs: 5 * MINUTE },
  { name: 'import-domain', title: 'Import the hosted-engine storage domain', attemptMs: 5 * MINUTE },
  { name: 'await-domain', title: 'Wait until the storage domain is active', attemptMs: 15 * MINUTE },
  { name: 'import-vm', title: 'Import the engine VM', attemptMs: 15 * MINUTE },
  { name: 'verify', title: 'Verify from outside', attemptMs: 5 * MINUTE },
  { name: 'leave-global-maintenance', title: 'Leave global maintenance', attemptMs: 3 * MINUTE, windowMs: 0 },
  { name: 'back-up-after', title: 'Back up the new configuration to S3', skippable: true, attemptMs: 5 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];

export type UpgradeStepName = (typeof UPGRADE_STEPS)[number]['name'];
