/** At most `max` holders at a time, the rest wait in order (vdsm.md 4: 8 workers and 80 places per host, for all clients). */
export class Gate {
  readonly #max: number;
  #inside = 0;
  /** Insertion order is the queue's order. */
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`a gate for ${max}`);
    this.#max = max;
  }

  /**
   * Waits for a place and answers the function that gives it back (once; more calls do nothing).
   * Rejects with the signal's reason; then no place is held.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#inside >= this.#max || this.#waiting.size > 0) await this.#queue(signal);
    else this.#inside += 1;
    let held = true;
    return () => {
      if (held) this.#leave();
      held = false;
    };
  }

  /** The place is handed over, not freed and taken again: nobody can jump the queue. */
  #leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#inside -= 1;
  }

  #queue(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiting.delete(turn);
        reject(signal.reason);
      };
      this.#waiting.add(turn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
