/**
 * From the engine's JSON to exact types (engine.md 6). Numbers and booleans come as strings from a real engine, and
 * bare from its documentation's examples: both are read. An empty list is `{}`, an absent one too.
 */
import { z } from 'zod';
import type {
  Cluster,
  DataCenter,
  Disk,
  DiskAttachment,
  EngineEvent,
  EngineInfo,
  Host,
  HostedEngineState,
  Job,
  Nic,
  VnicProfile,
  Reference,
  StorageDomain,
  UnregisteredVm,
  Version,
  Vm,
} from './types.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Text, whatever scalar it came as. */
const text = scalar.transform(String);

const TRUE = new Set(['true', '1']);
const FALSE = new Set(['false', '0']);
const flag = scalar.transform((value, context) => {
  const word = String(value).toLowerCase();
  if (TRUE.has(word)) return true;
  if (!FALSE.has(word)) context.issues.push({ code: 'custom', message: 'no boolean', input: value });
  return false;
});

const whole = z.union([z.string(), z.number()]).transform((value, context) => {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isSafeInteger(number)) return number;
  context.issues.push({ code: 'custom', message: 'no whole number', input: value });
  return 0;
});

/** Milliseconds of the epoch, from such a number or from ISO text. */
const timeMs = z.union([z.string(), z.number()]).transform((value, context) => {
  const ms = typeof value === 'number' || /^-?\d+$/.test(value) ? Number(value) : Date.parse(value);
  if (Number.isFinite(ms)) return Math.round(ms);
  context.issues.push({ code: 'custom', message: 'no time', input: value });
  return 0;
});

/** null is absent: serialisers differ. */
function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

function flagOr(fallback: boolean) {
  return maybe(flag).transform((value) => value ?? fallback);
}

/** `{"host": [...]}`; `{}` and nothing are empty, a lone object is a list of one. */
function listOf<T extends z.ZodType>(key: string, item: T) {
  const items = z.preprocess(
    (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]),
    z.array(item),
  );
  return z
    .preprocess((value) => value ?? {}, z.looseObject({}))
    .transform((body) => body[key])
    .pipe(items);
}

const link = z.object({ id: text });
const linkId = maybe(link).transform((value) => value?.id);
const reference = maybe(z.object({ id: text, name: maybe(text) })) satisfies z.ZodType<Reference | undefined>;
const versionShape = z.object({ major: whole, minor: whole }) satisfies z.ZodType<Version>;
const version = maybe(versionShape);

export const engineInfo = z
  .object({
    product_info: z.object({
      instance_id: maybe(text),
      version: z.object({ full_version: maybe(text), major: maybe(text), minor: maybe(text) }),
    }),
  })
  .transform(({ product_info: info }) => ({
    fullVersion: info.version.full_version ?? `${info.version.major ?? '?'}.${info.version.minor ?? '?'}`,
    instanceId: info.instance_id,
  })) satisfies z.ZodType<EngineInfo>;

export const dataCenter = z
  .object({ id: text, name: text, status: maybe(text), local: flagOr(false), version })
  .transform((dc) => ({ ...dc, status: dc.status ?? 'unknown' })) satisfies z.ZodType<DataCenter>;
export const dataCenterList = listOf('data_center', dataCenter);

export const cluster = z
  .object({
    id: text,
    name: text,
    data_center: linkId,
    cpu: maybe(z.object({ type: maybe(text), architecture: maybe(text) })),
    version: versionShape,
    bios_type: maybe(text),
  })
  .transform((one) => ({
    id: one.id,
    name: one.name,
    dataCenterId: one.data_center,
    cpuType: one.cpu?.type,
    cpuArchitecture: one.cpu?.architecture,
    version: one.version,
    biosType: one.bios_type,
  })) satisfies z.ZodType<Cluster>;
export const clusterList = listOf('cluster', cluster);

const hostedEngine = z
  .object({
    configured: flagOr(false),
    active: flagOr(false),
    score: maybe(whole),
    global_maintenance: flagOr(false),
    local_maintenance: flagOr(false),
  })
  .transform((he) => ({
    configured: he.configured,
    active: he.active,
    score: he.score ?? 0,
    globalMaintenance: he.global_maintenance,
    localMaintenance: he.local_maintenance,
  })) satisfies z.ZodType<HostedEngineState>;

