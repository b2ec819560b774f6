/**
 * The engine's database: plain data, written to a file after each change.
 *
 * Two kinds of time: members documented as *lab time* are lab milliseconds on the engine's own clock (they rule
 * durations and survive a restart); all others are epoch milliseconds of the wall, as people read them.
 * Sizes are bytes unless named otherwise.
 */
import type { HaStats } from '../gateway.ts';

export type DataCenterStatus = 'uninitialized' | 'up' | 'maintenance' | 'not_operational' | 'problematic' | 'contend';

export interface DataCenter {
  readonly id: string;
  name: string;
  description: string;
  comment: string;
  local: boolean;
  status: DataCenterStatus;
  major: number;
  minor: number;
}

export interface Cluster {
  readonly id: string;
  name: string;
  description: string;
  comment: string;
  readonly dataCenterId: string;
  cpuType: string;
  major: number;
  minor: number;
  biosType: string;
  virtService: boolean;
  glusterService: boolean;
}

export interface Network {
  readonly id: string;
  name: string;
  description: string;
  comment: string;
  readonly dataCenterId: string;
  vlan?: number;
  mtu: number;
}

export interface VnicProfile {
  readonly id: string;
  name: string;
  readonly networkId: string;
}

export type HostStatus =
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
  | 'down';

export interface Host {
  readonly id: string;
  name: string;
  address: string;
  port: number;
  /** As it was given when the host was added; else the machine's own. */
  readonly sshPort?: number;
  comment: string;
  clusterId: string;
  status: HostStatus;
  statusDetail: string;
  /** Start of the present status, lab time. */
  since: number;
  spmId: number;
  spm: boolean;
  hardwareUuid: string;
  memoryBytes: number;
  /** Last seen; kept (stale) while the host is not polled. */
  ha?: HaStats;
  /** As the last look for updates found it. */
  updateAvailable?: boolean;
  /** VMs running there at the last poll. */
  vmIds: string[];
  /** Job to end when the installation ends. */
  installJob?: string;
  /** What an installation does after its playbook. */
  plan?: { activate: boolean; reboot: boolean; hostedEngine?: 'deploy' | 'undeploy' };
  maintenanceReason?: string;
}

export type DomainStatus =
  | 'active'
  | 'inactive'
  | 'locked'
  | 'maintenance'
  | 'preparing_for_maintenance'
  | 'detaching'
  | 'activating'
  | 'unknown';

export interface Connection {
  readonly id: string;
  readonly type: 'nfs' | 'glusterfs' | 'posixfs' | 'localfs';
  address: string;
  path: string;
  mountOptions?: string;
  nfsVersion?: string;
}

export interface Domain {
  readonly id: string;
  name: string;
  description: string;
  comment: string;
  readonly type: 'data' | 'iso' | 'export';
  readonly connectionId: string;
  readonly format: string;
  master: boolean;
  totalBytes: number;
  freeBytes: number;
  /** Absent: unattached. */
  attachment?: { readonly dataCenterId: string; status: DomainStatus; correlationId: string };
}

export type ContentType =
  | 'data'
  | 'ovf_store'
  | 'hosted_engine'
  | 'hosted_engine_sanlock'
  | 'hosted_engine_metadata'
  | 'hosted_engine_configuration';

export interface Disk {
  /** Image id: VDSM's imageID. */
  readonly id: string;
  /** Volume id: the API calls it `image_id`. */
  readonly volumeId: string;
  name: string;
  description: string;
  readonly domainId: string;
  provisionedSize: number;
  actualSize: number;
  readonly format: 'raw' | 'cow';
  readonly sparse: boolean;
  status: 'ok' | 'locked' | 'illegal';
  readonly contentType: ContentType;
  shareable: boolean;
  wipeAfterDelete: boolean;
}

export interface DiskAttachment {
  readonly diskId: string;
  interface: 'virtio' | 'virtio_scsi' | 'ide' | 'sata';
  bootable: boolean;
  active: boolean;
  readOnly: boolean;
  /** Device address as the OVF's map text; empty: not yet known. */
  address: string;
}

export interface Nic {
  readonly id: string;
  name: string;
  profileId?: string;
  /** Name of the network as the OVF carries it. */
  network: string;
  interface: string;
  mac: string;
  linked: boolean;
  plugged: boolean;
  address: string;
}

