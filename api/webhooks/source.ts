/** The file of webhook sources (BELLWETHER_WEBHOOKS_FILE): checked as a whole, every mistake by its place. */
import { readFileSync } from 'node:fs';
import { z } from '@hono/zod-openapi';
import type { WebhookSource } from '../ports.ts';
import { optional } from '../schemas/optional.ts';
import { mapping } from './mapping.ts';
import { isPointer } from './pointer.ts';
import { SCHEME_NAMES } from './verify/scheme.ts';
import type { HmacRecipe } from './verify/hmac.ts';

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'the name of a header');
const bodyPointer = z.string().refine(isPointer, 'a JSON pointer, e.g. /event/id');
const headerOrPath = <T extends z.ZodRawShape>(more: T) =>
  z.union([z.strictObject({ header: headerName, ...more }), z.strictObject({ path: bodyPointer, ...more })], {
    error: `needs either "header" or "path" (a JSON pointer)${Object.keys(more).length === 0 ? '' : ', and may have unit (s, ms) and toleranceS'}`,
  });

const unit = z.enum(['s', 'ms']).default('s');
const toleranceS = z.number().int().min(1).max(86_400).default(300);

/** Parts that can't run into each other: one signed text has one reading. */
const SIGNED = /^([A-Za-z0-9]+[.:])?(\{id\}[.:])?(\{timestamp\}[.:])?\{body\}$/;

const hmac = z
  .strictObject({
    header: headerName,
    prefix: z.string().max(50).default(''),
    separator: optional(z.string().length(1)),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    algorithm: z.enum(['sha256', 'sha512']).default('sha256'),
    signed: z
      .string()
      .regex(SIGNED, 'e.g. "{body}", "{timestamp}.{body}", "{id}.{timestamp}.{body}"')
      .default('{body}'),
    id: optional(headerOrPath({})),
    timestamp: optional(headerOrPath({ unit, toleranceS })),
  })
  .superRefine(({ signed, id, timestamp }, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const timeInHeader = timestamp !== undefined && 'header' in timestamp;
    if (timeInHeader && !signed.includes('{timestamp}')) {
      wrong('signed', 'has no {timestamp}: a time that is not signed can be changed by whoever replays a delivery');
    }
    if (!timeInHeader && signed.includes('{timestamp}')) wrong('timestamp', 'needed with its header: it is signed');
    if (signed.includes('{id}') && !(id !== undefined && 'header' in id)) {
      wrong('id', 'needed with its header: it is signed');
    }
  }) satisfies z.ZodType<HmacRecipe>;

const source = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens: it is part of the URL'),
    scheme: z.enum(SCHEME_NAMES),
    secretFiles: z.array(z.string().min(1)).min(1),
    alertsOf: optional(z.string().min(1)),
    hmac: optional(hmac),
    mapping: optional(mapping),
    tracker: optional(z.string().min(1)),
    operators: optional(
      z
        .array(z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} .@_:+-]{0,49}$/u, 'a user’s name, at most 50 characters'))
        .min(1),
    ),
    ratePerMinute: optional(z.number().int().min(1).max(1_000_000)),
    test: optional(z.boolean()),
  })
  .superRefine((value, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (value.scheme === 'hmac' && value.hmac === undefined) wrong('hmac', 'needed with scheme hmac');
    if (value.scheme !== 'hmac' && value.hmac !== undefined)
      wrong('hmac', `only with scheme hmac, not ${value.scheme}`);
    const answers = value.mapping?.answer !== undefined;
    if (answers && value.operators === undefined) wrong('operators', 'needed with mapping.answer: who may answer?');
    if (!answers && value.operators !== undefined) wrong('operators', 'only with mapping.answer');
    if (value.alertsOf !== undefined && value.tracker !== undefined) {
      wrong('tracker', 'not with alertsOf: what host workers tell has no ticket');
    }
    if (value.alertsOf !== undefined && value.mapping !== undefined) {
      wrong('mapping', 'not with alertsOf: what host workers tell has one form');
    }
  });

export const sourcesFile = z.array(source).superRefine((sources, context) => {
  sources.forEach(({ name }, at) => {
    if (sources.findIndex((other) => other.name === name) !== at) {
      context.addIssue({ code: 'custom', path: [at, 'name'], message: `"${name}" is there twice` });
    }
  });
}) satisfies z.ZodType<WebhookSource[]>;

export type SourcesReading =
  | { readonly ok: true; readonly sources: readonly WebhookSource[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The sources in the file, or all that is wrong with it. Never throws. */
export function readSources(file: string): SourcesReading {
  try {
    const parsed = sourcesFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return { ok: true, sources: parsed.data };
    return {
      ok: false,
      problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(file)'}: ${message}`),
    };
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
  }
}
