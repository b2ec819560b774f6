/**
 * One line of the audit trail: JSON with a number, the time, and the sha256 of the line before (without its end of
 * line); the first line of all has 64 zeros there. The host worker’s journal is chained in the same way.
 */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { optional } from '../schemas/optional.ts';

export const NO_LINE = '0'.repeat(64);

const text = z.string().max(2000);

/** What is known of a call; without `result` it has not been answered yet. No bodies and no secrets: a digest. */
export const auditFields = z.object({
  time: z.string().openapi({ format: 'date-time', description: 'When the call came.' }),
  instance: z.string().openapi({ description: 'Of the front door’s log line and of the problem document.' }),
  who: z.object({
    by: optional(text).openapi({ description: 'As the request says.', example: 'alice' }),
    authenticated: z.enum(['token', 'webhook', 'session', 'loopback', 'no']).openapi({
      description: 'What proved it: a bearer token, a webhook’s signature, a signed-in session, or only being here.',
    }),
    as: optional(text).openapi({ description: 'Name of the token, or of the webhook’s source.', example: 'ci' }),
  }),
  from: z.object({
    remote: optional(text).openapi({ description: 'Address of the connection’s other end.' }),
    forwardedFor: optional(text).openapi({ description: 'What a trusted proxy said of the sender’s address.' }),
  }),
  what: z.object({
    method: text,
    route: text.openapi({ example: '/operations/:id/abort' }),
    path: text,
    action: optional(text).openapi({ example: 'abort' }),
    subject: optional(text).openapi({ description: 'The operation or window.', example: 'upgrade/Default/CHG1' }),
    reason: optional(text),
    digest: optional(text).openapi({ description: 'SHA-256 of the body, hex.' }),
  }),
  result: optional(z.object({ status: z.number().int(), problem: optional(text) })),
});
export type AuditFields = z.infer<typeof auditFields>;

const link = {
  seq: z.number().int().positive(),
  at: z.string(),
  prev: z.string().regex(/^[0-9a-f]{64}$/),
};

export const auditLine = z
  .discriminatedUnion('kind', [
    /** Written before anything is changed. */
    z.object({ ...link, kind: z.literal('asked'), ...auditFields.shape }),
    /** Written before the answer goes out. */
    z.object({ ...link, kind: z.literal('answered'), ...auditFields.shape }),
    /** Bytes that were no line lay at the end of the file: the front door died while it wrote. */
    z.object({ ...link, kind: z.literal('torn'), bytes: z.number(), keptAs: z.string(), sha256: z.string() }),
    /** What could not be written although it happened, so that silence is not taken for peace. */
    z.object({ ...link, kind: z.literal('missed'), count: z.number(), since: z.string(), why: z.string() }),
  ])
  .openapi('AuditLine');
export type AuditLine = z.infer<typeof auditLine>;

export type Saying =
  | ({ readonly kind: 'asked' | 'answered' } & AuditFields)
  | { readonly kind: 'torn'; readonly bytes: number; readonly keptAs: string; readonly sha256: string }
  | { readonly kind: 'missed'; readonly count: number; readonly since: string; readonly why: string };

export interface Link {
  readonly seq: number;
  readonly prev: string;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

const place = z.looseObject({ ...link, kind: z.string() });

/** Its place in the chain; undefined when the bytes are no line of an audit trail. */
export function readLink(bytes: Uint8Array): Link | undefined {
  const read = place.safeParse(json(bytes));
  return read.success ? { seq: read.data.seq, prev: read.data.prev } : undefined;
}

export function readLine(bytes: Uint8Array): AuditLine | undefined {
  const read = auditLine.safeParse(json(bytes));
  return read.success ? read.data : undefined;
}
