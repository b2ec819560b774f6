/** Temporal as the front door sees it: reached, its namespace, its search attributes, and whether a worker polls. */
import type { Client } from '@temporalio/client';
import type { Finding } from '../../workflows/model/look.ts';
import { grpcError, isNotFound, type Deadlines } from '../operations/temporal-common.ts';

/** Of every operation; made by `ensureNamespace` where it may. */
const SEARCH_ATTRIBUTES = ['HeCluster', 'HeOperation', 'HeStep', 'HeHost', 'HeTicket', 'HeState'];
const RETENTION_MIN_HOURS = 72;
/** Workers poll for at most a minute before they ask again. */
const POLLED_WITHIN_MS = 70_000;
/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal’s API. */
const WORKFLOW_QUEUE = 1;

const topic = (check: string, why: string) => ({ area: 'temporal', check, why }) as const;
const said = (error: unknown) => grpcError(error)?.details ?? (error instanceof Error ? error.message : String(error));
const toMs = (time: { seconds?: unknown } | null | undefined) => Number(time?.seconds ?? 0) * 1000;

async function namespaceChecks(client: Client): Promise<Finding[]> {
  const { namespace } = client.options;
  const reached = topic('server', 'every operation runs on it');
  const kept = topic('retention', 'for so long an ended operation can be read, and its ticket is known as done');
  try {
    const { config } = await client.workflowService.describeNamespace({ namespace });
    const hours = toMs(config?.workflowExecutionRetentionTtl) / 3_600_000;
    const remedy = `temporal operator namespace update --retention 720h ${namespace}`;
    return [
      { ...reached, result: 'ok', seen: `answers; namespace ${namespace}` },
      hours >= RETENTION_MIN_HOURS
        ? { ...kept, result: 'ok', seen: `${hours / 24} days` }
        : { ...kept, result: 'warning', seen: `${hours} h, at least ${RETENTION_MIN_HOURS} h are wanted`, remedy },
    ];
  } catch (error) {
    const remedy = isNotFound(error)
      ? `Make the namespace: npm start does, or temporal operator namespace create ${namespace}.`
      : 'Start the Temporal server; check TEMPORAL_ADDRESS.';
    return [{ ...reached, result: 'failed', seen: said(error), remedy }];
  }
}

/** A search by an attribute that is not registered is refused. */
async function attributeChecks(client: Client): Promise<Finding[]> {
  const about = topic('search attributes', 'operations are listed and found by them');
  const missing: string[] = [];
  for (const name of SEARCH_ATTRIBUTES) {
    await client.workflow
      .count(`${name} = 'doctor'`)
      .catch((error: unknown) => void missing.push(`${name} (${said(error)})`));
  }
  if (missing.length === 0) return [{ ...about, result: 'ok', seen: SEARCH_ATTRIBUTES.join(', ') }];
  const remedy = 'Register them as Keyword: temporal operator search-attribute create --type Keyword --name NAME.';
  return [{ ...about, result: 'failed', seen: missing.join('; '), remedy }];
}

async function workerCheck(client: Client, taskQueue: string): Promise<Finding> {
  const about = topic('worker', 'it does the work of every operation');
  const remedy = 'Start the worker (npm start), with the same BELLWETHER_TASK_QUEUE as the front door.';
  try {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_QUEUE,
    });
    const recent = (pollers ?? []).filter((poller) => Date.now() - toMs(poller.lastAccessTime) < POLLED_WITHIN_MS);
    if (recent.length === 0) return { ...about, result: 'failed', seen: `nobody polls the queue ${taskQueue}`, remedy };
    return {
      ...about,
      result: 'ok',
      seen: `${recent.length} on the queue ${taskQueue}: ${recent
        .map(({ identity }) => identity)
        .join(', ')
        .slice(0, 200)}`,
    };
  } catch (error) {
    return { ...about, result: 'failed', seen: said(error), remedy };
  }
}

export async function examineTemporal(client: Client, taskQueue: string, deadlines: Deadlines): Promise<Finding[]> {
  const within = <T>(work: () => Promise<T>) => client.withDeadline(Date.now() + deadlines.serverDeadlineMs, work);
  const server = await within(() => namespaceChecks(client));
  if (server.some(({ result }) => result === 'failed')) return server;
  const [attributes, worker] = await Promise.all([
    within(() => attributeChecks(client)),
    within(() => workerCheck(client, taskQueue)),
  ]);
  return [...server, ...attributes, worker];
}
