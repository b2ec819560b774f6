/** The border between plain step functions and Temporal: heart-beats, cancellation, and errors with their facts. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { CounterpartError } from './errors.ts';
import { stepEnded, type StepEnd } from './observe.activities.ts';
import { abortableSleep, type StepContext } from './step-context.ts';

/** A defect of ours, or of a library: tried again like any other failure, and told with the number of tries. */
function unforeseen(error: unknown, attempt: number): ApplicationFailure {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const what = 'the step failed in a way nobody foresaw';
  const remedy = 'This is a defect of Bellwether: keep the workflow’s history, then retry or abort.';
  return ApplicationFailure.create({
    message: why,
    type: 'unexpected',
    details: [{ subject: 'worker', what, why, remedy, attempt }],
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

/** Error types whose repetition can't help until a person has acted. */
function toFailure(error: unknown, attempt: number): unknown {
  if (!(error instanceof CounterpartError)) return unforeseen(error, attempt);
  const { type, kind, subject, what, why, remedy, code } = error.facts;
  return ApplicationFailure.create({
    message: error.message,
    type,
    nonRetryable: kind !== 'retryable',
    details: [{ subject, what, why, remedy, attempt, ...(code === undefined ? {} : { code }) }],
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
  });
}

/** Its check found the effect there already (`StepOutcome`). */
function foundDone(outcome: unknown): boolean {
  return typeof outcome === 'object' && outcome !== null && 'done' in outcome && outcome.done === 'before';
}

/**
 * Makes an activity of a step's function. Heart-beats go out by themselves: a step that waits for a slow answer is not
 * dead, and cancellation can only arrive with them.
 */
export function asActivity<I, O>(step: (context: StepContext, input: I) => Promise<O>): (input: I) => Promise<O> {
  return async (input: I) => {
    const temporal = Context.current();
    const { heartbeatTimeoutMs = 10_000, attempt } = temporal.info;
    const started = performance.now();
    let waiting = '';
    const beat = setInterval(() => temporal.heartbeat({ waitsFor: waiting }), Math.max(50, heartbeatTimeoutMs / 4));
    const context: StepContext = {
      signal: temporal.cancellationSignal,
      attempt,
      waitsFor(text) {
        waiting = text;
        temporal.heartbeat({ waitsFor: text });
      },
      now: () => new Date(),
      sleep: (milliseconds) => abortableSleep(milliseconds, temporal.cancellationSignal),
    };
    let end: StepEnd = 'done';
    let why: string | undefined;
    try {
      const outcome = await step(context, input);
      if (foundDone(outcome)) end = 'already-done';
      return outcome;
    } catch (error) {
      end = 'stopped';
      // A step interrupted by its cancellation must be reported as cancelled, whatever error that made underneath.
      if (temporal.cancellationSignal.aborted) throw temporal.cancellationSignal.reason;
      why = error instanceof Error ? error.message : String(error);
      end = error instanceof CounterpartError && error.facts.kind !== 'retryable' ? 'given-up' : 'failed';
      throw toFailure(error, attempt);
    } finally {
      clearInterval(beat);
      stepEnded(temporal, end, performance.now() - started, why);
    }
  };
}