export const host = z
  .object({
    id: text,
    name: text,
    address: maybe(text),
    port: maybe(whole),
    status: maybe(text),
    status_detail: maybe(text),
    cluster: linkId,
    spm: maybe(z.object({ status: maybe(text) })),
    update_available: flagOr(false),
    hosted_engine: maybe(hostedEngine),
    ssh: maybe(z.object({ port: maybe(whole), fingerprint: maybe(text), public_key: maybe(text) })),
  })
  .transform((one) => ({
    id: one.id,
    name: one.name,
    address: one.address ?? '',
    port: one.port,
    status: one.status ?? 'unknown',
    statusDetail: one.status_detail,
    clusterId: one.cluster,
    spmStatus: one.spm?.status,
    updateAvailable: one.update_available,
    hostedEngine: one.hosted_engine,
    ssh: one.ssh && { port: one.ssh.port, fingerprint: one.ssh.fingerprint, publicKey: one.ssh.public_key },
  })) satisfies z.ZodType<Host>;
export const hostList = listOf('host', host);

const storage = maybe(
  z.object({
    type: maybe(text),
    address: maybe(text),
    path: maybe(text),
    nfs_version: maybe(text),
    mount_options: maybe(text),
    vfs_type: maybe(text),
  }),
).transform((one) => ({
  type: one?.type ?? 'unknown',
  address: one?.address,
  path: one?.path,
  nfsVersion: one?.nfs_version,
  mountOptions: one?.mount_options,
  vfsType: one?.vfs_type,
}));

export const storageDomain = z
  .object({
    id: text,
    name: maybe(text),
    type: maybe(text),
    status: maybe(text),
    external_status: maybe(text),
    master: flagOr(false),
    storage,
    available: maybe(whole),
    used: maybe(whole),
    storage_format: maybe(text),
    data_centers: listOf('data_center', link),
    data_center: linkId,
  })
  .transform((one) => ({
    id: one.id,
    name: one.name ?? '',
    type: one.type ?? 'data',
    status: one.status,
    externalStatus: one.external_status,
    master: one.master,
    storage: one.storage,
    availableBytes: one.available,
    usedBytes: one.used,
    format: one.storage_format,
    // Below a data center only the singular is sent.
    dataCenterIds: [
      ...new Set([...one.data_centers.map((dc) => dc.id), ...(one.data_center ? [one.data_center] : [])]),
    ],
  })) satisfies z.ZodType<StorageDomain>;
export const storageDomainList = listOf('storage_domain', storageDomain);

const initialization = maybe(
  z.object({ configuration: maybe(z.object({ type: maybe(text), data: maybe(text) })) }),
).transform((init) => init?.configuration?.data);

export const vm = z
  .object({
    id: text,
    name: text,
    status: maybe(text),
    origin: maybe(text),
    delete_protected: flagOr(false),
    description: maybe(text),
    comment: maybe(text),
    memory: maybe(whole),
    memory_policy: maybe(z.object({ guaranteed: maybe(whole), max: maybe(whole) })),
    cpu: maybe(z.object({ topology: maybe(z.object({ sockets: whole, cores: whole, threads: whole })) })),
    bios: maybe(z.object({ type: maybe(text) })),
    os: maybe(z.object({ type: maybe(text) })),
    type: maybe(text),
    fqdn: maybe(text),
    high_availability: maybe(z.object({ enabled: flagOr(false) })),
    cluster: linkId,
    host: linkId,
    next_run_configuration_exists: flagOr(false),
    initialization,
  })
  .transform((one) => ({
    id: one.id,
    name: one.name,
    status: one.status ?? 'unknown',
    origin: one.origin,
    deleteProtected: one.delete_protected,
    description: one.description ?? '',
    comment: one.comment ?? '',
    memoryBytes: one.memory,
    memoryGuaranteedBytes: one.memory_policy?.guaranteed,
    memoryMaxBytes: one.memory_policy?.max,
    cpu: one.cpu?.topology,
    biosType: one.bios?.type,
    osType: one.os?.type,
    type: one.type,
    fqdn: one.fqdn,
    highlyAvailable: one.high_availability?.enabled ?? false,
    clusterId: one.cluster,
    hostId: one.host,
    nextRunConfigurationExists: one.next_run_configuration_exists,
    ovf: one.initialization,
  })) satisfies z.ZodType<Vm>;
