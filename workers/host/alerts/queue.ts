/** Sending in the background: one at a time, bounded, each try with a time limit, again with growing pauses. */
import { CounterpartError } from '../../../activities/errors.ts';

export interface Job {
  /** For the log. */
  readonly name: string;
  /** Should end when the signal is aborted; the queue goes on then in any case. */
  send(signal: AbortSignal): Promise<void>;
  /** Never sent: the queue was full, or all tries failed. */
  lost?(): void;
}

export interface QueueOptions {
  readonly name: string;
  /** Jobs that wait; one more drops the oldest. */
  readonly limit: number;
  readonly timeoutMs: number;
  /** Pauses between tries; one try more than pauses. */
  readonly pausesMs: readonly number[];
  readonly log: (level: 'info' | 'warn', text: string) => void;
}

export interface Queue {
  push(job: Job): void;
  /** Waits until all is sent or given up, at most so long. True: nothing is left. */
  flush(limitMs: number): Promise<boolean>;
  /** Ends what runs; what waits is dropped with a line in the log. */
  close(): void;
  waiting(): number;
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function createQueue(options: QueueOptions): Queue {
  const waiting: Job[] = [];
  const closing = new AbortController();
  const idle = new Set<() => void>();
  let running = false;

  const drop = (job: Job, why: string) => {
    options.log('warn', `${options.name}: ${job.name} was dropped: ${why}`);
    job.lost?.();
  };

  const run = async () => {
    running = true;
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      await deliver(job, options, closing.signal, drop);
    }
    running = false;
    for (const wake of idle) wake();
  };

  return {
    push(job) {
      if (closing.signal.aborted) return drop(job, 'the worker stops');
      waiting.push(job);
      if (waiting.length > options.limit) {
        const oldest = waiting.shift();
        if (oldest !== undefined) drop(oldest, `more than ${options.limit} wait`);
      }
      // Begins in a later turn: the caller's loop has more to do.
      if (!running) {
        running = true;
        setImmediate(() => void run());
      }
    },
    async flush(limitMs) {
      if (!running) return true;
      return new Promise((resolve) => {
        const done = (empty: boolean) => {
          clearTimeout(timer);
          idle.delete(wake);
          resolve(empty);
        };
        const wake = () => done(true);
        const timer = setTimeout(() => done(false), limitMs);
        idle.add(wake);
      });
    },
    close() {
      closing.abort();
      for (const job of waiting.splice(0)) drop(job, 'the worker stops');
    },
    waiting: () => waiting.length,
  };
}

async function deliver(
  job: Job,
  options: QueueOptions,
  closing: AbortSignal,
  drop: (job: Job, why: string) => void,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await limited(job, options.timeoutMs, closing);
      if (tries > 1) options.log('info', `${options.name}: ${job.name} was sent at try ${tries}`);
      return;
    } catch (error) {
      const pauseMs = options.pausesMs[tries - 1];
      const final = error instanceof CounterpartError && error.facts.kind !== 'retryable';
      if (closing.aborted || final || pauseMs === undefined) {
        return drop(job, closing.aborted ? 'the worker stops' : wordsOf(error));
      }
      options.log('warn', `${options.name}: ${job.name}: try ${tries} failed: ${wordsOf(error)}`);
      await pause(pauseMs, closing);
      if (closing.aborted) return drop(job, 'the worker stops');
    }
  }
}

/** A send that does not end when it is told to is left behind. */
async function limited(job: Job, timeoutMs: number, closing: AbortSignal): Promise<void> {
  const controller = new AbortController();
  let stop: (why: string) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = (why) => {
      const error = new Error(why);
      controller.abort(error);
      reject(error);
    };
  });
  const onClose = () => stop('the worker stops');
  const timer = setTimeout(() => stop(`no end within ${timeoutMs / 1000} s`), timeoutMs);
  closing.addEventListener('abort', onClose);
  try {
    await Promise.race([job.send(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    closing.removeEventListener('abort', onClose);
  }
}

async function pause(ms: number, closing: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      closing.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    closing.addEventListener('abort', done);
  });
}
