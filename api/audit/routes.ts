/** `GET /audit`: who changed what, newest first. */
import { z } from '@hono/zod-openapi';
import type { Hono } from 'hono';
import { refuse, type AppEnv } from '../context.ts';
import { optional } from '../schemas/optional.ts';
import { schemaErrors } from '../schemas/problem.ts';
import type { AppPorts } from '../ports.ts';
import { auditLine } from './line.ts';

export const LIMIT_MAX = 1000;

/** Kept in UTC, where times compare as text. */
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

export const auditQuery = z.object({
  since: optional(time.openapi({ format: 'date-time', description: 'Not before.' })),
  until: optional(time.openapi({ format: 'date-time', description: 'Not after.' })),
  before: optional(
    z.coerce.number().int().min(1).openapi({ description: 'Only lines with a lower number: to read on.' }),
  ),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100).openapi({ description: 'So many at most.' }),
});

export const auditPage = z
  .object({
    lines: z.array(auditLine).openapi({ description: 'Newest first.' }),
    more: z.boolean().openapi({ description: 'There are older ones: ask again with before.' }),
  })
  .openapi('AuditPage');

export function auditRoutes(app: Hono<AppEnv>, ports: AppPorts): void {
  app.get('/audit', async (c) => {
    const query = auditQuery.safeParse(c.req.query());
    if (!query.success) return refuse(c, 'invalid-request', 'nothing was read', { errors: schemaErrors(query.error) });
    if (ports.audit === undefined) return refuse(c, 'not-found', 'this front door keeps no audit trail');
    try {
      return c.json(await ports.audit.trail.read(query.data));
    } catch (error) {
      return refuse(c, 'audit-unavailable', `it can’t be read: ${String(error)}`);
    }
  });
}
