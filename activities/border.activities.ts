/** The border between plain step functions and Temporal: heart-beats, cancellation, and errors with their facts. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { CounterpartError } from './errors.ts';
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

/**
 * Makes an activity of a step's function. Heart-beats go out by themselves: a step that waits for a slow answer is not
 * dead, and cancellation can only arrive with them.
 */
export function asActivity<I, O>(step: (context: StepContext, input: I) => Promise<O>): (input: I) => Promise<O> {
  return async (input: I) => {
    const temporal = Context.current();
    const { heartbeatTimeoutMs = 10_000, attempt } = temporal.info;
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
    try {
      return await step(context, input);
    } catch (error) {
      // A step interrupted by its cancellation must be reported as cancelled, whatever error that made underneath.
      if (temporal.cancellationSignal.aborted) throw temporal.cancellationSignal.reason;
      throw toFailure(error, attempt);
    } finally {
      clearInterval(beat);
    }
  };
}
