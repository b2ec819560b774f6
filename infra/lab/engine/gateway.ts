/**
 * What the lab's engine needs of its hosts: a narrow door, so that the engine's rules can be tried without hosts.
 *
 * Every method may reject; the engine turns a rejection into the status, event or fault that a real one shows.
 */

export interface HostRef {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly spmId: number;
}

/** `haStats` of Host.getStats (vdsm.md 7). */
export interface HaStats {
  readonly configured: boolean;
  readonly active: boolean;
  readonly score: number;
  readonly globalMaintenance: boolean;
  readonly localMaintenance: boolean;
}

export interface HostStats {
  readonly ha: HaStats;
  /** The host is storage pool manager now. */
  readonly spm: boolean;
  readonly memoryBytes: number;
  readonly vms: readonly { readonly id: string; readonly status: string }[];
}

export interface StorageConnection {
  readonly id: string;
  readonly type: 'nfs' | 'glusterfs' | 'posixfs' | 'localfs';
  readonly address: string;
  readonly path: string;
}

export interface FoundDomain {
  readonly id: string;
  readonly name: string;
  /** Storage format: `v1` to `v5`. */
  readonly format: string;
  /** Pools the domain believes to be attached to. */
  readonly pools: readonly string[];
}

/** One volume as Volume.getInfo tells it, sizes in bytes. */
export interface VolumeFacts {
  readonly image: string;
  readonly volume: string;
  readonly capacity: number;
  readonly actualSize: number;
  readonly format: 'raw' | 'cow';
  readonly sparse: boolean;
  /** Four letter tag: DATA, OVFS, HEVD, HESD, HEMD, HECI... */
  readonly diskType: string;
  readonly description: string;
  readonly legal: boolean;
}

/** One OVF_STORE copy; `entries` is empty when it never was written or cannot be trusted. */
export interface OvfStore {
  readonly image: string;
  readonly volume: string;
  readonly updated: boolean;
  /** Epoch milliseconds of `Last Updated`; 0 when never. */
  readonly lastUpdated: number;
  readonly entries: readonly TarEntry[];
}

export interface TarEntry {
  readonly name: string;
  readonly text: string;
}

export interface HostGateway {
  hostStats(host: HostRef): Promise<HostStats>;
  setHaMaintenance(host: HostRef, mode: 'GLOBAL' | 'LOCAL', enabled: boolean): Promise<void>;
  /** What host deployment does on the host for the hosted engine (engine.md 11.2). */
  deployHostedEngine(host: HostRef, action: 'deploy' | 'undeploy'): Promise<void>;
  /** What the administrator added to the deployment of hosts. */
  afterHostDeploy(host: HostRef): Promise<void>;
  /** What the check role finds over SSH. */
  updatesOffered(host: HostRef): Promise<boolean>;
  installUpdates(host: HostRef): Promise<void>;
  /** Answers when the host has taken the order, not when it is back. */
  reboot(host: HostRef): Promise<void>;
  /** Resolves when the VM runs on the other host, and forgotten by the first. */
  migrateVm(vmId: string, from: HostRef, to: HostRef): Promise<void>;
  connectStorage(host: HostRef, connection: StorageConnection): Promise<void>;
  /** Makes another host the pool's SPM. */
  moveSpm(from: HostRef, to: HostRef, poolId: string): Promise<void>;
  /** The data center's pool on its first domain; the host is connected to it and its SPM. */
  createPool(host: HostRef, poolId: string, domainId: string): Promise<void>;
  disconnectStorage(host: HostRef, connection: StorageConnection): Promise<void>;
  /** Domains that lie on a connected server path. */
  listDomains(host: HostRef, connection: StorageConnection): Promise<readonly FoundDomain[]>;
  createDomain(
    host: HostRef,
    connection: StorageConnection,
    domain: { id: string; name: string; format: string },
  ): Promise<void>;
  domainStats(host: HostRef, domainId: string): Promise<{ readonly total: number; readonly free: number }>;
  attachDomain(host: HostRef, poolId: string, domainId: string): Promise<void>;
  activateDomain(host: HostRef, poolId: string, domainId: string): Promise<void>;
  deactivateDomain(host: HostRef, poolId: string, domainId: string): Promise<void>;
  detachDomain(host: HostRef, poolId: string, domainId: string): Promise<void>;
  formatDomain(host: HostRef, connection: StorageConnection, domainId: string): Promise<void>;
  listVolumes(host: HostRef, poolId: string, domainId: string): Promise<readonly VolumeFacts[]>;
  readOvfStores(host: HostRef, poolId: string, domainId: string): Promise<readonly OvfStore[]>;
  /** Writes the entries to every copy, the older one first; rejects when there is no copy. */
  writeOvfStores(host: HostRef, poolId: string, domainId: string, entries: readonly TarEntry[]): Promise<void>;
  createVolume(host: HostRef, poolId: string, domainId: string, volume: NewVolume): Promise<void>;
  deleteImage(host: HostRef, poolId: string, domainId: string, image: string): Promise<void>;
  close(): Promise<void>;
}

export interface NewVolume {
  readonly image: string;
  readonly volume: string;
  readonly capacity: number;
  readonly format: 'raw' | 'cow';
  readonly sparse: boolean;
  readonly diskType: string;
  readonly description: string;
}
