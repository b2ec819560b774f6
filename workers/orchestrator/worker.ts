/** The worker: polls Temporal for workflows and their activities. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { lockActivities } from '../../activities/cluster/lock.activities.ts';
import { windowActivities } from '../../activities/cluster/window.activities.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { notifyActivities, startNotifier } from '../../activities/notify/notify.activities.ts';
import type { NotifyTarget } from '../../activities/notify/config.ts';
import { lookActivities } from '../../activities/look/look.activities.ts';
import { followActivities } from '../../activities/tickets/follow.activities.ts';
import type { OperationLinks } from '../../activities/tickets/words.ts';
import { stepActivities, type StepActivity } from '../../activities/steps.activities.ts';
import { logLevelOf, logSink } from './log.ts';
import { countParked, prometheusAt } from './metrics.ts';

/** Bundles the workflows as they are in this checkout; about a second. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

/** The SDK's own log lines as JSON, like all of ours, and its metrics for Prometheus; once per process. */
export function logThrough(logger: Logger, metricsListen?: string): void {
  const metrics = metricsListen === undefined ? {} : { metrics: prometheusAt(metricsListen) };
  Runtime.install({ logger: new DefaultLogger(logLevelOf(logger), logSink(logger)), telemetryOptions: metrics });
}

/** Counted, not weighed; an overflow kills the process (orchestration.md 2.1 "Workers"). */
export const CACHED_WORKFLOWS = 100;

export interface OrchestratorOptions {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly client: Client;
  readonly counterparts: Counterparts;
  /** For tickets: where people find an operation. */
  readonly links?: OperationLinks;
  /** Who is told when an operation parks or ends, or a host worker tells something. */
  readonly notify?: readonly NotifyTarget[];
  /** Somebody scrapes the runtime’s exporter. */
  readonly metrics?: boolean;
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
      ...followActivities(client, counterparts.trackers ?? new Map(), options.links ?? {}),
      ...notifyActivities(client, { targets: options.notify ?? [], links: options.links ?? {} }),
    },
    // Without it a killed worker's workflows stand still for ten seconds (temporal.md 7.3).
    stickyQueueScheduleToStartTimeout: '1s',
    maxCachedWorkflows: options.cachedWorkflows ?? CACHED_WORKFLOWS,
    shutdownGraceTime: '5s',
    shutdownForceTime: '15s',
  });
  if (options.notify !== undefined && options.notify.length > 0) await startNotifier(client, taskQueue);
  const stopCounting = options.metrics === true ? countParked(client) : () => undefined;
  const done = (async () => {
    try {
      await worker.run();
    } finally {
      stopCounting();
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
