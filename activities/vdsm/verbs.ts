/**
 * The verbs Bellwether needs: parameters (encoded for the wire here), result, and whether they are slow.
 *
 * VDSM checks parameters hardly at all (vdsm.md 4), so the types do: enumerations travel as integers although the
 * schema names strings, sizes as decimal strings, and required ones nobody uses are filled in.
 */
import { z } from 'zod';
import * as shape from './shapes.ts';

/** Stands for "no pool", "no image", "no parent". */
export const BLANK_UUID = '00000000-0000-0000-0000-000000000000';

const DOMAIN_TYPE = { NFS: 1, FCP: 2, ISCSI: 3, LOCALFS: 4, CIFS: 5, POSIXFS: 6, GLUSTERFS: 7 } as const;
const DOMAIN_CLASS = { Data: 1, Iso: 2, Backup: 3 } as const;
const VOLUME_FORMAT = { COW: 4, RAW: 5 } as const;
const ALLOCATION = { PREALLOCATED: 1, SPARSE: 2 } as const;

export type DomainType = keyof typeof DOMAIN_TYPE;
export type DiskType = 'DATA' | 'OVFS' | 'HEVD' | 'HESD' | 'HEMD' | 'HECI';

/** One storage connection. The secret must stay under `password`: VDSM masks exactly this key in its log. */
export interface StorageConnection {
  readonly id: string;
  /** `server:/export`, or the address for iSCSI. A trailing slash is removed: VDSM would mount it a second time. */
  readonly connection: string;
  readonly user?: string;
  readonly password?: string;
  readonly port?: string;
  readonly iqn?: string;
  readonly tpgt?: string;
  readonly vfs_type?: string;
  readonly mnt_options?: string;
  /** NFS: `auto` negotiates; VDSM's default is 3. */
  readonly protocol_version?: string;
}

export interface StorageServerParams {
  readonly domainType: DomainType;
  /** Never empty: VDSM refuses that with 1000. */
  readonly connectionParams: readonly [StorageConnection, ...StorageConnection[]];
}

export interface ImageIds {
  readonly storagepoolID: string;
  readonly storagedomainID: string;
  readonly imageID: string;
}

export interface VolumeIds extends ImageIds {
  readonly volumeID: string;
}

/** postZero overwrites the data first; both default to false, though VDSM requires them. */
interface DeleteParams {
  readonly postZero?: boolean;
  readonly force?: boolean;
}

export interface VolumeCreateParams extends VolumeIds {
  /** Bytes; a decimal string on the wire. */
  readonly size: bigint | number;
  readonly volFormat: keyof typeof VOLUME_FORMAT;
  readonly preallocate: keyof typeof ALLOCATION;
  readonly diskType: DiskType;
  readonly desc: string;
  readonly srcImgUUID?: string;
  readonly srcVolUUID?: string;
}

export interface DomainCreateParams {
  readonly storagedomainID: string;
  readonly domainType: DomainType;
  /** `server:/export` for file types, the volume group's UUID for block types. */
  readonly typeArgs: string;
  readonly name: string;
  readonly domainClass: keyof typeof DOMAIN_CLASS;
  readonly version: number;
  readonly blockSize?: number;
  readonly maxHosts?: number;
}

export interface PoolCreateParams {
  readonly storagepoolID: string;
  readonly name: string;
  readonly masterSdUUID: string;
  readonly masterVersion: number;
  readonly domainList: readonly string[];
}

export interface PoolConnectParams {
  readonly storagepoolID: string;
  readonly hostID: number;
  readonly masterSdUUID: string;
  readonly masterVersion: number;
  readonly domainDict: Readonly<Record<string, 'active' | 'attached'>>;
}

export interface SpmStartParams {
  readonly storagepoolID: string;
  readonly prevID?: number;
  readonly prevLver?: number;
  readonly maxHostID?: number;
  readonly domVersion?: number;
}

export interface ImageTicket {
  readonly uuid: string;
  /** Bytes of the image. */
  readonly size: number;
  readonly url: string;
  /** Seconds. */
  readonly timeout: number;
  readonly ops: readonly ('read' | 'write')[];
}

interface MigrateParams {
  readonly vmID: string;
  readonly params: { readonly dst: string; readonly method: 'online' } & Readonly<Record<string, unknown>>;
}

interface ShutdownParams {
  readonly vmID: string;
  readonly delay?: number;
  readonly message?: string;
  readonly reboot?: boolean;
  readonly timeout?: number;
  readonly force?: boolean;
}

type Vm = { readonly vmID: string };
type TaskId = { readonly taskID: string };
type Pool = { readonly storagepoolID: string };
type Domain = { readonly storagedomainID: string };
type DomainInPool = Domain & Pool;
type DomainOut = DomainInPool & { readonly masterSdUUID: string; readonly masterVersion: number };
type Lease = { readonly lease: { readonly sd_id: string; readonly lease_id: string } };

/** @throws RangeError for what can't be a size: a defect of the caller. */
function decimal(size: bigint | number): string {
  const bytes = BigInt(size);
  if (bytes <= 0n) throw new RangeError(`a volume of ${bytes} bytes`);
  return bytes.toString();
}

