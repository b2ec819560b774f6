/** What a running step waits for now, and how often it was tried: Temporal knows it while the workflow only waits. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';

type Raw = WorkflowExecutionDescription['raw'];

/** A worker's last proof of life carries the step's words (`activities/border.activities.ts`). */
function lastWords(payloads: readonly Payload[] | null | undefined): string | undefined {
  const [first] = payloads ?? [];
  if (first === undefined) return undefined;
  const beat: unknown = defaultPayloadConverter.fromPayload(first);
  const words = typeof beat === 'object' && beat !== null && 'waitsFor' in beat ? beat.waitsFor : undefined;
  return typeof words === 'string' && words !== '' ? words : undefined;
}

/** One line, or undefined when nothing is under way or there is nothing to say. */
export function pendingWords(raw: Raw): string | undefined {
  const lines = (raw.pendingActivities ?? []).flatMap((activity) => {
    const words = lastWords(activity.heartbeatDetails?.payloads);
    const attempt = activity.attempt ?? 1;
    const failure = activity.lastFailure?.message;
    const tried = attempt > 1 ? `attempt ${attempt}${failure ? `, the last one failed: ${failure}` : ''}` : undefined;
    const parts = [words, tried].filter((part) => part !== undefined);
    return parts.length === 0 ? [] : [parts.join('; ')];
  });
  return lines.length === 0 ? undefined : lines.join('; ');
}
