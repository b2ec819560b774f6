/** What goes out below `/clusters`. The command line parses answers with the same schemas. */
import { z } from '@hono/zod-openapi';
import type { ClusterHistoryEntry, ClusterState, HostAlert, LockRequest } from '../../workflows/model/cluster.ts';
import type { ClusterList, ClusterStatus, DoctorReport } from '../clusters/status.ts';
import { finding, lookFields, missing, time } from './look.ts';
import { operationState } from './operation.ts';
import { optional } from './optional.ts';

const lock = z.object({
  operationId: z.string(),
  label: z.string(),
  ifBusy: z.enum(['queue', 'refuse']),
}) satisfies z.ZodType<LockRequest>;

const entry = z
  .object({
    operationId: z.string(),
    label: z.string(),
    grantedAt: time,
    releasedAt: optional(time),
    end: optional(z.object({ state: operationState, summary: z.string() })),
  })
  .openapi('ClusterHistoryEntry') satisfies z.ZodType<ClusterHistoryEntry>;

const alert = z
  .object({
    id: z.string(),
    at: time,
    host: z.string(),
    kind: z.string(),
    text: z.string(),
    did: z.string(),
    todo: z.string(),
  })
  .openapi('KeptAlert') satisfies z.ZodType<HostAlert>;

/** The entity's own answer to its query. */
export const clusterState = z.object({
  version: z.literal(1),
  cluster: z.string(),
  holder: optional(lock),
  queue: z.array(lock),
  history: z.array(entry),
  alerts: optional(z.array(alert)),
}) satisfies z.ZodType<ClusterState>;

const waiting = z.object({ operation: z.string(), label: z.string() });
const order = z.object({
  id: z.string(),
  by: z.string(),
  reason: optional(z.string()),
  ticket: optional(z.string()),
  until: optional(time),
  at: time,
});

export const clusterStatus = z
  .object({
    ...lookFields,
    globalMaintenance: z.object({
      ...lookFields.globalMaintenance.shape,
      setBy: optional(z.enum(['operation', 'outside', 'unknown'])),
      order: optional(order),
    }),
    lock: optional(z.object({ holder: optional(waiting), queue: z.array(waiting) })),
    endings: z.array(entry),
    alerts: z.array(alert),
    ageMs: z.number().openapi({ description: 'Of the look; several requests share one.' }),
  })
  .openapi('ClusterStatus') satisfies z.ZodType<ClusterStatus>;

export const clusterList = z
  .object({
    clusters: z.array(z.object({ name: z.string(), links: z.object({ status: z.string(), doctor: z.string() }) })),
  })
  .openapi('ClusterList') satisfies z.ZodType<ClusterList>;

export const doctorReport = z
  .object({
    cluster: z.string(),
    at: time,
    result: z.enum(['ok', 'warning', 'failed']),
    findings: z.array(finding),
    missing: z.array(missing),
  })
  .openapi('DoctorReport') satisfies z.ZodType<DoctorReport>;