function encodeServer(params: StorageServerParams): object {
  const connectionParams = params.connectionParams.map((one) => ({
    ...one,
    connection: one.connection.replace(/([^:/])\/+$/, '$1'),
  }));
  // The pool is a relic: required, never read.
  return { storagepoolID: BLANK_UUID, domainType: DOMAIN_TYPE[params.domainType], connectionParams };
}

interface VerbSpec<Params, Result> {
  encode(params: Params): object;
  /** @throws z.ZodError */
  decode(raw: unknown): Result;
  /** May take minutes: gets the long time-out. */
  readonly slow: boolean;
}

function verb<Schema extends z.ZodType, Params extends object>(
  result: Schema,
  encode: (params: Params) => object,
  slow = false,
): VerbSpec<Params, z.output<Schema>> {
  return { encode, decode: (raw) => result.parse(raw), slow };
}

/** Parameters that travel as they are. */
function as<Params extends object>(): (params: Params) => Params {
  return (params) => params;
}

/** Of a pool's leases; the engine's own settings. Required, though sanlock has times of its own. */
const LEASE_TIMES = { lockRenewalIntervalSec: 5, leaseTimeSec: 60, ioOpTimeoutSec: 10, leaseRetries: 3 };

const none = as<Record<string, never>>();
const SLOW = true;

