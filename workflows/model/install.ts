/** A fresh install: from one host with VDSM and an empty export to an engine that manages its own VM. */
import type { BackupRef, VolumeRef } from './hosted-engine.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';
import type { InstallAnswers } from './requests.ts';
import type { ConvertedDefinition, OvfStoreDisk, UpgradeFacts } from './upgrade.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What is going to be made, with ids derived from the operation: acting twice makes it once. */
export interface InstallPlan {
  readonly domain: string;
  /** Pool for the time in which volumes are made: VDSM makes them for a pool's SPM only (vdsm.md 9). */
  readonly pool: string;
  readonly connection: string;
  readonly vm: string;
  readonly disk: VolumeRef;
  readonly lockspace: VolumeRef;
  readonly metadata: VolumeRef;
  readonly configuration: VolumeRef;
  readonly ovfStores: readonly VolumeRef[];
  readonly applianceBytes: number;
  /** What the host's CPU and qemu can give to the VM. */
  readonly cpuModel: string;
  readonly machine: string;
  readonly gateway: string;
}

interface Planned {
  readonly answers: InstallAnswers;
  readonly plan: InstallPlan;
}

interface WithFacts extends Planned {
  readonly facts: UpgradeFacts;
}

type UpgradeInput = { readonly facts: UpgradeFacts };

export interface InstallActivities extends ReportActivities {
  /** Changes nothing: looks at everything that can be seen before, and names all that is wrong at once. */
  preflight: Step<{ readonly answers: InstallAnswers }, InstallPlan>;
  createHostedEngineDomain: Step<Planned, null>;
  createHostedEngineVolumes: Step<Planned, null>;
  fetchAppliance: Step<Planned, null>;
  writeHostedEngineConfiguration: Step<Planned, null>;
  releasePool: Step<Planned, null>;
  /** Compensation: exactly what this operation made on the storage. */
  removeHostedEngineDomain: Step<Planned, null>;
  startEngineVm: Step<Planned, null>;
  stopEngineVm: Step<Planned, null>;
  awaitEngine: Step<Planned, null>;
  prepareDataCenter: Step<Planned, UpgradeFacts>;
  addFirstHost: Step<WithFacts, null>;
  quietHighAvailability: Step<Planned, null>;
  ensureMasterDomain: Step<WithFacts, null>;
  removeMasterDomain: Step<WithFacts, null>;
  convertDefinition: Step<UpgradeInput & { readonly source: 'configuration-volume' }, ConvertedDefinition>;
  writeOvf: Step<
    UpgradeInput & { readonly disks: readonly OvfStoreDisk[]; readonly definition: ConvertedDefinition },
    null
  >;
  importDomain: Step<UpgradeInput, null>;
  awaitDomainActive: Step<UpgradeInput, null>;
  importVm: Step<UpgradeInput & { readonly definition: ConvertedDefinition }, null>;
  awaitHighAvailability: Step<WithFacts, null>;
  verifyInstall: Step<WithFacts & { readonly definition: ConvertedDefinition }, readonly string[]>;
  backUp: Step<UpgradeInput & { readonly phase: 'after' }, BackupRef>;
}

export const INSTALL_STEPS = [
  {
    name: 'preflight',
    title: 'Check host, storage, network and appliance before anything is touched',
    attemptMs: HOUR,
  },
  { name: 'create-domain', title: 'Create the hosted-engine storage domain', attemptMs: 5 * MINUTE },
  { name: 'create-volumes', title: 'Create the volumes on it', attemptMs: 15 * MINUTE },
  { name: 'fetch-appliance', title: 'Bring the appliance onto the engine VM’s disk', attemptMs: 4 * HOUR },
  { name: 'write-configuration', title: 'Write the configuration archive', attemptMs: 5 * MINUTE },
  { name: 'release-pool', title: 'Let go of the pool that the volumes were made in', attemptMs: 5 * MINUTE },
  { name: 'start-engine-vm', title: 'Start the engine VM', attemptMs: 10 * MINUTE },
  { name: 'await-engine', title: 'Wait until engine-setup is through and the engine healthy', attemptMs: 2 * HOUR },
  { name: 'data-center', title: 'Find or create the data center and the cluster', attemptMs: 5 * MINUTE },
  { name: 'add-host', title: 'Add the first host to the engine', attemptMs: 30 * MINUTE },
  { name: 'master-domain', title: 'Bring the data center up on its first data domain', attemptMs: 15 * MINUTE },
  { name: 'convert', title: 'Convert the engine VM’s definition to OVF', attemptMs: MINUTE },
  { name: 'write-ovf', title: 'Write the OVF to both OVF_STORE disks and read it back', attemptMs: 5 * MINUTE },
  { name: 'import-domain', title: 'Import the hosted-engine storage domain', attemptMs: 5 * MINUTE },
  { name: 'await-domain', title: 'Wait until the storage domain is active', attemptMs: 15 * MINUTE },
  { name: 'import-vm', title: 'Import the engine VM (from here on only forward)', attemptMs: 15 * MINUTE },
  { name: 'high-availability', title: 'See the host’s HA services with a score above 0', attemptMs: 20 * MINUTE },
  { name: 'verify', title: 'Verify from outside', attemptMs: 5 * MINUTE },
  { name: 'back-up', title: 'Back up the configuration to S3', skippable: true, attemptMs: 5 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
