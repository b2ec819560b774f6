/** Decides every journalled round again and compares to the byte: the record is whole, and the rules are those of this version. */
import { readFileSync } from 'node:fs';
import { decide as shipped } from '../core/decide.ts';
import { readLine } from './line.ts';
import { textOf } from './text.ts';
import { splitLines } from './verify.ts';
import type { JournalEntry } from '../env.ts';

export interface Difference {
  /** e.g. `memory.failures.0` */
  readonly path: string;
  readonly journal: string;
  readonly again: string;
}

export interface ReplayReport {
  /** Rounds that came out the same before the first that did not, or all. */
  readonly same: number;
  /** Lines that are no decisions (repairs, gaps). */
  readonly others: number;
  readonly first:
    | {
        readonly file: string;
        readonly line: number;
        readonly at: string;
        /** Of the worker that decided. */
        readonly version: string;
        /** undefined: the line can't be read, see `why`. */
        readonly difference: Difference | undefined;
        readonly why: string;
      }
    | undefined;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

function fields(value: Json): ReadonlyMap<string, Json> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

/** Where two texts part first, in the order of the text. */
function parting(journal: Json, again: Json, path: string): Difference | undefined {
  if (textOf(journal) === textOf(again)) return undefined;
  const [mine, theirs] = [fields(journal), fields(again)];
  if (mine.size === 0 || theirs.size === 0) return { path, journal: spoken(journal), again: spoken(again) };
  for (const key of [...new Set([...mine.keys(), ...theirs.keys()])].sort()) {
    const [a, b] = [mine.get(key), theirs.get(key)];
    const here = path === '' ? key : `${path}.${key}`;
    if (a !== undefined && b !== undefined) {
      const deeper = parting(a, b, here);
      if (deeper !== undefined) return deeper;
    } else return { path: here, journal: spoken(a), again: spoken(b) };
  }
  return { path, journal: spoken(journal), again: spoken(again) };
}

const spoken = (value: Json | undefined) => (value === undefined ? 'absent' : textOf(value));

/** `decide(before, observation)` again. undefined: the same order, state, score, reasons and memory, to the byte. */
export function replayEntry(entry: JournalEntry, decide: typeof shipped = shipped): Difference | undefined {
  const again = decide(entry.before, entry.observation);
  const short = (decision: typeof again) => ({
    state: decision.memory.state,
    score: decision.score.value,
    order: decision.action?.action,
    reasons: decision.reasons,
  });
  const { state, score, order, reasons } = entry;
  const journal = textOf({ ...entry.decision, entry: { state, score, order, reasons } });
  const now = textOf({ ...again, entry: short(again) });
  if (journal === now) return undefined;
  const [mine, theirs]: [Json, Json] = [JSON.parse(journal), JSON.parse(now)];
  return parting(mine, theirs, '');
}

/** `files` oldest first. Stops at the first round that comes out differently. @throws the file system's error */
export function replayJournal(files: readonly string[], decide: typeof shipped = shipped): ReplayReport {
  let [same, others] = [0, 0];
  for (const file of files) {
    for (const [index, bytes] of splitLines(readFileSync(file)).lines.entries()) {
      const read = readLine(bytes);
      const line = index + 1;
      if ('why' in read) {
        return { same, others, first: { file, line, at: '', version: '', difference: undefined, why: read.why } };
      }
      if (read.line.kind !== 'decision') {
        others += 1;
        continue;
      }
      const { at, version, entry } = read.line;
      const difference = replayEntry(entry, decide);
      if (difference !== undefined) return { same, others, first: { file, line, at, version, difference, why: '' } };
      same += 1;
    }
  }
  return { same, others, first: undefined };
}
