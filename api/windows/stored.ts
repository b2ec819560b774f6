/** The definition as a schedule holds it: somebody may have made the schedule by hand. */
import { z } from 'zod';
import type { CalendarRule } from '../../workflows/model/calendar.ts';
import type { WindowDefinition, WindowInput, WindowOperation } from '../../workflows/model/window.ts';
import { optional } from '../schemas/optional.ts';

const ranges = z.array(z.object({ start: z.number(), end: z.number(), step: z.number() }));

const calendar = z.object({
  minute: ranges,
  hour: ranges,
  dayOfMonth: ranges,
  month: ranges,
  dayOfWeek: ranges,
  year: optional(ranges),
}) satisfies z.ZodType<CalendarRule>;

/** Checked when it came in, with the schema of its day. */
const operation = z.custom<WindowOperation>(
  (value) => typeof value === 'object' && value !== null && 'operation' in value && typeof value.operation === 'string',
);

const definition = z.object({
  version: z.literal(1),
  cluster: z.string(),
  name: z.string(),
  when: z.string(),
  timeZone: z.string(),
  calendars: z.array(calendar),
  lengthMinutes: z.number(),
  jitterMinutes: z.number(),
  catchUpMinutes: z.number(),
  overlap: z.enum(['skip', 'buffer-one']),
  freezes: z.array(z.object({ from: z.string(), to: z.string(), summary: z.string() })),
  globalMaintenance: z.boolean(),
  ticket: optional(z.string()),
  operations: z.array(operation),
  createdBy: z.string(),
  createdAt: z.string(),
}) satisfies z.ZodType<WindowDefinition>;

const timing = z.object({
  firstRetryMs: z.number(),
  maxRetryMs: z.number(),
  stepPatienceMs: z.number(),
  heartbeatMs: z.number(),
});

export const storedInput = z.object({ definition, timing }) satisfies z.ZodType<WindowInput>;
