/**
 * The words of the core: what it is told (`Observation`), what it keeps (`Memory`), what it answers (`Decision`).
 *
 * All times are milliseconds of one host's clock that also runs while the host sleeps; never a wall clock, never another
 * host's clock. Every fact says when it was taken, as an old fact is worth less than none.
 */
import type { Announcement } from '../../../activities/storage/announcement.ts';
import type { Penalty } from '../../../activities/storage/score-words.ts';
import type { Timing } from './timing.ts';

/** The engine VM on this host, as VDSM has it. `launching`: accepted, perhaps still waiting for its lease. */
export type VmState = 'absent' | 'launching' | 'up' | 'paused' | 'stopping' | 'leaving' | 'arriving' | 'down';
/** Why a VM that is down went down (ha-agent.md 4.4). */
export type ExitCause = 'lock-held' | 'migrated' | 'failed' | 'crashed' | 'shutdown';

export interface VmFact {
  readonly atMs: number;
  readonly state: VmState;
  readonly exit?: ExitCause;
  /** VDSM's own word, for people and for the block. */
  readonly detail: string;
}

/** `unknown`: the page could not be asked (no name, no route); that says nothing about the engine. */
export interface HealthFact {
  readonly atMs: number;
  readonly engine: 'good' | 'bad' | 'unknown';
  /** Any sign of a start that gets on (guest agent, open ports); only its change counts. */
  readonly progress: number;
}

export interface HostFact {
  readonly atMs: number;
  /** Share of network targets that answered, 0 to 1. */
  readonly network: number;
  readonly networkAtMs: number;
  /** undefined counts as up (ha-agent.md 3). */
  readonly bridgeUp: boolean | undefined;
  /** Mean load of 15 minutes without the engine's own, 0 to 1. */
  readonly cpuLoad: number;
  readonly memFreeMb: number | undefined;
  readonly confUpToDate: boolean;
  readonly shuttingDown: boolean;
}

/** sanlock's view: of this host, and of whom the VM's lease names. */
export interface LeaseFact {
  readonly atMs: number;
  /** false: the daemon's connection is gone; a VM here has lost its lease (lab.md 1, hazard 4). */
  readonly connected: boolean;
  readonly joined: boolean;
  readonly owner: number | undefined;
  /** How long ago the owner's renewal was last seen to move. */
  readonly ownerSilentMs: number | undefined;
  readonly ioSeconds: number;
  readonly watchdogSeconds: number;
}

export interface StorageFact {
  readonly atMs: number;
  readonly ok: boolean;
}

/** What a host says beside the reference's block, in the human part. Only our own kind says it. */
export type { Announcement };

export interface PeerReport {
  readonly id: number;
  readonly ts: number;
  readonly score: number;
  readonly vm: string;
  readonly health: string;
  readonly maintenance: boolean;
  readonly stopped: boolean;
  readonly hostname: string;
  /** undefined: the reference's agent wrote this block. */
  readonly said: Announcement | undefined;
}

export interface BoardFact {
  /** When the reading began. */
  readonly readMs: number;
  /** undefined: the block cannot be understood; the last word stands. */
  readonly global: boolean | undefined;
  readonly peers: readonly PeerReport[];
  readonly unreadable: readonly { readonly id: number; readonly why: string }[];
}

export interface Settings {
  readonly hostId: number;
  readonly timing: Timing;
  /** What the engine VM needs. */
  readonly vmMemoryMb: number;
  /** Higher is preferred at a start; never a reason to move. */
  readonly priority: number;
  readonly canMigrate: boolean;
}

export interface ActionResult {
  readonly id: number;
  readonly ok: boolean;
  readonly why: string;
}

export interface Observation {
  readonly nowMs: number;
  readonly settings: Settings;
  readonly board: BoardFact | undefined;
  readonly vm: VmFact | undefined;
  readonly health: HealthFact | undefined;
  readonly host: HostFact | undefined;
  readonly lease: LeaseFact | undefined;
  readonly storage: StorageFact | undefined;
  readonly localMaintenance: boolean;
  readonly done: readonly ActionResult[];
}

