/** What a look at a cluster says, and what an examination of the installation finds. Read only; no lock is taken. */

/** Something that could not be seen. */
export interface Missing {
  /** Whose word is missing, by name. */
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

export interface EngineLook {
  /** Of its URL. */
  readonly address: string;
  /** undefined: the health page did not answer. */
  readonly healthy?: boolean;
  /** The health page's words, cut. */
  readonly health: string;
  readonly version?: string;
}

/** Who says that the engine VM runs somewhere, strongest first. */
export type PlaceSource = 'vdsm' | 'ha-metadata' | 'engine';

export interface EngineVmPlace {
  readonly host: string;
  readonly status: string;
  readonly source: PlaceSource;
}

export interface EngineVmLook {
  /** Undefined: nobody that answers says that it runs. */
  readonly host?: string;
  readonly status?: string;
  readonly source?: PlaceSource;
  /** Every word about it; more than one host where they differ. */
  readonly places: readonly EngineVmPlace[];
}

/** A host's slot of the HA metadata. */
export interface SlotLook {
  readonly id: number;
  readonly hostname: string;
  readonly writtenBy: 'bellwether' | 'reference';
  /** Of the human part; `unknown` where the writer did not say. */
  readonly state: string;
  readonly score: number;
  readonly localMaintenance: boolean;
  readonly stopped: boolean;
  readonly engineStatus: {
    readonly vm: string;
    readonly health: string;
    readonly detail: string;
    readonly reason?: string;
  };
  /** Whether somebody writes it now. null: it was not watched for long enough to tell. */
  readonly lives: boolean | null;
  /** Since it was last seen to change; null: not seen to change yet. */
  readonly heardSeconds: number | null;
  /** What our kind says hinders it from running the engine VM; empty: nothing. */
  readonly cannotRun?: string;
  readonly sanlock?: { readonly ioSeconds: number; readonly watchdogSeconds: number };
}

export interface FaultySlot {
  readonly id: number;
  readonly why: string;
}

export interface HostLook {
  readonly name: string;
  readonly address: string;
  readonly engine?: {
    readonly status: string;
    readonly detail?: string;
    /** The engine does not poll it in this status: what it says of its HA state is the last it saw. */
    readonly stale: boolean;
  };
  /** Undefined: this worker does not know the host, so nobody asked. */
  readonly vdsm?: { readonly answers: boolean; readonly why?: string };
  /** Memory free for a VM, by VDSM. */
  readonly freeMiB?: number;
  readonly ha?: {
    readonly configured: boolean;
    readonly active: boolean;
    readonly score: number;
    readonly localMaintenance: boolean;
    readonly globalMaintenance: boolean;
    readonly source: PlaceSource;
  };
  /** As the engine's web UI words it; undefined where hosted engine is not configured. */
  readonly summary?: string;
  readonly agent: 'bellwether' | 'reference' | 'unknown';
  readonly slot?: SlotLook;
  /** What took points off the score, where it can be told. */
  readonly scoreReasons: readonly string[];
  /** VDSM’s status of the engine VM there. */
  readonly engineVm?: string;
  /** Empty: it could take the engine VM now, or has it. */
  readonly cannotRun: string;
}

export interface CapacityLook {
  /** Any so many hosts may fail now. null: can’t be told. */
  readonly failures: number | null;
  readonly why: readonly string[];
}

export interface ClusterLook {
  readonly version: 1;
  readonly cluster: string;
  /** ISO, the worker's clock. */
  readonly at: string;
  readonly tookMs: number;
  readonly engine: EngineLook;
  readonly engineVm: EngineVmLook;
  readonly hosts: readonly HostLook[];
  /** Slots of hosts that neither engine nor configuration know. */
  readonly strangers: readonly SlotLook[];
  readonly faultySlots: readonly FaultySlot[];
  readonly globalMaintenance: {
    /** null: nobody that answers knows. */
    readonly on: boolean | null;
    readonly source?: PlaceSource;
  };
  readonly capacity: CapacityLook;
  /** Of the HA metadata that is shown; above 0 when it can't be read now. null: never read. */
  readonly metadataAgeSeconds: number | null;
  readonly missing: readonly Missing[];
}

export const AREAS = [
  'front door',
  'temporal',
  'configuration',
  'secrets',
  's3',
  'engine',
  'host',
  'storage',
  'ha metadata',
] as const;

/** One check of an examination. */
export interface Finding {
  readonly area: (typeof AREAS)[number];
  /** What was looked at: `certificate of host2`. */
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly seen: string;
  /** Why it matters. */
  readonly why: string;
  /** Where it is not ok. */
  readonly remedy?: string;
}

export interface Examination {
  readonly version: 1;
  readonly cluster: string;
  readonly at: string;
  readonly tookMs: number;
  readonly findings: readonly Finding[];
}

export interface LookInput {
  readonly cluster: string;
}

/** A backup in S3 that can be restored from. */
export interface ListedBackup {
  /** Of the manifest: what `restore` wants. */
  readonly key: string;
  /** ISO time. */
  readonly takenAt: string;
  /** Workflow id of the operation that took it. */
  readonly operation: string;
  readonly phase: 'before' | 'after' | 'manual';
  readonly items: readonly string[];
  readonly bytes: number;
  /** Names of what it lacks. */
  readonly notTaken: readonly string[];
}

export interface BackupList {
  /** Newest first. */
  readonly backups: readonly ListedBackup[];
  /** Manifests that can't be read: no backup to restore from. */
  readonly damaged: readonly { readonly key: string; readonly why: string }[];
}

/** The newest of them: an answer is kept small. */
export const BACKUPS_LISTED_MAX = 100;

export interface BackupListing extends BackupList {
  readonly version: 1;
  readonly cluster: string;
  /** True: there are more than are listed. */
  readonly more: boolean;
}

/** They only read, but for one test object in S3 that the examination stores and removes. */
export interface LookActivities {
  lookAtCluster(input: LookInput): Promise<ClusterLook>;
  examine(input: LookInput): Promise<Examination>;
  listBackups(input: LookInput): Promise<BackupListing>;
}

export const LOOK_WORKFLOWS = { look: 'lookAtCluster', examine: 'examine', backups: 'listBackups' } as const;

export const lookId = (cluster: string): string => `look/${cluster}`;
export const examineId = (cluster: string): string => `examine/${cluster}`;
export const backupsId = (cluster: string): string => `backups/${cluster}`;
