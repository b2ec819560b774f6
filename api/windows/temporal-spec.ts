/** A window's calendars as a schedule's specification: what Temporal itself evaluates. */
import { ScheduleOverlapPolicy, type CalendarSpec, type ScheduleOptions } from '@temporalio/client';
import type { CalendarRule, NumberRange } from '../../workflows/model/calendar.ts';
import { windowId, WINDOW_WORKFLOW, type WindowInput } from '../../workflows/model/window.ts';

const DAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;

const plain = (ranges: readonly NumberRange[]) => ranges.map(({ start, end, step }) => ({ start, end, step }));

function named<T extends string>(ranges: readonly NumberRange[], names: readonly T[], first: number) {
  return ranges.flatMap(({ start, end, step }) => {
    const [from, to] = [names[start - first], names[end - first]];
    return from === undefined || to === undefined ? [] : [{ start: from, end: to, step }];
  });
}

function calendarOf(rule: CalendarRule): CalendarSpec {
  return {
    second: 0,
    minute: plain(rule.minute),
    hour: plain(rule.hour),
    dayOfMonth: plain(rule.dayOfMonth),
    month: named(rule.month, MONTHS, 1),
    dayOfWeek: named(rule.dayOfWeek, DAYS, 0),
    ...(rule.year === undefined ? {} : { year: plain(rule.year) }),
  };
}

const OVERLAP = { skip: ScheduleOverlapPolicy.SKIP, 'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE } as const;

/** Markdown beside the current details in the Temporal UI. */
function detailsOf({ definition }: WindowInput): string {
  const { cluster, name, when, timeZone, lengthMinutes, globalMaintenance, operations, createdBy } = definition;
  return [
    `- cluster: **${cluster}**`,
    `- window: ${name}, ${when} (${timeZone}), ${lengthMinutes} minutes`,
    `- global maintenance: ${globalMaintenance ? 'on while it is open' : 'not asked for'}`,
    `- operations: ${operations.map(({ operation }) => operation).join(', ')}`,
    `- created by: ${createdBy}`,
    `- look at it: \`npx bellwether window show ${name} --cluster ${cluster}\``,
    '',
    '**The buttons of this page**',
    '',
    '- *Request Cancellation*: closes the window early; what runs ends its step and goes on in the next opening',
    '- *Terminate* and *Reset*: **not for windows**; global maintenance may stay on',
  ].join('\n');
}

/**
 * The schedule. Freezes are not in it: the workflow knows them, ends as skipped, and so an opening that was left out is
 * seen like any other. The memo says what the window is to somebody who looks at Temporal alone.
 */
export function scheduleOf(
  input: WindowInput,
  taskQueue: string,
  attributes: ScheduleOptions['typedSearchAttributes'],
): ScheduleOptions {
  const { definition } = input;
  const { cluster, name, calendars, timeZone, jitterMinutes, catchUpMinutes, overlap, when, createdBy } = definition;
  const id = windowId(cluster, name);
  const typedSearchAttributes = attributes === undefined ? {} : { typedSearchAttributes: attributes };
  return {
    scheduleId: id,
    spec: {
      calendars: calendars.map(calendarOf),
      timezone: timeZone,
      ...(jitterMinutes === 0 ? {} : { jitter: jitterMinutes * 60_000 }),
    },
    policies: { overlap: OVERLAP[overlap], catchupWindow: catchUpMinutes * 60_000 },
    action: {
      type: 'startWorkflow',
      workflowType: WINDOW_WORKFLOW,
      workflowId: id,
      taskQueue,
      args: [input],
      ...typedSearchAttributes,
      staticSummary: `Maintenance window ${name}: ${cluster}`,
      staticDetails: detailsOf(input),
    },
    memo: { when, createdBy },
    ...typedSearchAttributes,
  };
}
