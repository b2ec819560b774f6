/** What looks and examinations answer: the worker’s results are read with these, and sent out. */
import { z } from '@hono/zod-openapi';
import {
  AREAS,
  type BackupListing,
  type ClusterLook,
  type Examination,
  type Finding,
  type HostLook,
  type Missing,
  type SlotLook,
} from '../../workflows/model/look.ts';
import { optional } from './optional.ts';

const time = z.string().openapi({ format: 'date-time', example: '2026-11-21T14:26:00.000Z' });
const source = z.enum(['vdsm', 'ha-metadata', 'engine']).openapi({ description: 'Who says so.' });

export const missing = z
  .object({ what: z.string(), why: z.string(), remedy: z.string() })
  .openapi('Missing') satisfies z.ZodType<Missing>;

const slot = z
  .object({
    id: z.number().int(),
    hostname: z.string(),
    writtenBy: z.enum(['bellwether', 'reference']),
    state: z.string().openapi({ example: 'EngineDown' }),
    score: z.number().int(),
    localMaintenance: z.boolean(),
    stopped: z.boolean(),
    engineStatus: z.object({ vm: z.string(), health: z.string(), detail: z.string(), reason: optional(z.string()) }),
    lives: z.boolean().nullable().openapi({ description: 'null: not watched for long enough to tell.' }),
    heardSeconds: z.number().int().nullable().openapi({ description: 'Since it was last seen to change.' }),
    cannotRun: optional(z.string()),
    sanlock: optional(z.object({ ioSeconds: z.number(), watchdogSeconds: z.number() })),
  })
  .openapi('HaSlot') satisfies z.ZodType<SlotLook>;

const ha = z.object({
  configured: z.boolean(),
  active: z.boolean(),
  score: z.number(),
  localMaintenance: z.boolean(),
  globalMaintenance: z.boolean(),
  source,
});

const host = z
  .object({
    name: z.string(),
    address: z.string(),
    engine: optional(
      z.object({
        status: z.string().openapi({ example: 'up' }),
        detail: optional(z.string()),
        stale: z.boolean().openapi({ description: 'The engine does not poll it in this status.' }),
      }),
    ),
    vdsm: optional(z.object({ answers: z.boolean(), why: optional(z.string()) })),
    freeMiB: optional(z.number()),
    ha: optional(ha),
    summary: optional(z.string().openapi({ example: 'Hosted Engine HA: Active (score: 3400)' })),
    agent: z.enum(['bellwether', 'reference', 'unknown']),
    slot: optional(slot),
    scoreReasons: z.array(z.string()),
    engineVm: optional(z.string().openapi({ description: 'VDSM’s status of the engine VM there.' })),
    cannotRun: z.string().openapi({ description: 'Empty: it could take the engine VM now, or has it.' }),
  })
  .openapi('ClusterHost') satisfies z.ZodType<HostLook>;

const place = z.object({ host: z.string(), status: z.string(), source });

const lookFields = {
  version: z.literal(1),
  cluster: z.string(),
  at: time,
  tookMs: z.number(),
  engine: z.object({
    address: z.string(),
    healthy: optional(z.boolean()),
    health: z.string(),
    version: optional(z.string()),
  }),
  engineVm: z.object({
    host: optional(z.string()),
    status: optional(z.string()),
    source: optional(source),
    places: z.array(place),
  }),
  hosts: z.array(host),
  strangers: z.array(slot),
  faultySlots: z.array(z.object({ id: z.number().int(), why: z.string() })),
  globalMaintenance: z.object({ on: z.boolean().nullable(), source: optional(source) }),
  capacity: z.object({ failures: z.number().int().nullable(), why: z.array(z.string()) }),
  metadataAgeSeconds: z.number().nullable(),
  missing: z.array(missing),
};

/** The worker's answer. Keys that a newer worker adds are dropped, not refused. */
export const clusterLook = z.object(lookFields) satisfies z.ZodType<ClusterLook>;

const finding = z
  .object({
    area: z.enum(AREAS),
    check: z.string(),
    result: z.enum(['ok', 'warning', 'failed']),
    seen: z.string(),
    why: z.string(),
    remedy: optional(z.string()),
  })
  .openapi('Finding') satisfies z.ZodType<Finding>;

export const examination = z.object({
  version: z.literal(1),
  cluster: z.string(),
  at: time,
  tookMs: z.number(),
  findings: z.array(finding),
}) satisfies z.ZodType<Examination>;

const listed = z.object({
  key: z.string().openapi({ description: 'Of its manifest: what a restore wants.' }),
  takenAt: time,
  operation: z.string(),
  phase: z.enum(['before', 'after', 'manual']),
  items: z.array(z.string()),
  bytes: z.number(),
  notTaken: z.array(z.string()),
});

export const backupListing = z
  .object({
    version: z.literal(1),
    cluster: z.string(),
    backups: z.array(listed),
    damaged: z.array(z.object({ key: z.string(), why: z.string() })),
    more: z.boolean(),
  })
  .openapi('BackupListing') satisfies z.ZodType<BackupListing>;

export { finding, lookFields, time };
