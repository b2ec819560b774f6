/** Worker and front door in one process, on a given platform: what `npm start`, the demo and the tests run. */
import { Client, Connection } from '@temporalio/client';
import type { WorkflowBundle } from '@temporalio/worker';
import type { Logger } from 'pino';
import { Archive } from '../../activities/archive/client.ts';
import { ClusterRegistry } from '../../activities/clusters.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { observeCall } from '../../activities/observe.activities.ts';
import { secretsIn } from '../../activities/secrets.ts';
import { stepActivities, type StepActivity } from '../../activities/steps.activities.ts';
import { TicketSystem } from '../../activities/tickets/client.ts';
import { createTrackers } from '../../activities/tickets/trackers.ts';
import type { OperationLinks } from '../../activities/tickets/words.ts';
import { openAuditFile } from '../../api/audit/file.ts';
import { serveApp } from '../../api/adapters/node.ts';
import { createApp } from '../../api/app.ts';
import type { FrontDoorConfig } from '../../api/config.ts';
import { operationPath } from '../../api/operations/answer.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import { readSecretFile } from '../../api/secrets.ts';
import { createDeliveryLog } from '../../api/webhooks/deliveries.ts';
import { createDeliveryFile } from '../../api/webhooks/delivery-file.ts';
import type { OrchestratorConfig } from '../../workers/orchestrator/config.ts';
import { hostWorkerFiles } from '../../workers/orchestrator/config.ts';
import { bundleWorkflows, startOrchestrator, type Orchestrator } from '../../workers/orchestrator/worker.ts';
import { ensureNamespace } from '../temporal/namespace.ts';
import { ensureHostBundle } from './host-bundle.ts';
import type { Platform } from './platform.ts';

export interface ServiceOptions {
  readonly platform: Platform;
  readonly worker: OrchestratorConfig;
  readonly door: FrontDoorConfig;
  readonly logger: Logger;
  readonly workflowBundle?: WorkflowBundle;
  /** Put around each step's activity, to disturb it on purpose. */
  readonly wrapStep?: (activity: StepActivity) => StepActivity;
  /** False: the front door alone; `startWorker` adds the worker later. Default true. */
  readonly withWorker?: boolean;
}

export interface Service {
  readonly url: string;
  readonly client: Client;
  readonly counterparts: Counterparts;
  /** Starts the worker unless it runs already. */
  startWorker(): Promise<Orchestrator>;
  stop(): Promise<void>;
}

function archiveOf(platform: Platform, bucket: string): Archive {
  const { embedded } = platform.s3;
  if (embedded === undefined)
    return new Archive({ bucket, region: process.env['AWS_REGION'] ?? 'us-east-1', ...endpointGiven() });
  const { endpoint, region, accessKeyId, secretAccessKey } = embedded;
  return new Archive({ bucket, endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
}

/** Servers other than Amazon's want the bucket in the path. */
function endpointGiven(): { endpoint?: string; forcePathStyle?: boolean } {
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  return endpoint === undefined || endpoint === '' ? {} : { endpoint, forcePathStyle: true };
}

export function createCounterparts(platform: Platform, config: OrchestratorConfig): Counterparts {
  return {
    clusters: new ClusterRegistry(config.clusters, observeCall),
    archive: archiveOf(platform, config.bucket),
    secrets: secretsIn(config.secretsDir),
    hostWorker: config.hostWorker ?? hostWorkerFiles(),
    tickets: config.tickets === undefined ? undefined : new TicketSystem(config.tickets),
    trackers: createTrackers(config.trackers ?? []),
  };
}

function uiLink(platform: Platform): { temporalUiLink?: (id: string) => string } {
  const { uiUrl, namespace } = platform.temporal;
  if (uiUrl === undefined) return {};
  return { temporalUiLink: (id) => `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}` };
}

/** What tickets say about where to look. */
function linksOf(platform: Platform, { publicUrl }: OrchestratorConfig): OperationLinks {
  const { temporalUiLink: temporalUi } = uiLink(platform);
  return {
    ...(temporalUi === undefined ? {} : { temporalUi }),
    ...(publicUrl === undefined ? {} : { operation: (id: string) => `${publicUrl}${operationPath(id)}` }),
  };
}

function wrapped(counterparts: Counterparts, wrap: (activity: StepActivity) => StepActivity) {
  const steps = Object.entries(stepActivities(counterparts));
  return Object.fromEntries(steps.map(([name, activity]) => [name, wrap(activity)]));
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { platform, worker, door, logger, wrapStep } = options;
  const { address, namespace } = platform.temporal;
  const connection = await Connection.connect({ ...platform.temporal.connection, address, connectTimeout: '5s' });
  // A server of somebody else's may not let us: the worker says what is missing when it needs it.
  if (platform.temporal.embedded === undefined) await ensureNamespace(connection, namespace);
  const client = new Client({ connection, namespace });
  const counterparts = createCounterparts(platform, worker);
  const { taskQueue } = worker;
  await ensureHostBundle(counterparts.hostWorker);
  let orchestrator: Promise<Orchestrator> | undefined;
  const startWorker = () => {
    orchestrator ??= (async () => {
      const workflowBundle = options.workflowBundle ?? (await bundleWorkflows());
      const { tls, apiKey } = platform.temporal.connection ?? {};
      return startOrchestrator({
        address,
        namespace,
        taskQueue,
        client,
        counterparts,
        links: linksOf(platform, worker),
        ...(worker.notify === undefined ? {} : { notify: worker.notify }),
        metrics: worker.metricsListen !== undefined,
        workflowBundle,
        ...(wrapStep === undefined ? {} : { steps: wrapped(counterparts, wrapStep) }),
        ...(tls === undefined || tls === null ? {} : { tls }),
        ...(typeof apiKey === 'string' ? { apiKey } : {}),
      });
    })();
    return orchestrator;
  };
  if (options.withWorker !== false) await startWorker();
  const trail = door.auditLog === undefined ? undefined : openAuditFile(door.auditLog, logger);
  const { auditRequired: required = true, trustedProxy: trusted } = door;
  const app = createApp({
    ...createTemporalPorts({ client, taskQueue }),
    clusters: worker.clusters.map((cluster) => cluster.name),
    sources: door.sources,
    readSecrets: readSecretFile,
    clock: () => new Date(),
    logger,
    timing: worker.timing,
    deliveries: createDeliveryLog(
      logger,
      door.deliveryLog === undefined ? undefined : createDeliveryFile(door.deliveryLog, logger),
    ),
    ...(door.apiTokenFile === undefined ? {} : { apiTokenFile: door.apiTokenFile }),
    ...(door.sessionSecretFile === undefined ? {} : { sessionSecretFile: door.sessionSecretFile }),
    ...(trail === undefined ? {} : { audit: { trail, required, ...(trusted === undefined ? {} : { trusted }) } }),
    ...uiLink(platform),
  });
  const served = await serveApp(app, { host: door.host, port: door.port });
  return {
    url: served.url,
    client,
    counterparts,
    startWorker,
    async stop() {
      await served.close();
      await trail?.close();
      await (await orchestrator)?.stop();
      await counterparts.clusters.close();
      await connection.close();
    },
  };
}
