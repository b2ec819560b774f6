/**
 * The lab's clock. Every simulated delay is asked for in lab milliseconds; `speed` lab seconds pass in one wall second.
 *
 * Protocol limits that a real peer measures (heart-beats, handshakes) are not lab time: they stay on the wall clock.
 */
import { performance } from 'node:perf_hooks';

export class LabClock {
  readonly speed: number;
  readonly #start = performance.now();

  /** @param speed lab seconds per wall second, above 0; 1 = real time. */
  constructor(speed = 1) {
    if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`lab speed must be above 0, not ${speed}`);
    this.speed = speed;
  }

  /** Monotonic lab milliseconds since this clock was made. */
  now(): number {
    return (performance.now() - this.#start) * this.speed;
  }

  /** Date for texts that people read ("Last Updated"). Real time, so that all processes of a lab agree on it. */
  wallDate(): Date {
    return new Date();
  }

  /**
   * Resolves after `labMs`, or at once when `signal` aborts: it never rejects, the caller looks at `signal.aborted`.
   * Background loops end that way without a rejection that nobody handles.
   */
  async sleep(labMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, labMs / this.speed));
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