export type VmStatus =
  | 'down'
  | 'up'
  | 'powering_up'
  | 'powering_down'
  | 'paused'
  | 'migrating'
  | 'unknown'
  | 'not_responding'
  | 'wait_for_launch'
  | 'reboot_in_progress'
  | 'saving_state'
  | 'restoring_state'
  | 'suspended'
  | 'image_locked';

/** Members of a hardware item, or of its SpecParams, as they lay in the OVF. */
export type OvfItem = Record<string, string | Record<string, string>>;

export interface Vm {
  readonly id: string;
  name: string;
  description: string;
  comment: string;
  status: VmStatus;
  origin: string;
  deleteProtected: boolean;
  memoryMb: number;
  maxMemoryMb: number;
  guaranteedMb: number;
  ballooning: boolean;
  sockets: number;
  cores: number;
  threads: number;
  maxVcpus: number;
  ioThreads: number;
  clusterId: string;
  hostId?: string;
  biosType: string;
  osType: string;
  display: 'vnc' | 'spice';
  type: 'desktop' | 'server' | 'high_performance';
  highlyAvailable: boolean;
  priority: number;
  stateless: boolean;
  timeZone: string;
  cpuModel: string;
  emulatedMachine: string;
  migration: 'migratable' | 'user_migratable' | 'pinned';
  createdAt: number;
  startedAt?: number;
  generation: number;
  attachments: DiskAttachment[];
  nics: Nic[];
  /** Plain members of the OVF's Content which the engine only keeps. */
  ovfExtras: Record<string, string>;
  /** Hardware items other than processor, memory, disks and NICs. */
  ovfItems: OvfItem[];
  /** The VM's OVF as last generated: `initialization.configuration`. */
  ovf: string;
}

/** A VM found in a domain's OVF_STORE and not imported. */
export interface UnregisteredVm {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly ovf: string;
}

export type JobStatus = 'started' | 'finished' | 'failed' | 'aborted' | 'unknown';

export interface Step {
  readonly id: string;
  description: string;
  readonly type: string;
  readonly number: number;
  status: JobStatus;
  startTime: number;
  endTime?: number;
  readonly parentId?: string;
  readonly external: boolean;
}

export interface Job {
  readonly id: string;
  description: string;
  status: JobStatus;
  startTime: number;
  lastUpdated: number;
  endTime?: number;
  /** Lab time of the end: rules when the job vanishes. */
  endedAt?: number;
  readonly correlationId: string;
  readonly owner: string;
  readonly external: boolean;
  readonly autoCleared: boolean;
  steps: Step[];
}

export type Severity = 'normal' | 'warning' | 'error' | 'alert';

export interface EngineEvent {
  readonly index: number;
  readonly code: number;
  readonly severity: Severity;
  readonly time: number;
  readonly description: string;
  readonly correlationId?: string;
  readonly origin: string;
  readonly customId: number;
  readonly hostId?: string;
  readonly vmId?: string;
  readonly clusterId?: string;
  readonly dataCenterId?: string;
  readonly domainId?: string;
  readonly templateId?: string;
  readonly userId?: string;
}

/** Something that happens by itself at a lab time; kept in the database so that a restart does not lose it. */
export type Timer = { readonly at: number } & (
  | { readonly what: 'host'; readonly hostId: string; readonly to: 'installed' | 'booted' | 'updated' }
  | { readonly what: 'disk'; readonly diskId: string; readonly jobId: string }
);

/** HA state of hosts that exist only in the engine's imagination (added by address, no VDSM behind them). */
export interface ImaginaryHost {
  readonly hostId: string;
  configured: boolean;
  /** Lab time from which the score is above zero. */
  activeFrom: number;
  localMaintenance: boolean;
}

export interface EngineState {
  readonly version: 1;
  readonly instanceId: string;
  /** Latest lab time written, so that the engine's clock goes on after a restart. */
  clock: number;
  readonly user: { readonly id: string; readonly name: string };
  dataCenters: DataCenter[];
  clusters: Cluster[];
  networks: Network[];
  profiles: VnicProfile[];
  hosts: Host[];
  connections: Connection[];
  domains: Domain[];
  disks: Disk[];
  vms: Vm[];
  unregistered: UnregisteredVm[];
  jobs: Job[];
  events: EngineEvent[];
  timers: Timer[];
  imaginary: ImaginaryHost[];
}
