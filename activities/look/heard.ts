/**
 * Who writes their slot: told from the changes between the readings of one worker, as the writers' clocks can't be compared
 * (ha-agent.md 1.6). Ages count from the reading in which a change was seen.
 */

/** The reference's own limit. */
const REFERENCE_DEAD_MS = 60_000;
/** Our kind writes every 3 s; readings come seconds apart. */
const OURS_DEAD_BEATS = 5;
const OURS_DEAD_MIN_MS = 15_000;

interface Heard {
  readonly ts: number;
  readonly firstMs: number;
  /** undefined: never seen to change. */
  readonly changedMs: number | undefined;
}

export interface Life {
  /** null: not watched for long enough. */
  readonly lives: boolean | null;
  readonly heardSeconds: number | null;
}

/** Milliseconds of silence after which a writer counts as gone. */
export function deadAfterMs(intervalMs: number | undefined): number {
  if (intervalMs === undefined) return REFERENCE_DEAD_MS;
  return Math.min(REFERENCE_DEAD_MS, Math.max(OURS_DEAD_MIN_MS, OURS_DEAD_BEATS * intervalMs));
}

export class SlotEar {
  readonly #heard = new Map<number, Heard>();

  /** Takes in the timestamps of one reading. A slot that can't be read keeps what was known of it. */
  hear(timestamps: ReadonlyMap<number, number>, nowMs: number): void {
    for (const [id, ts] of timestamps) {
      const before = this.#heard.get(id);
      if (before === undefined) this.#heard.set(id, { ts, firstMs: nowMs, changedMs: undefined });
      else if (before.ts !== ts) this.#heard.set(id, { ...before, ts, changedMs: nowMs });
    }
  }

  /** @param intervalMs of our kind's writer; undefined for the reference's. A slot that says "stopped" does not live. */
  life(id: number, stopped: boolean, intervalMs: number | undefined, nowMs: number): Life {
    const heard = this.#heard.get(id);
    if (heard === undefined) return { lives: stopped ? false : null, heardSeconds: null };
    const { changedMs, firstMs } = heard;
    const silentMs = nowMs - (changedMs ?? firstMs);
    const silent = silentMs > deadAfterMs(intervalMs);
    const heardSeconds = changedMs === undefined ? null : Math.round((nowMs - changedMs) / 1000);
    if (stopped || silent) return { lives: false, heardSeconds };
    return { lives: changedMs === undefined ? null : true, heardSeconds };
  }
}
