/** Work that is done again and again, never twice at once, and that cannot end the worker. */

export interface Repeated {
  /** Does it now, or right after the run that is under way. */
  now(): void;
  stop(): void;
}

/**
 * Runs `work` at once and then every `everyMs` from start to start. A failure is the work's own business.
 * @param work gets a signal that is aborted when its time (`limitMs`) is over; what it does after that counts for nothing
 */
export function repeat(everyMs: number, limitMs: number, work: (signal: AbortSignal) => Promise<void>): Repeated {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  let stopped = false;
  const run = () => {
    if (stopped) return;
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    const started = performance.now();
    const limit = new AbortController();
    let end: NodeJS.Timeout | undefined;
    // Whoever ignores its signal must not hold up the next run for ever.
    const late = new Promise<void>((resolve) => {
      end = setTimeout(() => {
        limit.abort(new Error(`it took longer than ${limitMs} ms`));
        resolve();
      }, limitMs);
    });
    void Promise.race([work(limit.signal).catch(() => undefined), late]).then(() => {
      clearTimeout(end);
      running = false;
      const wait = again ? 0 : Math.max(0, everyMs - (performance.now() - started));
      again = false;
      if (!stopped) timer = setTimeout(run, wait);
    });
  };
  run();
  return {
    now: run,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
