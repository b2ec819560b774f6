/** Looks on Temporal: a short workflow on the queue that the cluster’s worker polls; several askers share one run. */
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import type { z } from '@hono/zod-openapi';
import { CLUSTER_MESSAGES } from '../../workflows/model/cluster.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import {
  backupsId,
  examineId,
  lookId,
  LOOK_WORKFLOWS,
  type LookInput,
  type Missing,
} from '../../workflows/model/look.ts';
import { GRPC, grpcError, isNotFound, unavailable, type Deadlines } from '../operations/temporal-common.ts';
import { backupListing, clusterLook, examination } from '../schemas/look.ts';
import { clusterState } from '../schemas/status.ts';
import type { ClusterDesk, EntityReply, RunReply } from './ports.ts';
import { lastMaintenanceOrder } from './temporal-maintenance.ts';
import { examineTemporal } from './temporal-checks.ts';

/** A worker that lives takes a task within milliseconds. */
const NO_WORKER_MS = 5000;

type RunType = (typeof LOOK_WORKFLOWS)[keyof typeof LOOK_WORKFLOWS];

const SUMMARIES: Readonly<Record<RunType, (cluster: string) => string>> = {
  lookAtCluster: (cluster) => `Look at ${cluster}`,
  examine: (cluster) => `Examine ${cluster}`,
  listBackups: (cluster) => `List the backups of ${cluster}`,
};

interface Run<T> {
  readonly type: RunType;
  readonly id: string;
  readonly cluster: string;
  readonly schema: z.ZodType<T>;
  /** For the whole of it, once a worker has it. */
  readonly patienceMs: number;
}

const isLate = (error: unknown) => {
  const code = grpcError(error)?.code;
  return code === GRPC.DEADLINE_EXCEEDED || code === GRPC.CANCELLED;
};

/** Events of a run that nobody took: it was started, and its first task waits. */
const UNTAKEN_EVENTS = 2;

async function isTaken(client: Client, id: string, runId: string): Promise<boolean> {
  return (await client.workflow.getHandle(id, runId).describe()).historyLength > UNTAKEN_EVENTS;
}

/** Nobody took the run, or its activity, until its time was up. */
function wasUntaken({ cause }: WorkflowFailedError): boolean {
  if (cause instanceof TimeoutFailure) return true;
  const inner = cause instanceof ActivityFailure ? cause.cause : undefined;
  return inner instanceof TimeoutFailure && inner.timeoutType === 'SCHEDULE_TO_START';
}

