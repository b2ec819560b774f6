/**
 * The engine's objects as the rest of Bellwether sees them: exact, without links, units in the names.
 *
 * A status is a word of the engine's list (engine.md 9) or one we do not know: kept as it came, because a wait that
 * reads an unknown status as "nothing" never ends.
 */

/** Known words are offered, unknown ones are possible. */
export type Word<Known extends string> = Known | (string & Record<never, never>);

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** What `GET /ovirt-engine/api` says about the engine itself. */
export interface EngineInfo {
  /** `4.5.6-1.el9`, or as much of it as the engine tells. */
  readonly fullVersion: string;
  readonly instanceId: string | undefined;
}

export interface Health {
  readonly healthy: boolean;
  readonly status: number;
  /** The page's text, cut; on failure usually `DB Down!` or the web server's own page. */
  readonly text: string;
}

export type DataCenterStatus = Word<
  'uninitialized' | 'up' | 'maintenance' | 'not_operational' | 'problematic' | 'contend'
>;

export interface DataCenter {
  readonly id: string;
  readonly name: string;
  readonly status: DataCenterStatus;
  readonly local: boolean;
  readonly version: Version | undefined;
}

export interface Cluster {
  readonly id: string;
  readonly name: string;
  readonly dataCenterId: string | undefined;
  readonly cpuType: string | undefined;
  readonly cpuArchitecture: string | undefined;
  /** The compatibility version. */
  readonly version: Version;
  readonly biosType: string | undefined;
}

export type HostStatus = Word<
  | 'installing'
  | 'install_failed'
  | 'reboot'
  | 'initializing'
  | 'connecting'
  | 'unassigned'
  | 'up'
  | 'non_operational'
  | 'non_responsive'
  | 'preparing_for_maintenance'
  | 'maintenance'
  | 'down'
  | 'error'
  | 'kdumping'
  | 'installing_os'
  | 'pending_approval'
>;

/** Present only while VDSM says that HA is configured; stale while the host is not polled (engine.md 11.3). */
export interface HostedEngineState {
  readonly configured: boolean;
  readonly active: boolean;
  /** 0 to 3400. */
  readonly score: number;
  readonly globalMaintenance: boolean;
  readonly localMaintenance: boolean;
}

/** How the engine gets into the host, and the host key that it knows of it. */
export interface HostSsh {
  readonly port: number | undefined;
  readonly fingerprint: string | undefined;
  /** Newer engines only. */
  readonly publicKey: string | undefined;
}

export interface Host {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number | undefined;
  readonly status: HostStatus;
  /** The reason of `non_operational`, or the text given with maintenance. */
  readonly statusDetail: string | undefined;
  readonly clusterId: string | undefined;
  readonly spmStatus: string | undefined;
  /** What the engine's last look for updates found; it looks once a day and at `checkHostForUpdate`. */
  readonly updateAvailable: boolean;
  /** Undefined without `allContent`, or when HA is not configured. */
  readonly hostedEngine: HostedEngineState | undefined;
  readonly ssh?: HostSsh | undefined;
}

export type StorageDomainStatus = Word<
  | 'active'
  | 'inactive'
  | 'locked'
  | 'mixed'
  | 'unattached'
  | 'maintenance'
  | 'preparing_for_maintenance'
  | 'detaching'
  | 'activating'
  | 'unknown'
>;

export interface StorageConnection {
  readonly type: string;
  readonly address: string | undefined;
  readonly path: string | undefined;
  readonly nfsVersion: string | undefined;
  readonly mountOptions: string | undefined;
  readonly vfsType: string | undefined;
}

export interface StorageDomain {
  readonly id: string;
  readonly name: string;
  readonly type: Word<'data' | 'iso' | 'export' | 'image' | 'managed_block_storage'>;
  /** Real only when asked for below a data center; elsewhere `unattached` or undefined (engine.md 8.3). */
  readonly status: StorageDomainStatus | undefined;
  readonly externalStatus: string | undefined;
  readonly master: boolean;
  readonly storage: StorageConnection;
  readonly availableBytes: number | undefined;
  readonly usedBytes: number | undefined;
  readonly format: string | undefined;
  readonly dataCenterIds: readonly string[];
}

