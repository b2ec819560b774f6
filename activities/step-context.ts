/** What a step's function gets beside its input; the same under Temporal, in a test and in the plain runner. */

export interface StepContext {
  /** Stops the step: cancellation of the operation, or the worker's shutdown. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Says what the step waits for now; shown to operators, and proof of life to Temporal. */
  waitsFor(text: string): void;
  now(): Date;
  /** Waits; ends early with the signal's reason. */
  sleep(milliseconds: number): Promise<void>;
}

/** The activities of an operation as plain functions: for the worker, and for a runner without Temporal. */
export type StepFunctions<A> = {
  readonly [Name in keyof A]: A[Name] extends (input: infer I) => infer O
    ? (context: StepContext, input: I) => O
    : never;
};

export function abortableSleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const reason = () => (signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    if (signal.aborted) return reject(reason());
    const onAbort = () => {
      clearTimeout(timer);
      reject(reason());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

export interface PollOptions {
  /** For the operator: "storage domain hosted_storage to become active". */
  readonly what: string;
  readonly everyMs: number;
  readonly limitMs: number;
}

/**
 * Asks `look` until it answers something. A look may be slow: the last one begins when the limit has passed, so that what
 * was seen is never older than that.
 * @returns undefined when the limit has passed: the caller knows what that means.
 */
export async function poll<T>(
  context: StepContext,
  options: PollOptions,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = context.now().getTime() + options.limitMs;
  for (;;) {
    const last = context.now().getTime() >= deadline;
    const found = await look();
    if (found !== undefined) return found;
    if (last) return undefined;
    context.waitsFor(options.what);
    await context.sleep(options.everyMs);
  }
}