export type VmAction =
  | { readonly kind: 'start' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'destroy' }
  | { readonly kind: 'migrate'; readonly to: number };

export type AlertKind =
  | 'timeouts-differ'
  | 'engine-unhealthy'
  | 'nobody-can-run'
  | 'cannot-hand-over'
  | 'failures-here';

export interface Alert {
  readonly kind: AlertKind;
  readonly text: string;
}

/** Which rule, on which inputs, since when: for the log, the board and `why`. */
export interface Reason {
  readonly rule: string;
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
  readonly sinceMs: number;
}

export interface PeerMemory {
  readonly ts: number;
  readonly changedMs: number;
  readonly changes: number;
  readonly report: PeerReport;
}

/** A guest that was told to stop, and what for. */
export interface Stopping {
  readonly sinceMs: number;
  readonly why: 'restart' | 'move';
  readonly to: number | undefined;
}

export interface Memory {
  readonly startedMs: number;
  /** The turn before this one: over a gap nobody watched whether a condition held. */
  readonly lookedMs: number;
  readonly boardSinceMs: number | undefined;
  readonly state: StateName;
  readonly rule: string;
  readonly sinceMs: number;
  readonly global: boolean;
  readonly peers: ReadonlyMap<number, PeerMemory>;
  /** The engine VM ran here last and nobody was given it since. */
  readonly mine: { readonly sinceMs: number; readonly healthyMs: number | undefined } | undefined;
  readonly progress: { readonly value: number; readonly changedMs: number };
  readonly vmState: VmState;
  readonly vmChangedMs: number;
  /** Times of failed starts and crashes here; they fade (timing.failureFadeMs). */
  readonly failures: readonly number[];
  readonly engineRestarts: readonly number[];
  readonly moves: readonly number[];
  readonly failedMoves: readonly { readonly to: number; readonly atMs: number }[];
  /** Conditions that hold, since when. */
  readonly windows: Readonly<Partial<Record<WindowName, number>>>;
  readonly stopping: Stopping | undefined;
  /** Host of the migration that this worker ordered last. */
  readonly movingTo: number | undefined;
  readonly pending: { readonly id: number; readonly action: VmAction; readonly sinceMs: number } | undefined;
  readonly actedMs: number;
  readonly nextActionId: number;
  readonly claim: string;
  readonly alerted: readonly AlertKind[];
  readonly score: number;
}

export type WindowName =
  | 'network-lost'
  | 'engine-bad'
  | 'storage-ok'
  | 'better-host'
  | 'leave'
  | 'lease-elsewhere'
  | 'start-open'
  | 'given';

/** The reference's class names where the meaning is the same: tools read them from the human part. */
export type StateName =
  | 'StartState'
  | 'GlobalMaintenance'
  | 'LocalMaintenance'
  | 'UnknownLocalVmState'
  | 'EngineUp'
  | 'EngineUpBadHealth'
  | 'EngineDown'
  | 'EngineStart'
  | 'EngineStarting'
  | 'EngineStop'
  | 'EngineForceStop'
  | 'EngineMigrating'
  | 'StorageLost'
  | 'Refusing';

export type { Penalty };

export interface Score {
  readonly value: number;
  readonly penalties: readonly Penalty[];
  /** Set when a state or a count overrides the sum. */
  readonly zeroBecause: string | undefined;
}

export interface PlannedAction {
  readonly id: number;
  readonly action: VmAction;
}

export interface Decision {
  readonly memory: Memory;
  readonly score: Score;
  readonly action: PlannedAction | undefined;
  readonly alerts: readonly Alert[];
  /** First the rule that fired, then the alternatives that were rejected. */
  readonly reasons: readonly Reason[];
}