export type VmStatus = Word<
  | 'unassigned'
  | 'down'
  | 'up'
  | 'powering_up'
  | 'paused'
  | 'migrating'
  | 'unknown'
  | 'not_responding'
  | 'wait_for_launch'
  | 'reboot_in_progress'
  | 'saving_state'
  | 'restoring_state'
  | 'suspended'
  | 'image_locked'
  | 'powering_down'
>;

export interface Vm {
  readonly id: string;
  readonly name: string;
  readonly status: VmStatus;
  /** `managed_hosted_engine` once imported, `hosted_engine` while still unmanaged. */
  readonly origin: Word<'managed_hosted_engine' | 'hosted_engine' | 'external' | 'ovirt' | 'rhev'> | undefined;
  readonly deleteProtected: boolean;
  readonly description: string;
  readonly comment: string;
  readonly memoryBytes: number | undefined;
  readonly memoryGuaranteedBytes: number | undefined;
  readonly memoryMaxBytes: number | undefined;
  readonly cpu: { readonly sockets: number; readonly cores: number; readonly threads: number } | undefined;
  readonly biosType: string | undefined;
  readonly osType: string | undefined;
  readonly type: string | undefined;
  readonly fqdn: string | undefined;
  readonly highlyAvailable: boolean;
  readonly clusterId: string | undefined;
  /** Where it runs. */
  readonly hostId: string | undefined;
  readonly nextRunConfigurationExists: boolean;
  /** `initialization.configuration.data`; only with `allContent`. */
  readonly ovf: string | undefined;
}

/** A VM that lies on a storage domain, not known to the engine as its own. */
export interface UnregisteredVm {
  readonly id: string;
  readonly name: string;
  readonly ovf: string | undefined;
}

export interface Disk {
  /** VDSM's image id. */
  readonly id: string;
  /** VDSM's *volume* id, in spite of its name in the API (engine.md 8.4). */
  readonly volumeId: string | undefined;
  readonly name: string;
  readonly description: string;
  readonly status: Word<'ok' | 'locked' | 'illegal'> | undefined;
  readonly contentType: string;
  readonly format: Word<'raw' | 'cow'> | undefined;
  readonly sparse: boolean;
  readonly provisionedBytes: number | undefined;
  readonly actualBytes: number | undefined;
  readonly storageDomainIds: readonly string[];
}

export interface DiskAttachment {
  readonly diskId: string;
  readonly bootable: boolean;
  readonly active: boolean;
  readonly interface: string | undefined;
}

export interface Nic {
  readonly id: string;
  readonly name: string;
  readonly mac: string | undefined;
  readonly interface: string | undefined;
  readonly plugged: boolean;
  readonly linked: boolean;
  readonly vnicProfileId: string | undefined;
}

export interface VnicProfile {
  readonly id: string;
  readonly name: string;
}

/** Finished jobs vanish after 10 minutes, failed ones after 60: a job that is gone has ended, nothing more is known. */
export interface Job {
  readonly id: string;
  readonly description: string;
  readonly status: Word<'started' | 'finished' | 'failed' | 'aborted' | 'unknown'>;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly correlationId: string | undefined;
}

export interface Reference {
  readonly id: string;
  readonly name: string | undefined;
}

export interface EngineEvent {
  readonly id: string;
  /** Grows with each event; `from` of `events()` counts in it. */
  readonly index: number;
  /** Match on this, never on the text (engine.md 18). */
  readonly code: number;
  readonly severity: Word<'normal' | 'warning' | 'error' | 'alert'>;
  readonly timeMs: number | undefined;
  readonly description: string;
  readonly correlationId: string | undefined;
  readonly host: Reference | undefined;
  readonly vm: Reference | undefined;
  readonly storageDomain: Reference | undefined;
  readonly dataCenter: Reference | undefined;
}
