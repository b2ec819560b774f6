/** From a Temporal failure to the words that an operator reads. */
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

function isDetails(value: unknown): value is FailureDetails {
  return typeof value === 'object' && value !== null && 'remedy' in value && 'what' in value && 'attempt' in value;
}

export function stepFailure(error: unknown): StepFailure {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  const application =
    cause instanceof TimeoutFailure && cause.cause instanceof ApplicationFailure ? cause.cause : cause;
  if (application instanceof ApplicationFailure) {
    const details = application.details?.[0];
    if (isDetails(details)) {
      return {
        type: application.type ?? 'unknown',
        what: `${details.subject}: ${details.what}`,
        why: details.why,
        remedy: details.remedy,
        attempts: details.attempt,
      };
    }
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
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return {
    type: 'unexpected',
    what: 'the step failed in a way nobody foresaw',
    why: text,
    remedy: 'This is a defect of Bellwether: keep the workflow’s history, then retry or abort.',
    attempts: 1,
  };
}
