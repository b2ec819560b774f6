/** The notifier's eyes and hands: it looks at Temporal's visibility, asks operations and clusters, and tells targets. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { CLUSTER_MESSAGES, type ClusterState } from '../../workflows/model/cluster.ts';
import { MESSAGES, type OperationView } from '../../workflows/model/operation.ts';
import { NOTIFIER_ID, type NotifierMemory, type NotifyActivities } from '../../workflows/model/notify.ts';
import { WORKFLOW_TYPES } from '../../workflows/model/requests.ts';
import { asActivity } from '../border.activities.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { wants, type NotifyTarget } from './config.ts';
import { newsIn, type Ended, type Sight } from './news.ts';
import { send } from './send.ts';
import type { Links } from './text.ts';

export interface NotifyOptions {
  readonly targets: readonly NotifyTarget[];
  readonly links: Links;
  readonly everyMs?: number;
  /** After so long a look without news is written down. */
  readonly lookMs?: number;
}

const EVERY_MS = 5000;
const LOOK_MS = 120_000;
const QUERY_LIMIT_MS = 5000;

const TYPES = Object.values(WORKFLOW_TYPES)
  .map((type) => `'${type}'`)
  .join(', ');
const OPERATIONS = new Map<string, string>(Object.entries(WORKFLOW_TYPES).map(([name, type]) => [type, name]));

async function listed(client: Client, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const info of client.workflow.list({ query })) found.push(info);
  return found;
}

/** undefined: no worker answers now; the next look may be luckier. */
async function ask<T>(client: Client, id: string, query: string): Promise<T | undefined> {
  try {
    return await client.connection.withDeadline(Date.now() + QUERY_LIMIT_MS, () =>
      client.workflow.getHandle(id).query<T>(query),
    );
  } catch {
    return undefined;
  }
}

async function endedOf(client: Client, info: WorkflowExecutionInfo): Promise<Ended> {
  const attribute = (name: string) => info.typedSearchAttributes.get(defineSearchAttributeKey(name, 'KEYWORD'));
  const view = await ask<OperationView>(client, info.workflowId, MESSAGES.view);
  const ticket = attribute('HeTicket');
  return {
    id: info.workflowId,
    cluster: attribute('HeCluster') ?? info.workflowId.split('/')[1] ?? '',
    operation: OPERATIONS.get(info.type) ?? info.type,
    ...(ticket === undefined ? {} : { ticket }),
    closedAt: (info.closeTime ?? new Date()).toISOString(),
    execution: info.status.name,
    state: view?.state ?? attribute('HeState') ?? 'unknown',
    ...(view?.outcome === undefined ? {} : { outcome: view.outcome }),
  };
}

/** Where every target names its cluster, others are not even looked at. */
function scopeOf(targets: readonly NotifyTarget[]): string {
  const clusters = targets.map(({ cluster }) => cluster);
  if (clusters.length === 0 || clusters.includes(undefined)) return '';
  const names = clusters.map((name = '') => `'${name.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`);
  return ` AND HeCluster IN (${names.join(', ')})`;
}

async function sightOf(client: Client, memory: NotifierMemory, scope: string): Promise<Sight> {
  const [parked, closed, clusters] = await Promise.all([
    listed(client, `WorkflowType IN (${TYPES}) AND ExecutionStatus = 'Running' AND HeState = 'parked'${scope}`),
    listed(client, `WorkflowType IN (${TYPES}) AND CloseTime >= '${memory.since}'${scope}`),
    listed(client, `WorkflowType = 'cluster' AND ExecutionStatus = 'Running'${scope}`),
  ]);
  const views = await Promise.all(
    parked.map(({ workflowId }) => ask<OperationView>(client, workflowId, MESSAGES.view)),
  );
  const states = await Promise.all(
    clusters.map(({ workflowId }) => ask<ClusterState>(client, workflowId, CLUSTER_MESSAGES.view)),
  );
  const told = new Set(memory.ended);
  const bare = (info: WorkflowExecutionInfo): Ended => ({
    id: info.workflowId,
    cluster: '',
    operation: '',
    closedAt: (info.closeTime ?? new Date()).toISOString(),
    execution: info.status.name,
    state: '',
  });
  return {
    parked: views.flatMap((view) => (view?.state === 'parked' ? [view] : [])),
    // What was told is not asked again.
    ended: await Promise.all(
      closed.map((info) => (told.has(info.workflowId) ? Promise.resolve(bare(info)) : endedOf(client, info))),
    ),
    alerts: states.flatMap((state) =>
      state === undefined ? [] : [{ cluster: state.cluster, alerts: state.alerts ?? [] }],
    ),
  };
}

async function look(client: Client, options: NotifyOptions, context: StepContext, before: NotifierMemory) {
  const { targets, everyMs = EVERY_MS, lookMs = LOOK_MS } = options;
  const until = context.now().getTime() + lookMs;
  let memory = before;
  for (;;) {
    const seen = newsIn(memory, await sightOf(client, memory, scopeOf(targets)), context.now());
    memory = seen.memory;
    const notifications = seen.news.flatMap((news) =>
      targets.filter((target) => wants(target, news)).map(({ name }) => ({ target: name, news })),
    );
    const over = context.now().getTime() >= until || targets.length === 0;
    // News that nobody wants are remembered too.
    if (seen.news.length > 0 || over) return { memory, notifications, targets: targets.length };
    context.waitsFor('news');
    await context.sleep(everyMs);
  }
}

function unknownTarget(name: string): CounterpartError {
  return new CounterpartError({
    type: 'notify/unknown-target',
    kind: 'retryable',
    subject: name,
    what: 'this worker knows no such target',
    why: 'it is not in the file that BELLWETHER_NOTIFY_FILE names',
    remedy: 'Put it back, or terminate the notification.',
  });
}

export function notifyActivities(client: Client, options: NotifyOptions): NotifyActivities {
  const { targets, links } = options;
  return {
    lookForNews: asActivity((context, memory: NotifierMemory) => look(client, options, context, memory)),
    notify: asActivity(async (context, { target: name, news }: Parameters<NotifyActivities['notify']>[0]) => {
      const target = targets.find((one) => one.name === name);
      if (target === undefined) throw unknownTarget(name);
      return { summary: await send(target, news, links, context.signal) };
    }),
  };
}

/** One per namespace, whoever starts it. */
export async function startNotifier(client: Client, taskQueue: string): Promise<void> {
  await client.workflow.start('notifier', {
    workflowId: NOTIFIER_ID,
    taskQueue,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'Tells people what they want to know',
    staticDetails: [
      '- Looks for operations that parked or ended, and for alerts of host workers',
      '- Starts a workflow `notification/…` for each target of BELLWETHER_NOTIFY_FILE, which is tried for 4 days',
      '- Cancelled or terminated, it is started again with the next worker, and tells nothing of the time between',
    ].join('\n'),
  });
}
