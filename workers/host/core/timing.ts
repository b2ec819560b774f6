/**
 * One timing profile; everything else follows from it (peers-ha.md 2.3, 2.4).
 *
 * `ioSeconds` and `watchdogSeconds` are sanlock's and must be equal on all hosts. The board is beaten much faster than the
 * lease: a wrong guess costs a refused start, as the lease has the last word.
 */
export interface Profile {
  readonly name: string;
  readonly ioSeconds: number;
  readonly watchdogSeconds: number;
}

export const PROFILES = {
  default: { name: 'default', ioSeconds: 10, watchdogSeconds: 60 },
  fast: { name: 'fast', ioSeconds: 5, watchdogSeconds: 30 },
  lab: { name: 'lab', ioSeconds: 2, watchdogSeconds: 10 },
} as const satisfies Record<string, Profile>;

/** What an administrator may set beside the profile; the engine's own times do not follow from the lease. */
export interface EngineTimes {
  readonly badHealthMs: number;
  readonly bootMs: number;
  readonly guestStopMs: number;
}

export const ENGINE_TIMES: EngineTimes = { badHealthMs: 300_000, bootMs: 600_000, guestStopMs: 60_000 };

export interface Timing extends EngineTimes {
  readonly profile: Profile;
  /** One reading and one writing of the board. */
  readonly beatMs: number;
  /** A fact older than this is not acted on. */
  readonly freshMs: number;
  /** A host of our kind is silent. */
  readonly peerDeadBeats: number;
  /** The reference's limit, for its own kind (ha-agent.md 1.6). */
  readonly referenceDeadMs: number;
  /** Watching before the first start by a host that knows nothing. */
  readonly listenMs: number;
  readonly listenReferenceMs: number;
  /** The owner's renewal has not moved: a start may be issued, sanlock holds it back as long as need be. */
  readonly ownerSilentMs: number;
  /** 8 io + watchdog: sanlock gives the lease away. */
  readonly hostDeadMs: number;
  /** A start that waits for its lease is given up after this. */
  readonly launchMs: number;
  readonly confirmMs: number;
  readonly confirmReferenceMs: number;
  /** A difference must hold this long before the engine moves for points. */
  readonly holdMs: number;
  readonly residenceMs: number;
  readonly turnMs: number;
  readonly actionMs: number;
  readonly pausedMs: number;
  /** A VM that was migrated away has this long to be announced by its new host. */
  readonly givenMs: number;
  readonly failureFadeMs: number;
  readonly failuresHere: number;
  readonly engineRestartsPerWindow: number;
  readonly engineRestartWindowMs: number;
  readonly movesPerHour: number;
  readonly threshold: number;
}

/** All times of a profile, in milliseconds. */
export function timingOf(profile: Profile, engine: EngineTimes = ENGINE_TIMES): Timing {
  const ioMs = profile.ioSeconds * 1000;
  const beatMs = Math.max(1000, Math.round(ioMs * 0.3));
  const hostDeadMs = 8 * ioMs + profile.watchdogSeconds * 1000;
  return {
    ...engine,
    profile,
    beatMs,
    freshMs: 2 * beatMs,
    peerDeadBeats: 5,
    referenceDeadMs: 60_000,
    listenMs: 4 * beatMs,
    listenReferenceMs: 35_000,
    ownerSilentMs: 4 * ioMs,
    hostDeadMs,
    launchMs: hostDeadMs + 4 * ioMs + 30_000,
    confirmMs: 5 * beatMs,
    confirmReferenceMs: 60_000,
    holdMs: 40 * beatMs,
    residenceMs: 600_000,
    turnMs: 3 * beatMs,
    actionMs: 30_000,
    pausedMs: 10 * beatMs,
    givenMs: 40_000,
    failureFadeMs: 1_800_000,
    failuresHere: 3,
    engineRestartsPerWindow: 2,
    engineRestartWindowMs: 7_200_000,
    movesPerHour: 2,
    threshold: 800,
  };
}

/** Wait before the next try after `failures` of them: none after the first, then 10 s doubling to 300 s. */
export function backOffMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(300_000, 10_000 * 2 ** (failures - 2));
}
