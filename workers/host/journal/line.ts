/**
 * One line of the journal: JSON with a number, the wall time, and the sha256 of the line before (without its end of line).
 * The first line of all has 64 zeros there. Reading the envelope is enough for the chain; the record inside is another matter.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { entrySchema } from './schemas.ts';
import { textOf } from './text.ts';
import type { JournalEntry } from '../env.ts';

export const NO_LINE = '0'.repeat(64);

/** What a line says beside its place in the chain. */
export type Saying =
  | { readonly kind: 'decision'; readonly boot: string; readonly version: string; readonly entry: JournalEntry }
  /** Bytes that were no line lay at the end of the file: the worker or the host died while writing. */
  | { readonly kind: 'torn'; readonly bytes: number; readonly keptAs: string; readonly sha256: string }
  /** Decisions that could not be written down, so that silence is not taken for peace. */
  | { readonly kind: 'missed'; readonly count: number; readonly since: string; readonly why: string };

export interface Link {
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
}

export type Line = Link & Saying;

const link = { seq: z.int().positive(), at: z.string(), prev: z.string().regex(/^[0-9a-f]{64}$/) };
const envelope = z.looseObject({ ...link, kind: z.string() });
const lineSchema: z.ZodType<Line> = z.discriminatedUnion('kind', [
  z.strictObject({ ...link, kind: z.literal('decision'), boot: z.string(), version: z.string(), entry: entrySchema }),
  z.strictObject({ ...link, kind: z.literal('torn'), bytes: z.number(), keptAs: z.string(), sha256: z.string() }),
  z.strictObject({ ...link, kind: z.literal('missed'), count: z.number(), since: z.string(), why: z.string() }),
]);

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Without the end of line. */
export function formatLine(line: Line): string {
  return textOf(line);
}

function json(bytes: Buffer | string): unknown {
  // Garbage of many short lines is told quickly: the worker reads backwards through it at its start.
  if (bytes.at(0) !== 0x7b && bytes.at(0) !== '{') return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** Its place in the chain; undefined when the bytes are no line of a journal. */
export function readLink(bytes: Buffer): Link | undefined {
  const value = json(bytes);
  if (value === undefined) return undefined;
  const result = envelope.safeParse(value);
  return result.success ? { seq: result.data.seq, at: result.data.at, prev: result.data.prev } : undefined;
}

/** The whole line, or why it can't be understood. */
export function readLine(bytes: Buffer | string): { readonly line: Line } | { readonly why: string } {
  const result = lineSchema.safeParse(json(bytes));
  if (result.success) return { line: result.data };
  const [issue] = result.error.issues;
  return { why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'no line of a journal'}` };
}
