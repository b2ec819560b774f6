/** The worker: polls Temporal for workflows and their activities. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type LogEntry,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { lockActivities } from '../../activities/cluster/lock.activities.ts';
import { windowActivities } from '../../activities/cluster/window.activities.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { lookActivities } from '../../activities/look/look.activities.ts';
import { stepActivities, type StepActivity } from '../../activities/steps.activities.ts';

/** Bundles the workflows as they are in this checkout; about a second. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** The SDK's own log lines as JSON, like all of ours; once per process. */
export function logThrough(logger: Logger): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }: LogEntry) => {
      const { error, ...rest } = meta ?? {};
      const why = error instanceof Error ? { error: error.message } : {};
      logger[LEVELS[level]]({ ...rest, ...why }, message);
    }),
  });
}

/** Counted, not weighed; an overflow kills the process (orchestration.md 2.1 "Workers"). */
export const CACHED_WORKFLOWS = 100;

export interface OrchestratorOptions {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly client: Client;
  readonly counterparts: Counterparts;
  /** Instead of the real ones, by name: to make one fail on purpose, or to measure without them. */
  readonly steps?: Readonly<Record<string, StepActivity>>;
  /** Workflows kept in memory; others are read again from their history when something happens to them. */
  readonly cachedWorkflows?: number;
  readonly workflowBundle: WorkflowBundle | { readonly codePath: string };
  readonly tls?: NonNullable<Parameters<typeof NativeConnection.connect>[0]>['tls'];
  readonly apiKey?: string;
}

/** A running worker and how to end it: `stop` lets activities end within the grace time, then the connection closes. */
export interface Orchestrator {
  /** Settles when the worker has ended; rejects when it died. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export async function startOrchestrator(options: OrchestratorOptions): Promise<Orchestrator> {
  const { address, tls, apiKey, namespace, taskQueue, counterparts, client } = options;
  const connection = await NativeConnection.connect({
    address,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  const { steps = stepActivities(counterparts) } = options;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: options.workflowBundle,
    activities: {
      ...steps,
      ...lockActivities(client, taskQueue),
      ...windowActivities(client, taskQueue),
      ...lookActivities(counterparts),
    },
    // Without it a killed worker's workflows stand still for ten seconds (temporal.md 7.3).
    stickyQueueScheduleToStartTimeout: '1s',
    maxCachedWorkflows: options.cachedWorkflows ?? CACHED_WORKFLOWS,
    shutdownGraceTime: '5s',
    shutdownForceTime: '15s',
  });
  const done = (async () => {
    try {
      await worker.run();
    } finally {
      await connection.close();
    }
  })();
  return {
    done,
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await done.catch(() => undefined);
    },
  };
}
