/**
 * Shapes of VDSM's results *as sent*, which is not always as documented (vdsm.md 7 to 10).
 *
 * Tolerant on purpose: unknown fields are kept, and only what callers rely on is required. VDSM sends many numbers as
 * decimal strings; they become numbers here, once, and nowhere else.
 */
import { z } from 'zod';

/** A number, or a decimal string that means one. */
export const num = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'not a number')
    .transform(Number),
]);

/** true/false, or Python's and XML's way to write them. */
export const flag = z.union([
  z.boolean(),
  z.enum(['true', 'True', '1']).transform(() => true),
  z.enum(['false', 'False', '0']).transform(() => false),
]);

const text = z.string();

/** Verbs without a result answer `true`, some with a status object instead; neither says more than "done". */
export const done = z.unknown().transform(() => true as const);

export const ids = z.array(text);

export const haStats = z.looseObject({
  configured: flag,
  active: flag,
  localMaintenance: flag,
  globalMaintenance: flag,
  score: num,
});

/** State of one monitored domain; delays in seconds. `actual` false until the first check. */
export const domainVitals = z.looseObject({
  valid: flag,
  /** sanlock host id held. */
  acquired: flag.default(false),
  actual: flag.default(true),
  code: num,
  version: num.optional(),
  delay: num,
  lastCheck: num,
});

export const repoStats = z.record(text, domainVitals);

/** Memory in MiB, CPU in percent. Load is zero and `network` absent until two samples exist, 15 s apart. */
export const hostStats = z.looseObject({
  haStats: haStats.optional(),
  haScore: num.optional(),
  cpuLoad: num.optional(),
  cpuUser: num.optional(),
  cpuSys: num.optional(),
  cpuIdle: num.optional(),
  memUsed: num.optional(),
  memFree: num.optional(),
  swapTotal: num.optional(),
  swapFree: num.optional(),
  vmCount: num.optional(),
  vmActive: num.optional(),
  vmMigrating: num.optional(),
  network: z.record(text, z.looseObject({ name: text.optional(), state: text.optional() })).optional(),
  storageDomains: repoStats.optional(),
  netConfigDirty: flag.optional(),
  dateTime: text.optional(),
});

export const capabilities = z.looseObject({
  hostedEngineDeployed: flag.optional(),
  uuid: text.optional(),
  software_version: text.optional(),
  software_revision: text.optional(),
  clusterLevels: z.array(text).optional(),
  supportedENGINEs: z.array(text).optional(),
  cpuModel: text.optional(),
  cpuFlags: text.optional(),
  cpuCores: num.optional(),
  cpuThreads: num.optional(),
  cpuSockets: num.optional(),
  /** MiB. */
  memSize: num.optional(),
  kvmEnabled: flag.optional(),
  networks: z.record(text, z.looseObject({ addr: text.optional(), iface: text.optional() })).optional(),
  packages2: z.record(text, z.looseObject({ version: text, release: text.optional() })).optional(),
  lastClientIface: text.optional(),
  netConfigDirty: flag.optional(),
});

export const hardwareInfo = z.looseObject({
  systemUUID: text.optional(),
  systemManufacturer: text.optional(),
  systemProductName: text.optional(),
  systemSerialNumber: text.optional(),
});

/** statusTime: milliseconds of the host's monotonic clock + 2^31-1; sent as a string, to be compared as a number (vdsm.md 5). */
export const vmShort = z.looseObject({ vmId: text, status: text, statusTime: num.optional() });

export const vmStats = vmShort.extend({
  vmName: text.optional(),
  elapsedTime: num.optional(),
  /** False: the figures are initial zeros, for up to 90 s. */
  cpuActual: flag.optional(),
  cpuUser: num.optional(),
  cpuSys: num.optional(),
  memUsage: num.optional(),
  /** 0, or -1 when qemu does not answer. */
  monitorResponse: num.optional(),
  pauseCode: text.optional(),
  migrationProgress: num.optional(),
  guestIPs: text.optional(),
  guestFQDN: text.optional(),
  /** Only when Down: 0 normal, 1 error. */
  exitCode: num.optional(),
  exitReason: num.optional(),
  exitMessage: text.optional(),
});

/** The wire carries a list of exactly one. */
export const oneVmStats = z.tuple([vmStats]).transform(([stats]) => stats);

export const taskStatus = z.looseObject({
  taskID: text.optional(),
  taskState: text,
  /** '' until finished; then success, cleanSuccess (rolled back) or cleanFailure (leftovers). */
  taskResult: text.default(''),
  code: num.default(0),
  message: text.default(''),
});

export const taskInfo = z.looseObject({ id: text.optional(), verb: text.optional() });

export const spmStatus = z.looseObject({ spmStatus: z.enum(['SPM', 'Free', 'Contend']), spmId: num, spmLver: num });

/** Bytes as numbers. `domains` in info reads `sd:Active,sd:Attached`. */
export const poolInfo = z.looseObject({
  info: z.looseObject({
    name: text.optional(),
    type: text.optional(),
    domains: text.default(''),
    master_uuid: text.optional(),
    master_ver: num.optional(),
    spm_id: num.optional(),
    version: num.optional(),
    pool_status: text.optional(),
  }),
  dominfo: z.record(
    text,
    z.looseObject({ status: text, diskfree: num.optional(), disktotal: num.optional(), version: num.optional() }),
  ),
});

/** 0, or a storage code per connection: the call itself succeeds all the same. */
export const connectionStatuses = z.array(z.looseObject({ id: text, status: num }));

export const domainInfo = z.looseObject({
  uuid: text,
  name: text,
  type: text,
  class: text,
  role: text,
  pool: z.array(text),
  version: num,
  block_size: num.optional(),
  alignment: num.optional(),
  remotePath: text.optional(),
});

/** Bytes. */
export const domainStats = z.looseObject({ disktotal: num, diskfree: num });

export const preparedImage = z.looseObject({ path: text });

/** Sizes in bytes. INVALID with sizes 0 instead of an error when the metadata can't be read. */
export const volumeInfo = z.looseObject({
  uuid: text,
  image: text,
  domain: text,
  capacity: num,
  apparentsize: num,
  truesize: num,
  format: text,
  /** Allocation, SPARSE or PREALLOCATED; documented as allocType. */
  type: text,
  voltype: text.optional(),
  disktype: text,
  description: text,
  parent: text.optional(),
  legality: text.optional(),
  status: text.optional(),
  /** Seconds since 1970. */
  ctime: num.optional(),
  generation: num.optional(),
  lease: z
    .looseObject({
      path: text.optional(),
      offset: num.optional(),
      owners: z.array(num).optional(),
      version: num.nullish(),
    })
    .nullish(),
});

export const volumeSize = z.looseObject({ apparentsize: num, truesize: num });

export const leaseInfo = z.looseObject({ sd_id: text, lease_id: text, path: text, offset: num });

/** owners: sanlock host ids; empty = free. */
export const leaseStatus = z.looseObject({ owners: z.array(num), version: num.nullish() });
