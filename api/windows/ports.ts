/** What the routes of maintenance windows need of Temporal's schedules. */
import type { WindowInput } from '../../workflows/model/window.ts';

export interface WindowOpening {
  /** ISO times. */
  readonly opensAt: string;
  readonly closesAt: string;
  /** On the clocks of the window's zone. */
  readonly local: string;
  /** Why it is left out. */
  readonly skipped?: string;
}

export interface WindowReport {
  readonly id: string;
  readonly cluster: string;
  readonly name: string;
  readonly when: string;
  readonly timeZone: string;
  readonly lengthMinutes: number;
  readonly jitterMinutes: number;
  readonly catchUpMinutes: number;
  readonly overlap: string;
  readonly globalMaintenance: boolean;
  readonly ticket?: string;
  readonly operations: readonly { readonly operation: string }[];
  readonly createdBy: string;
  readonly paused?: string;
  readonly freezes: number;
  readonly next?: WindowOpening;
  readonly open: boolean;
  readonly last: readonly PastOpening[];
}

export interface PastOpening {
  readonly id: string;
  readonly openedAt: string;
  readonly state: string;
  readonly outcome?: string;
}

/** A window as its schedule holds it. */
export interface KnownWindow {
  readonly input: WindowInput;
  readonly paused?: string;
  /** An opening runs now. */
  readonly open: boolean;
  /** The latest first. */
  readonly last: readonly PastOpening[];
}

/** As `Unavailable` of the other ports, which import this file. */
export interface WindowsAway {
  readonly outcome: 'unavailable';
  readonly why: string;
}

type Missing = { readonly outcome: 'unknown' } | WindowsAway;

export interface WindowDesk {
  /** `refused`: Temporal can't make a schedule of it. */
  create(
    input: WindowInput,
  ): Promise<
    { readonly outcome: 'created' | 'exists' } | { readonly outcome: 'refused'; readonly why: string } | WindowsAway
  >;
  list(
    cluster?: string,
  ): Promise<{ readonly outcome: 'listed'; readonly windows: readonly KnownWindow[] } | WindowsAway>;
  show(cluster: string, name: string): Promise<{ readonly outcome: 'found'; readonly window: KnownWindow } | Missing>;
  /** Times at which Temporal would open it, in milliseconds; freezes of hours are not its matter. */
  times(
    cluster: string,
    name: string,
    from: Date,
    to: Date,
  ): Promise<{ readonly outcome: 'listed'; readonly times: readonly number[] } | Missing>;
  pause(cluster: string, name: string, note: string): Promise<{ readonly outcome: 'done' } | Missing>;
  resume(cluster: string, name: string, note: string): Promise<{ readonly outcome: 'done' } | Missing>;
  remove(cluster: string, name: string): Promise<{ readonly outcome: 'done' } | Missing>;
  /** `open`: refused, because one is. */
  runNow(cluster: string, name: string): Promise<{ readonly outcome: 'done' } | { readonly outcome: 'open' } | Missing>;
}
