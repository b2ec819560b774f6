/**
 * The seam between the worker and its world: the real one (`env-linux`) and the simulated one (`test/simulation`) are two
 * bodies of this interface, and nothing else of the worker differs between them.
 *
 * No call waits: what takes time is asked for and shows up in a later `facts()` or `board()`. So neither a hung disk nor a
 * hung VDSM can stop the loop; their age is a fact.
 */
import type {
  ActionResult,
  Alert,
  Decision,
  HealthFact,
  HostFact,
  LeaseFact,
  Memory,
  Observation,
  Reason,
  StorageFact,
  VmAction,
  VmFact,
} from './core/types.ts';

/** The latest that each monitor has, however old; each says when it was taken. */
export interface LocalFacts {
  readonly vm: VmFact | undefined;
  readonly health: HealthFact | undefined;
  readonly host: HostFact | undefined;
  readonly lease: LeaseFact | undefined;
  readonly storage: StorageFact | undefined;
  readonly localMaintenance: boolean;
  /** Answers to orders since the last call. */
  readonly done: readonly ActionResult[];
}

/** A finished reading: slots by host id, as they lie there. */
export interface BoardReading {
  readonly startedMs: number;
  /** Whole boards say which slots exist at all. */
  readonly whole: boolean;
  readonly global: Buffer | undefined;
  readonly slots: ReadonlyMap<number, Buffer>;
}

/** One round as it was decided: enough to decide it again, anywhere, and come to the same. */
export interface JournalEntry {
  readonly atMs: number;
  readonly hostId: number;
  readonly before: Memory;
  readonly observation: Observation;
  /** What came of it, whole; the next four say the same shorter. */
  readonly decision: Decision;
  readonly state: string;
  readonly score: number;
  readonly order: VmAction | undefined;
  readonly reasons: readonly Reason[];
}

/** What outlives the process, in times of the same clock; after a reboot all of it counts as just happened, `mine` is dropped. */
export type Kept = Pick<Memory, 'failures' | 'engineRestarts' | 'moves' | 'mine'>;

export interface Env {
  /** Milliseconds that also run while the host sleeps. Never steps. */
  bootMs(): number;
  /** For people only; no decision reads it. */
  wallMs(): number;
  facts(): LocalFacts;
  /** Begins a reading; at most one runs. Without ids: the whole board. */
  readBoard(ids: readonly number[] | undefined): void;
  /** The last reading that finished, the same object until another has. */
  board(): BoardReading | undefined;
  /** Begins the writing of this host's slot; a newer one takes the place of one that waits. */
  writeSlot(bytes: Buffer): void;
  writeGlobal(bytes: Buffer): void;
  /** Gives an order; its answer appears among `facts().done`. */
  order(id: number, action: VmAction): void;
  /** Must be on disk when it returns; false when it cannot be written. */
  journal(entry: JournalEntry): boolean;
  alert(alert: Alert): void;
  load(): Kept | undefined;
  keep(kept: Kept): void;
}