export const vmList = listOf('vm', vm);

export const unregisteredVm = z.object({ id: text, name: maybe(text), initialization }).transform((one) => ({
  id: one.id,
  name: one.name ?? '',
  ovf: one.initialization,
})) satisfies z.ZodType<UnregisteredVm>;
export const unregisteredVmList = listOf('vm', unregisteredVm);

export const disk = z
  .object({
    id: text,
    image_id: maybe(text),
    name: maybe(text),
    alias: maybe(text),
    description: maybe(text),
    status: maybe(text),
    content_type: maybe(text),
    format: maybe(text),
    sparse: flagOr(false),
    provisioned_size: maybe(whole),
    actual_size: maybe(whole),
    storage_domains: listOf('storage_domain', link),
    storage_domain: linkId,
  })
  .transform((one) => ({
    id: one.id,
    volumeId: one.image_id,
    name: one.name ?? one.alias ?? '',
    description: one.description ?? '',
    status: one.status,
    contentType: one.content_type ?? 'data',
    format: one.format,
    sparse: one.sparse,
    provisionedBytes: one.provisioned_size,
    actualBytes: one.actual_size,
    storageDomainIds: [
      ...new Set([...one.storage_domains.map((sd) => sd.id), ...(one.storage_domain ? [one.storage_domain] : [])]),
    ],
  })) satisfies z.ZodType<Disk>;
export const diskList = listOf('disk', disk);

const diskAttachment = z
  .object({ id: text, disk: linkId, bootable: flagOr(false), active: flagOr(false), interface: maybe(text) })
  .transform(({ id, disk: diskId, ...rest }) => ({
    diskId: diskId ?? id,
    ...rest,
  })) satisfies z.ZodType<DiskAttachment>;
export const diskAttachmentList = listOf('disk_attachment', diskAttachment);

export const nic = z
  .object({
    id: text,
    name: maybe(text),
    mac: maybe(z.object({ address: maybe(text) })),
    interface: maybe(text),
    plugged: flagOr(false),
    linked: flagOr(false),
    vnic_profile: linkId,
  })
  .transform(({ mac, vnic_profile: vnicProfileId, name, ...rest }) => ({
    ...rest,
    name: name ?? '',
    mac: mac?.address,
    vnicProfileId,
  })) satisfies z.ZodType<Nic>;
export const nicList = listOf('nic', nic);

const vnicProfile = z
  .object({ id: text, name: maybe(text) })
  .transform(({ id, name }) => ({ id, name: name ?? '' })) satisfies z.ZodType<VnicProfile>;
export const vnicProfileList = listOf('vnic_profile', vnicProfile);

const job = z
  .object({
    id: text,
    description: maybe(text),
    status: maybe(text),
    start_time: maybe(timeMs),
    end_time: maybe(timeMs),
    correlation_id: maybe(text),
  })
  .transform((one) => ({
    id: one.id,
    description: one.description ?? '',
    status: one.status ?? 'unknown',
    startMs: one.start_time,
    endMs: one.end_time,
    correlationId: one.correlation_id,
  })) satisfies z.ZodType<Job>;
export const jobList = listOf('job', job);

export const event = z
  .object({
    id: text,
    index: maybe(whole),
    code: maybe(whole),
    severity: maybe(text),
    time: maybe(timeMs),
    description: maybe(text),
    correlation_id: maybe(text),
    host: reference,
    vm: reference,
    storage_domain: reference,
    data_center: reference,
  })
  .transform((one) => ({
    id: one.id,
    // Older engines leave the index out; there the id is the same number.
    index: one.index ?? Number(one.id),
    code: one.code ?? 0,
    severity: one.severity ?? 'normal',
    timeMs: one.time,
    description: one.description ?? '',
    correlationId: one.correlation_id,
    host: one.host,
    vm: one.vm,
    storageDomain: one.storage_domain,
    dataCenter: one.data_center,
  })) satisfies z.ZodType<EngineEvent>;
export const eventList = listOf('event', event);
