/** What the running worker tells about itself, whole and without any I/O: the command line makes its screens of it. */
import type { Decision, Observation, StorageFact } from './core/types.ts';
import type { JournalEntry } from './env.ts';

export interface Snapshot {
  readonly version: string;
  readonly hostname: string;
  readonly pid: number;
  /** Times of the clock that all facts are of (`Env.bootMs`). */
  readonly nowMs: number;
  readonly startedMs: number;
  /** undefined before the first round. */
  readonly round: { readonly observation: Observation; readonly decision: Decision } | undefined;
  /** The last changes of rule or state and the last orders, newest last; at most 50. */
  readonly recent: readonly JournalEntry[];
  /** Of the storage domain; beside the board's own age in `round.observation.board`. */
  readonly storage: StorageFact | undefined;
  /** Where the engine VM's definition comes from, e.g. `OVF_STORE 8fcc3bda…, written 2026-11-20 03:10 UTC`; why not the other sources. */
  readonly definition: { readonly source: string; readonly notes: readonly string[] };
  readonly journalFile: string;
}
