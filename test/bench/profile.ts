/** Where the time of a workflow goes, read from its history. */
import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { median } from './stats.ts';

/** Medians in milliseconds, except where said. */
export interface Profile {
  readonly events: number;
  readonly workflowTasks: number;
  readonly activities: number;
  /** Activities that were handed over in the answer to the workflow task that scheduled them, without a poll: count. */
  readonly failedTasks: number;
  /** From the decision "run this" to a worker having it. */
  readonly activityWait: number;
  /** The activity itself and the report of its result. */
  readonly activityRun: number;
  /** From a result to a worker having the workflow's next task. */
  readonly taskWait: number;
  /** The workflow's code and the report of its decisions. */
  readonly taskRun: number;
}

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

const at = (event: HistoryEvent): number => tsToMs(event.eventTime);

/** Pairs of events: `from` gives an event's id, `to` the id that an event answers. */
function spans(
  events: readonly HistoryEvent[],
  isFrom: (event: HistoryEvent) => boolean,
  answers: (event: HistoryEvent) => bigint | undefined,
): number[] {
  const starts = new Map(events.filter(isFrom).map((event) => [String(event.eventId), at(event)]));
  return events.flatMap((event) => {
    const start = starts.get(String(answers(event)));
    return start === undefined ? [] : [at(event) - start];
  });
}

const id = (value: { toString(): string } | null | undefined): bigint | undefined =>
  value === null || value === undefined ? undefined : BigInt(value.toString());

const middle = (values: readonly number[]): number => (values.length === 0 ? 0 : median(values));

export async function profileOf(client: Client, workflowId: string): Promise<Profile> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const all = events ?? [];
  const has = (kind: keyof HistoryEvent) => (event: HistoryEvent) => event[kind] !== null && event[kind] !== undefined;
  const count = (kind: keyof HistoryEvent) => all.filter(has(kind)).length;
  return {
    events: all.length,
    workflowTasks: count('workflowTaskCompletedEventAttributes'),
    activities: count('activityTaskScheduledEventAttributes'),
    failedTasks: count('workflowTaskFailedEventAttributes') + count('workflowTaskTimedOutEventAttributes'),
    activityWait: middle(
      spans(all, has('activityTaskScheduledEventAttributes'), (e) =>
        id(e.activityTaskStartedEventAttributes?.scheduledEventId),
      ),
    ),
    activityRun: middle(
      spans(all, has('activityTaskStartedEventAttributes'), (e) =>
        id(e.activityTaskCompletedEventAttributes?.startedEventId),
      ),
    ),
    taskWait: middle(
      spans(all, has('workflowTaskScheduledEventAttributes'), (e) =>
        id(e.workflowTaskStartedEventAttributes?.scheduledEventId),
      ),
    ),
    taskRun: middle(
      spans(all, has('workflowTaskStartedEventAttributes'), (e) =>
        id(e.workflowTaskCompletedEventAttributes?.startedEventId),
      ),
    ),
  };
}
