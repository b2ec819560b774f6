/** From a Temporal failure to the words that an operator reads. */
import { DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { StepFailure } from '../model/operation.ts';

/** What the activity border puts into a failure's details (`activities/step-context.ts`). */
interface FailureDetails {
  readonly subject: string;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly attempt: number;
}

const converter = new DefaultFailureConverter();

function isDetails(value: unknown): value is FailureDetails {
  return typeof value === 'object' && value !== null && 'remedy' in value && 'what' in value && 'attempt' in value;
}

/**
 * What ended the last attempt that said anything: an attempt cut off by a time limit says less than the one before it.
 * The SDK leaves a `TimeoutFailure` without its cause, which the server did send.
 */
function lastWords(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  const before = cause instanceof TimeoutFailure ? cause.failure?.cause : undefined;
  return before ? lastWords(converter.failureToError(before, defaultPayloadConverter)) : cause;
}

export function stepFailure(error: unknown): StepFailure {
  const cause = lastWords(error);
  const details: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  if (cause instanceof ApplicationFailure && isDetails(details)) {
    return {
      type: cause.type ?? 'unknown',
      what: `${details.subject}: ${details.what}`,
      why: details.why,
      remedy: details.remedy,
      attempts: details.attempt,
    };
  }
  if (cause instanceof TimeoutFailure) {
    const kind = cause.timeoutType ?? 'TIMEOUT';
    return {
      type: `timeout/${kind.toLowerCase()}`,
      what: 'the step did not end in its time',
      why: `Temporal reports ${kind} (${cause.message})`,
      remedy: 'See that a worker runs and that hosts and engine answer, then retry.',
      attempts: 1,
    };
  }
  const name = cause instanceof ApplicationFailure ? cause.type : undefined;
  return {
    type: 'unexpected',
    what: 'the step failed in a way nobody foresaw',
    why: cause instanceof Error ? `${name ?? cause.name}: ${cause.message}` : String(cause),
    remedy: 'This is a defect of Bellwether: keep the workflow’s history, then retry or abort.',
    attempts: 1,
  };
}