function failure(cluster: string, error: unknown): Missing {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const what = `a look at ${cluster}`;
  const remedy = 'See the worker’s log and the workflow in the Temporal UI.';
  if (cause instanceof TimeoutFailure)
    return { what, why: 'the worker did not finish it in time', remedy: 'It is looked at anew with the next request.' };
  if (!(cause instanceof ApplicationFailure))
    return { what, why: cause instanceof Error ? cause.message : String(cause), remedy };
  const [facts]: unknown[] = cause.details ?? [];
  const text = (name: string) => {
    const value: unknown = typeof facts === 'object' && facts !== null ? Reflect.get(facts, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return { what: text('subject') ?? what, why: text('why') ?? cause.message, remedy: text('remedy') ?? remedy };
}

/** Runs once for all who ask meanwhile. Runs that ended are removed: a page asks every few seconds, and nobody reads them. */
class Runs {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #deadlines: Deadlines;
  readonly #workerMs: number;
  readonly #ended = new Map<string, string>();

  constructor(client: Client, taskQueue: string, deadlines: Deadlines, workerMs: number) {
    this.#workerMs = workerMs;
    this.#client = client;
    this.#taskQueue = taskQueue;
    this.#deadlines = deadlines;
  }

  async run<T>(run: Run<T>): Promise<RunReply<T>> {
    try {
      const runId = await this.#start(run);
      const reply = await this.#wait(run, runId);
      this.#forget(run.id, runId);
      return reply;
    } catch (error) {
      return unavailable(error);
    }
  }

  async #start({ type, id, cluster, patienceMs }: Run<unknown>): Promise<string> {
    const input: LookInput = { cluster };
    const handle = await this.#client.withDeadline(Date.now() + this.#deadlines.serverDeadlineMs, () =>
      this.#client.workflow.start(type, {
        workflowId: id,
        taskQueue: this.#taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        // Without a worker it must not wait for one that comes tomorrow.
        workflowExecutionTimeout: patienceMs + this.#workerMs,
        staticSummary: SUMMARIES[type](cluster),
      }),
    );
    return handle.firstExecutionRunId;
  }

  async #wait<T>(run: Run<T>, runId: string): Promise<RunReply<T>> {
    const { id, cluster, schema, patienceMs } = run;
    const client = this.#client;
    const result = (ms: number): Promise<unknown> =>
      client.withDeadline(Date.now() + ms, () => client.workflow.getHandle(id, runId).result());
    const parsed = (value: unknown): RunReply<T> => {
      const read = schema.safeParse(value);
      if (read.success) return { outcome: 'seen', value: read.data };
      const remedy = 'Run the same release of worker and front door.';
      return {
        outcome: 'failed',
        missing: {
          what: `a look at ${cluster}`,
          why: 'the worker’s answer has a shape that this front door does not know',
          remedy,
        },
      };
    };
    const noWorker = {
      outcome: 'no-worker',
      why: `no worker polls the queue ${this.#taskQueue}: nobody took the look at ${cluster} within ${this.#workerMs / 1000} s`,
    } as const;
    const ended = (error: WorkflowFailedError): RunReply<T> =>
      wasUntaken(error) ? noWorker : { outcome: 'failed', missing: failure(cluster, error.cause) };
    try {
      return parsed(await result(this.#workerMs));
    } catch (error) {
      if (error instanceof WorkflowFailedError) return ended(error);
      if (!isLate(error)) throw error;
    }
    const taken = await client.withDeadline(Date.now() + this.#deadlines.serverDeadlineMs, () =>
      isTaken(client, id, runId),
    );
    if (!taken) return noWorker;
    try {
      return parsed(await result(patienceMs - this.#workerMs));
    } catch (error) {
      if (error instanceof WorkflowFailedError) return ended(error);
      if (!isLate(error)) throw error;
      return {
        outcome: 'failed',
        missing: failure(cluster, new TimeoutFailure(undefined, undefined, 'START_TO_CLOSE')),
      };
    }
  }

  /** Others may still be reading this run; the one before it is read by nobody. */
  #forget(id: string, runId: string): void {
    const before = this.#ended.get(id);
    this.#ended.set(id, runId);
    if (before === undefined || before === runId) return;
    const client = this.#client;
    const { namespace } = client.options;
    const gone = client.withDeadline(Date.now() + this.#deadlines.serverDeadlineMs, () =>
      client.workflowService.deleteWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: id, runId: before },
      }),
    );
    // Where that is not allowed, the namespace’s retention removes them.
    gone.catch(() => undefined);
  }
}

async function entity(client: Client, cluster: string, deadlines: Deadlines): Promise<EntityReply> {
  const what = `the cluster’s entity (${clusterEntityId(cluster)})`;
  try {
    const answer: unknown = await client.withDeadline(Date.now() + deadlines.queryDeadlineMs, () =>
      client.workflow.getHandle(clusterEntityId(cluster)).query<unknown>(CLUSTER_MESSAGES.view),
    );
    const state = clusterState.safeParse(answer);
    if (state.success) return { outcome: 'known', state: state.data };
    const why = 'its answer has a shape that this front door does not know';
    return { outcome: 'missing', missing: { what, why, remedy: 'Run the same release of worker and front door.' } };
  } catch (error) {
    if (isNotFound(error)) return { outcome: 'known', state: undefined };
    const why = isLate(error) ? 'no worker answered in time' : (grpcError(error)?.details ?? String(error));
    return {
      outcome: 'missing',
      missing: { what, why, remedy: 'Start the worker; it is asked again with the next look.' },
    };
  }
}

/** The cluster desk on a Temporal client. @param workerMs patience until it is said that no worker polls */
export function createClusterDesk(
  client: Client,
  taskQueue: string,
  deadlines: Deadlines,
  workerMs = NO_WORKER_MS,
): ClusterDesk {
  const runs = new Runs(client, taskQueue, deadlines, workerMs);
  return {
    look: (cluster) =>
      runs.run({ type: LOOK_WORKFLOWS.look, id: lookId(cluster), cluster, schema: clusterLook, patienceMs: 13_000 }),
    examine: (cluster) =>
      runs.run({
        type: LOOK_WORKFLOWS.examine,
        id: examineId(cluster),
        cluster,
        schema: examination,
        patienceMs: 45_000,
      }),
    backups: (cluster) =>
      runs.run({
        type: LOOK_WORKFLOWS.backups,
        id: backupsId(cluster),
        cluster,
        schema: backupListing,
        patienceMs: 45_000,
      }),
    entity: (cluster) => entity(client, cluster, deadlines),
    lastMaintenanceOrder: (cluster) =>
      client.withDeadline(Date.now() + deadlines.serverDeadlineMs, () => lastMaintenanceOrder(client, cluster)),
    examineTemporal: () => examineTemporal(client, taskQueue, deadlines),
  };
}
