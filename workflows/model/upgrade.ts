/** The upgrade's step list and what its steps hand to each other (issue's order: nothing later is done before it). */
import type { StepOutcome, StepPlan } from './operation.ts';
import type { DefinitionSource } from './requests.ts';

const MINUTE = 60_000;

/** An image and its (single) volume on a storage domain. */
export interface VolumeRef {
  readonly image: string;
  readonly volume: string;
}

/** What the operation learnt before it touched anything. */
export interface UpgradeFacts {
  readonly dataCenter: { readonly id: string; readonly name: string };
  readonly cluster: { readonly id: string; readonly name: string; readonly compatibility: string };
  readonly engineVersion: string;
  readonly vm: { readonly id: string; readonly name: string; readonly origin: string };
  /** True: the engine manages its VM already; there is nothing to upgrade. */
  readonly alreadyManaged: boolean;
  readonly domain: {
    readonly id: string;
    readonly type: 'nfs' | 'glusterfs' | 'iscsi' | 'fc';
    readonly address: string;
    readonly path: string;
    readonly metadata: VolumeRef;
    readonly configuration: VolumeRef;
  };
  /** Restored at the end: it is only left if this operation set it. */
  readonly globalMaintenanceBefore: boolean;
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

export interface BackupRef {
  readonly bucket: string;
  readonly manifestKey: string;
  readonly manifestSha256: string;
  readonly objects: number;
}

/** Every call carries it: it names the operation in VDSM's and the engine's logs, and ids are derived from it. */
export interface StepCall {
  readonly operationId: string;
  readonly cluster: string;
  /** ISO time of the operation's start: the one clock of everything that must come out the same when repeated. */
  readonly startedAt: string;
}

export interface UpgradeSummary {
  readonly state: 'done' | 'nothing-to-do';
  readonly ticket?: string;
  readonly lines: readonly string[];
}

type Step<I, T> = (input: StepCall & I) => Promise<StepOutcome<T>>;

/** The upgrade's activities: one per step, each of which checks, acts and verifies, so that repeating it is safe. */
export interface UpgradeActivities {
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
  reportToTicket: Step<{ readonly ticket: string; readonly state: string; readonly lines: readonly string[] }, null>;
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
  { name: 'leave-global-maintenance', title: 'Leave global maintenance', attemptMs: 3 * MINUTE },
  { name: 'back-up-after', title: 'Back up the new configuration to S3', skippable: true, attemptMs: 5 * MINUTE },
  { name: 'report', title: 'Report to the ticket', skippable: true, attemptMs: MINUTE },
] as const satisfies readonly StepPlan[];

export type UpgradeStepName = (typeof UPGRADE_STEPS)[number]['name'];
