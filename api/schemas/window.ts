/** Maintenance windows: what may come in, and what is answered. */
import { z } from '@hono/zod-openapi';
import { KEY_PATTERN } from '../../workflows/model/ids.ts';
import type { WindowOpening, WindowReport } from '../windows/ports.ts';
import { key } from './operations/fields.ts';
import { optional } from './optional.ts';
import { actor } from './request.ts';

/** Shorter than other keys: the openings' keys are made of it. */
export const windowName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/, 'a name: letters, digits and . _ - only, at most 60')
  .openapi({ example: 'sat', description: 'Its name in the cluster; letters, digits and . _ - only.' });

const WEEK_MINUTES = 10_080;

/** The body of POST /windows. Times, zone and operations are read by `windows/definition.ts`. */
export const windowBody = z
  .strictObject({
    version: z.literal(1).default(1),
    cluster: key('a cluster', 'Default').openapi({ description: 'A cluster that the front door is configured for.' }),
    name: windowName,
    every: optional(
      z
        .string()
        .max(100)
        .openapi({ example: 'sat 22:00', description: 'In words; one of every, cron and at is needed.' }),
    ),
    cron: optional(
      z.string().max(200).openapi({ example: '0 22 * * 6', description: 'Unlike in cron both days must match.' }),
    ),
    at: optional(z.string().max(30).openapi({ example: '2026-12-05 22:00', description: 'Once, local time.' })),
    timeZone: z.string().max(64).openapi({ example: 'Europe/Berlin', description: 'A name of the IANA database.' }),
    lengthMinutes: z
      .number()
      .int()
      .min(1, 'a window of no length: give at least a minute, e.g. 240')
      .max(WEEK_MINUTES, 'longer than a week')
      .openapi({ description: 'How long it is open.', example: 240 }),
    jitterMinutes: z.number().int().min(0).max(1440).default(0).openapi({
      description: 'It opens up to so much later, by chance: many clusters then don’t begin at once.',
    }),
    catchUpMinutes: optional(
      z.number().int().min(1).openapi({
        description: 'A missed opening still comes up to so late; shorter than the window. Half of it by default.',
      }),
    ),
    overlap: z.enum(['skip', 'buffer-one']).default('skip').openapi({
      description: 'When the last opening still runs: leave this one out, or let it wait.',
    }),
    except: z
      .array(z.string().max(30))
      .max(100)
      .default([])
      .openapi({ example: ['2026-12-24..2027-01-02'], description: 'Days without openings, local time.' }),
    freezes: z
      .array(z.string().max(200_000))
      .max(5)
      .default([])
      .openapi({ description: 'Texts of iCalendar files; their events of the next 400 days are freezes.' }),
    globalMaintenance: z.boolean().default(false).openapi({ description: 'On while the window is open.' }),
    ticket: optional(z.string().regex(KEY_PATTERN, 'a ticket: letters, digits and . _ : - only, at most 100')),
    operations: z
      .array(z.record(z.string(), z.unknown()))
      .min(1, 'names no operation to run')
      .max(20)
      .openapi({
        description: 'Bodies of POST /operations, in order, without cluster, key, ticket and version.',
        example: [{ operation: 'rolling-host-update' }, { operation: 'backup', keep: 30 }],
      }),
  })
  .openapi('WindowRequest');

export type WindowBody = z.output<typeof windowBody>;

export const windowCommand = z
  .strictObject({
    by: actor,
    reason: optional(
      z.string().max(500).openapi({ example: 'the storage is being moved', description: 'Why; pause needs it.' }),
    ),
  })
  .openapi('WindowCommand');

export const windowQuery = z.object({
  cluster: optional(z.string().max(100).openapi({ description: 'Of this cluster only.', example: 'Default' })),
  name: optional(z.string().max(100).openapi({ description: 'Of this name only.', example: 'sat' })),
});

const opening = z
  .object({
    opensAt: z.string().openapi({ format: 'date-time' }),
    closesAt: z.string().openapi({ format: 'date-time' }),
    local: z.string().openapi({ example: 'Sat 2026-11-28 22:00 +01:00' }),
    skipped: optional(z.string().openapi({ example: 'freeze Christmas' })),
  })
  .openapi('WindowOpening') satisfies z.ZodType<WindowOpening>;

export const windowReport = z
  .object({
    id: z.string().openapi({ example: 'window/Default/sat' }),
    cluster: z.string(),
    name: z.string(),
    when: z.string(),
    timeZone: z.string(),
    lengthMinutes: z.number().int(),
    jitterMinutes: z.number().int(),
    catchUpMinutes: z.number().int(),
    overlap: z.string(),
    globalMaintenance: z.boolean(),
    ticket: optional(z.string()),
    operations: z.array(z.looseObject({ operation: z.string() })),
    createdBy: z.string(),
    paused: optional(z.string().openapi({ description: 'Who paused it, and why.' })),
    freezes: z.number().int().openapi({ description: 'How many times without openings it knows.' }),
    next: optional(opening),
    open: z.boolean(),
    last: z.array(
      z.object({
        id: z.string(),
        openedAt: z.string(),
        state: z.string().openapi({ example: 'done' }),
        outcome: optional(z.string()),
      }),
    ),
  })
  .openapi('Window') satisfies z.ZodType<WindowReport>;

export const windowList = z.object({ windows: z.array(windowReport) }).openapi('WindowList');

export const windowPreview = z
  .object({ timeZone: z.string(), computedBy: z.enum(['temporal', 'front-door']), openings: z.array(opening) })
  .openapi('WindowPreview');
export type WindowPreview = z.output<typeof windowPreview>;

export const windowAnswer = z
  .object({ id: z.string(), action: z.string(), note: optional(z.string()) })
  .openapi('WindowAnswer');
