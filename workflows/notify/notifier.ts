/**
 * Workflow `notifier`, one per namespace: looks for what people want to know (operations that parked or ended, alerts of
 * host workers) and starts a `notification` for each target, which outlives it. Operations know nothing of it.
 */
import {
  continueAsNew,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { notificationId, type NotifierMemory, type Notification, type NotifyActivities } from '../model/notify.ts';

const { lookForNews } = proxyActivities<NotifyActivities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  summary: 'Look for operations that parked or ended, and for alerts of host workers',
  retry: { maximumInterval: '1 minute' },
});

/** A mail server may be away over a long weekend. */
const { notify } = proxyActivities<NotifyActivities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '4 days',
  retry: { initialInterval: '5 seconds', maximumInterval: '10 minutes', backoffCoefficient: 2 },
  summary: 'Tell it',
});

/** Well before the server suggests it: the memory is small, and a short history is quickly read again. */
const EVENTS_MAX = 2000;

const LAST_SHOWN = 20;

/** Tells one target of one event; its id makes it once. */
export async function notification(input: Notification): Promise<string> {
  const { summary } = await notify(input);
  return summary;
}

async function begin(one: Notification): Promise<void> {
  try {
    await startChild(notification, {
      workflowId: notificationId(one),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [one],
      staticSummary: `${one.target}: ${one.news.title}`.slice(0, 190),
    });
  } catch (error) {
    // Found before, by a look whose answer was lost.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Started by each worker that has targets; ends when there are none any more. */
export async function notifier(before?: NotifierMemory): Promise<void> {
  const now = new Date().toISOString();
  let memory: NotifierMemory = before ?? { version: 1, begun: now, since: now, ended: [], parked: {}, alerts: {} };
  const last: string[] = [];
  for (;;) {
    const seen = await lookForNews(memory);
    memory = seen.memory;
    for (const one of seen.notifications) {
      await begin(one);
      last.unshift(`- ${one.news.at} to ${one.target}: ${one.news.title}`);
    }
    if (seen.targets === 0) return;
    last.splice(LAST_SHOWN);
    setCurrentDetails(
      last.length === 0 ? 'Nothing was told since this run began.' : ['Told last:', ...last].join('\n'),
    );
    if (workflowInfo().historyLength > EVENTS_MAX) return continueAsNew<typeof notifier>(memory);
  }
}