const verbs = {
  /** Liveness; Host.ping would also confirm a pending network change. */
  'Host.ping2': verb(shape.done, none),
  'Host.getCapabilities': verb(shape.capabilities, none, SLOW),
  'Host.getStats': verb(shape.hostStats, none),
  'Host.getHardwareInfo': verb(shape.hardwareInfo, none),
  'Host.setHaMaintenanceMode': verb(
    shape.done,
    as<{ readonly mode: 'GLOBAL' | 'LOCAL'; readonly enabled: boolean }>(),
    SLOW,
  ),
  /** `vmList` filters; the two flags of the documentation are ignored by VDSM and left out here. */
  'Host.getVMList': verb(z.array(shape.vmShort), as<{ readonly vmList?: readonly string[] }>()),
  'Host.getAllVmStats': verb(z.array(shape.vmStats), none),
  /** An unmonitored domain is absent from the answer. */
  'Host.getStorageRepoStats': verb(shape.repoStats, as<{ readonly domains?: readonly string[] }>()),
  /** Done at once; the host id is acquired minutes later, see getStorageRepoStats. */
  'Host.startMonitoringDomain': verb(shape.done, as<{ readonly sdUUID: string; readonly hostID: number }>()),
  'Host.stopMonitoringDomain': verb(shape.done, as<{ readonly sdUUID: string }>(), SLOW),
  /** Rescans the storage. Without a pool: all that the host sees. */
  'Host.getStorageDomains': verb(shape.ids, as<{ readonly storagepoolID?: string }>(), SLOW),
  'Host.getConnectedStoragePools': verb(shape.ids, none),
  /** Of the SPM; 654 on any other host. */
  'Host.getAllTasksStatuses': verb(z.record(z.string(), shape.taskStatus), none),

  /** Lets ovirt-imageio on the host hand out a prepared image's bytes; the URL is `file://` and its path. */
  'Host.add_image_ticket': verb(shape.done, as<{ readonly ticket: ImageTicket }>()),
  'Host.remove_image_ticket': verb(shape.done, as<{ readonly uuid: string }>()),

  /** The VM's id is the one in the XML. Success means "starting": the boot's outcome comes with the status. */
  'VM.create': verb(shape.vmShort, as<Vm & { readonly vmParams: { readonly xml: string } }>(), SLOW),
  'VM.getStats': verb(shape.oneVmStats, as<Vm>()),
  'VM.shutdown': verb(shape.done, as<ShutdownParams>()),
  'VM.destroy': verb(shape.done, as<Vm & { readonly gracefulAttempts?: number }>(), SLOW),
  'VM.migrate': verb(shape.done, as<MigrateParams>(), SLOW),

  'Task.getStatus': verb(shape.taskStatus, as<TaskId>()),
  'Task.getInfo': verb(shape.taskInfo, as<TaskId>()),
  'Task.clear': verb(shape.done, as<TaskId>()),
  'Task.stop': verb(shape.done, as<TaskId>()),
  'Task.revert': verb(shape.done, as<TaskId>()),

  'StoragePool.getInfo': verb(shape.poolInfo, as<Pool>(), SLOW),
  'StoragePool.getSpmStatus': verb(shape.spmStatus, as<Pool>()),
  /** On a host that has the master mounted; it is not connected by it. */
  'StoragePool.create': verb(shape.done, (p: PoolCreateParams) => ({ ...LEASE_TIMES, ...p }), SLOW),
  'StoragePool.connect': verb(shape.done, (p: PoolConnectParams) => ({ ...p, scsiKey: p.storagepoolID }), SLOW),
  /** Done also when the host is not connected; refused while it is SPM. */
  'StoragePool.disconnect': verb(
    shape.done,
    (p: Pool & { readonly hostID: number }) => ({ ...p, scsiKey: p.storagepoolID, remove: false }),
    SLOW,
  ),
  /** Detaches every domain, and disconnects the host; refused while it is SPM. */
  'StoragePool.destroy': verb(
    shape.done,
    (p: Pool & { readonly hostID: number }) => ({ ...p, scsiKey: p.storagepoolID }),
    SLOW,
  ),
  /** Does not wait for tasks of the SPM: the caller must. Done also when the host is not SPM. */
  'StoragePool.spmStop': verb(shape.done, as<Pool>(), SLOW),
  'StoragePool.connectStorageServer': verb(shape.connectionStatuses, encodeServer, SLOW),
  'StoragePool.disconnectStorageServer': verb(shape.connectionStatuses, encodeServer, SLOW),
  /** Answers a task id. */
  'StoragePool.spmStart': verb(
    z.string(),
    (p: SpmStartParams) => ({ prevID: -1, prevLver: -1, maxHostID: 250, enableScsiFencing: 'false', ...p }),
    SLOW,
  ),

  'StorageDomain.getInfo': verb(shape.domainInfo, as<Domain>(), SLOW),
  /** Refreshes the domain and its links as a side effect. */
  'StorageDomain.getStats': verb(shape.domainStats, as<Domain>(), SLOW),
  'StorageDomain.getImages': verb(shape.ids, as<Domain>(), SLOW),
  'StorageDomain.getVolumes': verb(shape.ids, as<DomainInPool & { readonly imageID: string }>(), SLOW),
  'StorageDomain.create': verb(
    shape.done,
    (p: DomainCreateParams) => ({
      ...p,
      domainType: DOMAIN_TYPE[p.domainType],
      domainClass: DOMAIN_CLASS[p.domainClass],
    }),
    SLOW,
  ),
  /** Removes the domain with all that lies on it. Refused while it is attached. */
  'StorageDomain.format': verb(shape.done, (p: Domain) => ({ ...p, autoDetach: false }), SLOW),
  'StorageDomain.attach': verb(shape.done, as<DomainInPool>(), SLOW),
  'StorageDomain.activate': verb(shape.done, as<DomainInPool>(), SLOW),
  'StorageDomain.deactivate': verb(shape.done, as<DomainOut>(), SLOW),
  'StorageDomain.detach': verb(shape.done, as<DomainOut & { readonly force?: boolean }>(), SLOW),

  'Image.prepare': verb(shape.preparedImage, as<VolumeIds & { readonly allowIllegal?: boolean }>(), SLOW),
  /** All volumes of the image. On the SPM; answers a task id. */
  'Image.delete': verb(z.string(), (p: ImageIds & DeleteParams) => ({ postZero: false, force: false, ...p }), SLOW),
  /** No reference count: it takes the path from every user of the image on this host. */
  'Image.teardown': verb(shape.done, as<VolumeIds>(), SLOW),

  /** On the SPM; answers a task id. The caller chooses the ids, so that repeating with the same ones gives 212. */
  'Volume.create': verb(
    z.string(),
    (p: VolumeCreateParams) => ({
      srcImgUUID: BLANK_UUID,
      srcVolUUID: BLANK_UUID,
      ...p,
      size: decimal(p.size),
      volFormat: VOLUME_FORMAT[p.volFormat],
      preallocate: ALLOCATION[p.preallocate],
    }),
    SLOW,
  ),
  /** On the SPM; answers a task id. Grows a file volume's file too, to the same size nothing is done. */
  'Volume.extendSize': verb(
    z.string(),
    ({ newSize, ...p }: VolumeIds & { readonly newSize: bigint | number }) => ({ ...p, newSize: decimal(newSize) }),
    SLOW,
  ),
  'Volume.getInfo': verb(shape.volumeInfo, as<VolumeIds>()),
  'Volume.getSize': verb(shape.volumeSize, as<VolumeIds>()),
  /** JSON descriptions must stay below about 175 bytes. */
  'Volume.setDescription': verb(shape.done, as<VolumeIds & { readonly description: string }>(), SLOW),
  /** On the SPM; answers a task id. */
  'Volume.delete': verb(z.string(), (p: VolumeIds & DeleteParams) => ({ postZero: false, force: false, ...p }), SLOW),

  'Lease.info': verb(shape.leaseInfo, as<Lease>()),
  'Lease.status': verb(shape.leaseStatus, as<Lease>()),
};

type ParamsOf<Spec> = Spec extends VerbSpec<infer Params, infer _Result> ? Params : never;
type ResultOf<Spec> = Spec extends VerbSpec<infer _Params, infer Result> ? Result : never;

/** Parameters and result of each verb by its name on the wire. */
export type VdsmVerbs = {
  readonly [V in keyof typeof verbs]: {
    readonly params: ParamsOf<(typeof verbs)[V]>;
    readonly result: ResultOf<(typeof verbs)[V]>;
  };
};

export type VerbName = keyof VdsmVerbs;

/** Typed by the map above, so that a generic verb name keeps parameters and result together. */
export const VERBS: { readonly [V in VerbName]: VerbSpec<VdsmVerbs[V]['params'], VdsmVerbs[V]['result']> } = verbs;
