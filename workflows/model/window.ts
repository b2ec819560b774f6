/** Maintenance windows: what one is, what an opening of it does, and what its operations know of it. Pure data. */
import { matchingTimes, type CalendarRule } from './calendar.ts';
import type { OperationTiming } from './operation.ts';
import type { OperationWindow } from './operation-window.ts';
import type { OperationRequest } from './requests.ts';

/** A time in which no window opens. ISO times; `to` is the first instant after it. */
export interface WindowFreeze {
  readonly from: string;
  readonly to: string;
  readonly summary: string;
}

type Without<R, K extends PropertyKey> = R extends unknown ? Omit<R, K> : never;
/** As asked for; each opening gives it a key of its own. */
export type WindowOperation = Without<OperationRequest, 'key' | 'requestedBy' | 'ticket'>;

export interface WindowDefinition {
  readonly version: 1;
  readonly cluster: string;
  readonly name: string;
  /** As it was asked for, e.g. `every sat 22:00`. */
  readonly when: string;
  readonly timeZone: string;
  readonly calendars: readonly CalendarRule[];
  readonly lengthMinutes: number;
  /** An opening may come so much later, by chance. */
  readonly jitterMinutes: number;
  /** An opening that was missed (Temporal was away) still comes if it is no later than this. */
  readonly catchUpMinutes: number;
  readonly overlap: 'skip' | 'buffer-one';
  readonly freezes: readonly WindowFreeze[];
  readonly globalMaintenance: boolean;
  readonly ticket?: string;
  readonly operations: readonly WindowOperation[];
  readonly createdBy: string;
  /** ISO time. */
  readonly createdAt: string;
}

/** What the workflow gets from its schedule. */
export interface WindowInput {
  readonly definition: WindowDefinition;
  readonly timing: OperationTiming;
}

/** What an operation tells the opening. */
export interface OperationTold {
  readonly id: string;
  /** `waits`: it goes on in the next opening. */
  readonly state: 'done' | 'aborted' | 'waits';
  readonly summary: string;
}

export type WindowState = 'opening' | 'open' | 'closing' | 'done' | 'closed-early' | 'skipped' | 'parked';

export interface WindowOperationView {
  readonly id: string;
  readonly operation: string;
  readonly state: 'pending' | 'running' | 'done' | 'aborted' | 'failed' | 'waits' | 'not-started';
  readonly summary?: string;
}

/** One opening as people see it. */
export interface WindowView {
  readonly cluster: string;
  readonly name: string;
  readonly state: WindowState;
  /** ISO times. */
  readonly openedAt: string;
  readonly until: string;
  readonly globalMaintenance: string;
  readonly operations: readonly WindowOperationView[];
  readonly waitsFor?: string;
  readonly outcome?: string;
}

export interface WindowResult {
  readonly state: 'done' | 'closed-early' | 'skipped' | 'parked';
  readonly lines: readonly string[];
  /** Ids of operations that go on in the next opening, which reads this as its schedule's last result. */
  readonly waiting: readonly string[];
}

/** What an opening's closer must know to do its work in its place. */
export interface CloserInput {
  /** Workflow id. */
  readonly opening: string;
  readonly window: WindowInput;
  /** Start of the keys of the opening's operations. */
  readonly key: string;
  /** Ids of those that the opening would run. */
  readonly operations: readonly string[];
}

export const WINDOW_WORKFLOW = 'maintenanceWindow';

export const WINDOW_MESSAGES = {
  view: 'window',
  /** From an operation to the opening. */
  told: 'operationTold',
  /** From an opening to an operation. */
  opens: 'windowOpens',
  closes: 'windowCloses',
  /** From an opening to its closer. */
  closed: 'windowClosed',
} as const;

/** What an opening needs of Temporal's client. */
export interface WindowActivities {
  /** Starts it as the front door does; starting twice is starting once. */
  startWindowOperation(input: {
    readonly request: OperationRequest;
    readonly timing: OperationTiming;
    readonly window: OperationWindow;
  }): Promise<void>;
  /** How an operation stands that has told nothing: a terminated one never will. */
  windowOperationEnd(input: {
    readonly id: string;
  }): Promise<{ readonly running: boolean; readonly state: 'done' | 'aborted' | 'failed'; readonly summary: string }>;
  /**
   * `left-open`: it was ended from outside, and global maintenance may be on through it (`on` switched it on).
   * `taken-over`: the same, but another opening runs, which relies on it.
   */
  lookAtOpening(input: {
    readonly opening: string;
    readonly on: string;
  }): Promise<'open' | 'left-open' | 'taken-over' | 'nothing-left'>;
}

const MINUTE_MS = 60_000;

export function windowId(cluster: string, name: string): string {
  return `window/${cluster}/${name}`;
}

/** Start of the keys of an opening's operations: `sat-20261121T210000Z`. */
export function openingKey(name: string, opensAt: number): string {
  return `${name}-${new Date(opensAt)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '')}`;
}

/** The freeze in which the time lies. */
export function freezeAt(freezes: readonly WindowFreeze[], at: number): WindowFreeze | undefined {
  return freezes.find(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to));
}

/** When an opening ends: after its length, or where a freeze begins. */
export function closesAt({ lengthMinutes, freezes }: WindowDefinition, opensAt: number): number {
  const end = opensAt + lengthMinutes * MINUTE_MS;
  const begins = freezes.map(({ from }) => Date.parse(from)).filter((from) => from > opensAt && from < end);
  return Math.min(end, ...begins);
}

export interface Opening {
  /** Milliseconds. */
  readonly at: number;
  readonly until: number;
  /** It is left out for this. */
  readonly freeze?: WindowFreeze;
}

/** The openings after a time, those left out for a freeze too. */
export function* openings(definition: WindowDefinition, after: number): Generator<Opening> {
  const { calendars, timeZone, freezes } = definition;
  for (const at of matchingTimes(calendars, timeZone, after)) {
    const freeze = freezeAt(freezes, at);
    yield { at, until: closesAt(definition, at), ...(freeze === undefined ? {} : { freeze }) };
  }
}

/** The next opening that no freeze leaves out. */
export function nextOpening(definition: WindowDefinition, after: number): number | undefined {
  for (const { at, freeze } of openings(definition, after)) if (freeze === undefined) return at;
  return undefined;
}
