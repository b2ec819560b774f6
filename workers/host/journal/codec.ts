/**
 * The exact text of what the worker decided on and decided: journal lines and the control socket's snapshot.
 *
 * JSON with sorted keys, so that equal values give equal bytes. What JSON has no word for: a field that is there and
 * undefined is `null`, a number that is none (or is -0) is `{"$":"-Infinity"}`, a Map is a list of pairs in its own order
 * (the order of the board is part of a decision). Encoding needs no schema; only reading loads one.
 */
import { CounterpartError } from '../../../activities/errors.ts';
import { decisionSchema, entrySchema, memorySchema, observationSchema, snapshotSchema } from './schemas.ts';
import { textOf } from './text.ts';
import type { Decision, Memory, Observation } from '../core/types.ts';
import type { JournalEntry } from '../env.ts';
import type { Snapshot } from '../snapshot.ts';
import type { z } from 'zod';

export const encodeMemory = (memory: Memory): string => textOf(memory);
export const encodeObservation = (observation: Observation): string => textOf(observation);
export const encodeDecision = (decision: Decision): string => textOf(decision);
export const encodeEntry = (entry: JournalEntry): string => textOf(entry);
export const encodeSnapshot = (snapshot: Snapshot): string => textOf(snapshot);

function unreadable(what: string, why: string): CounterpartError {
  return new CounterpartError({
    type: 'journal/unreadable',
    kind: 'fatal',
    subject: what,
    what: 'the text can’t be understood',
    why,
    remedy: 'Make sure that it was written by a worker of this version.',
  });
}

function parsed<T>(schema: z.ZodType<T>, what: string, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(what, error instanceof Error ? error.message : String(error));
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw unreadable(what, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown'}`);
}

/** Each `parse…` gives what was encoded, to the last undefined. @throws CounterpartError `journal/unreadable` */
export const parseMemory = (text: string): Memory => parsed(memorySchema, 'memory', text);
export const parseObservation = (text: string): Observation => parsed(observationSchema, 'observation', text);
export const parseDecision = (text: string): Decision => parsed(decisionSchema, 'decision', text);
export const parseEntry = (text: string): JournalEntry => parsed(entrySchema, 'journal entry', text);
export const parseSnapshot = (text: string): Snapshot => parsed(snapshotSchema, 'snapshot', text);
