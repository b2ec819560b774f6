/** One upgrade on a lab of its own, with the real service around it; for tests. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '../../activities/archive/client.ts';
import type { TrackerConfig } from '../../activities/tickets/tracker.ts';
import type { WebhookSource } from '../../api/ports.ts';
import { logThrough } from '../../workers/orchestrator/worker.ts';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { driveScenario } from '../../infra/faults/drive.ts';
import type { Scenario, WorkerKill } from '../../infra/faults/scenarios.ts';
import { crashingWorker } from '../../infra/faults/crashing.ts';
import { until } from '../../infra/processes.ts';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import type { LabOptions } from '../../infra/lab/make-fixture.ts';
import { labSecrets } from '../../infra/plays/play.ts';
import type { StepActivity } from '../../activities/steps.activities.ts';
import type { Platform } from '../../infra/start/platform.ts';
import { createCounterparts, startService, type Service } from '../../infra/start/service.ts';
import {
  MESSAGES,
  type OperationView,
  type OperatorAction,
  type OperatorCommand,
} from '../../workflows/model/operation.ts';
import { operationId } from '../../workflows/model/ids.ts';
import { WORKFLOW_TYPES, type OperationRequest, type UpgradeRequest } from '../../workflows/model/requests.ts';
import type { OrchestratorConfig } from '../../workers/orchestrator/config.ts';
import type { Ground } from './ground.ts';

/** Impatient: a test must not wait ten minutes for a step to park. */
export const TEST_TIMING = { firstRetryMs: 100, maxRetryMs: 1000, stepPatienceMs: 25_000, heartbeatMs: 2000 };
const LAB_SPEED = 20;
logThrough(pino({ level: 'silent' }));
const UPGRADE_LIMIT_MS = 240_000;
const KILL_LIMIT_MS = 240_000;
/** While no worker runs a query waits in vain. */
const QUERY_LIMIT_MS = 3000;
/** Each look costs the worker a task. */
const LOOK_MS = 200;
/** For who must act while a step runs. */
const WATCH_MS = 25;

export interface TestStage {
  readonly lab: Lab;
  readonly platform: Platform;
  readonly config: OrchestratorConfig;
  readonly dir: string;
  readonly client: Client;
  /** The backups, without starting the worker. */
  readonly archive: Archive;
  /** Worker and front door in this process; started on demand. */
  service(): Promise<Service>;
  close(): Promise<void>;
}

export interface StageOptions extends Omit<LabOptions, 'dir' | 'speed' | 'cluster'> {
  readonly wrapStep?: (lab: Lab) => (activity: StepActivity) => StepActivity;
  /** Webhook sources of the front door, and the ticket systems that they name. */
  readonly sources?: readonly WebhookSource[];
  readonly trackers?: readonly TrackerConfig[];
}

export async function openStage(
  { platform, bundle }: Pick<Ground, 'platform' | 'bundle'>,
  name: string,
  options: StageOptions = {},
): Promise<TestStage> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-stage-'));
  const { wrapStep, sources = [], trackers = [], ...labOptions } = options;
  const lab = await startLab({ dir: join(dir, 'lab'), speed: LAB_SPEED, cluster: name, ...labOptions });
  const enginePassword = readFileSync(lab.ready.engine.passwordFile, 'utf8').trim();
  const config: OrchestratorConfig = {
    clusters: [{ name, engine: lab.ready.engine, hosts: lab.ready.hosts }],
    bucket: 'bellwether-test',
    taskQueue: name,
    logLevel: 'silent',
    tickets: undefined,
    trackers,
    timing: TEST_TIMING,
    secretsDir: labSecrets(lab, dir, enginePassword),
  };
  const { address, namespace } = platform.temporal;
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  const client = new Client({ connection, namespace });
  let service: Promise<Service> | undefined;
  const start = () =>
    startService({
      platform,
      worker: config,
      door: { host: '127.0.0.1', port: 0, sources, apiTokenFile: undefined },
      logger: pino({ level: 'silent' }),
      workflowBundle: bundle,
      ...(wrapStep === undefined ? {} : { wrapStep: wrapStep(lab) }),
    });
  return {
    lab,
    platform,
    config,
    dir,
    client,
    archive: createCounterparts(platform, config).archive,
    service: () => (service ??= start()),
    async close() {
      await (await service)?.stop();
      await lab.close();
      await connection.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function upgradeRequest(stage: TestStage, change: Partial<UpgradeRequest> = {}): UpgradeRequest {
  return {
    version: 1,
    operation: 'upgrade',
    cluster: stage.lab.fixture.cluster.name,
    key: 'CHG0001234',
    ticket: 'CHG0001234',
    requestedBy: 'test',
    ifBusy: 'queue',
    source: 'auto',
    vmConf: stage.lab.fixture.vmConf,
    ...change,
  };
}

/** Starts an operation on the stage's queue; answers its id. */
export async function startOperation(stage: TestStage, request: OperationRequest): Promise<string> {
  const id = operationId(request);
  await stage.client.workflow.start(WORKFLOW_TYPES[request.operation], {
    workflowId: id,
    taskQueue: stage.config.taskQueue,
    args: [{ request, timing: TEST_TIMING }],
  });
  return id;
}

/** Starts the upgrade on the stage's queue; answers its id. */
export async function startUpgrade(stage: TestStage, change: Partial<UpgradeRequest> = {}): Promise<string> {
  return startOperation(stage, upgradeRequest(stage, change));
}

export async function viewOf(stage: TestStage, id: string): Promise<OperationView | undefined> {
  const { client } = stage;
  const ask = () => client.workflow.getHandle(id).query<OperationView>(MESSAGES.view);
  return client.withDeadline(Date.now() + QUERY_LIMIT_MS, ask).catch(() => undefined);
}

export async function operate(stage: TestStage, id: string, action: OperatorAction, by = 'tester'): Promise<void> {
  const { client } = stage;
  await client.workflow.getHandle(id).executeUpdate<OperationView, [OperatorCommand]>(action, { args: [{ by }] });
}

/** Waits until the view is as wanted. @throws Error with the last view when it does not come to it. */
export async function awaitView(
  stage: TestStage,
  id: string,
  what: string,
  wanted: (view: OperationView) => boolean,
  see: (view: OperationView) => Promise<void> = async () => {},
  everyMs = LOOK_MS,
): Promise<OperationView> {
  let last: OperationView | undefined;
  const look = async () => {
    last = (await viewOf(stage, id)) ?? last;
    if (last === undefined) return false;
    await see(last);
    return wanted(last);
  };
  await until(`${id}: ${what}`, look, UPGRADE_LIMIT_MS, everyMs).catch((error: unknown) => {
    const steps = last?.steps.map((step) => `${step.name}: ${step.state} ${step.failure?.why ?? ''}`).join('\n');
    throw new Error(`${String(error)}\nlast seen: ${last?.state ?? 'nothing'}\n${steps ?? ''}`);
  });
  return last ?? Promise.reject(new Error('no view'));
}

export const ended = (view: OperationView): boolean => view.state === 'done' || view.state === 'aborted';

/** Lets a worker begin that kills itself at the scenario's point; resolves when it is dead. */
export async function loseWorker(
  stage: TestStage,
  kill: WorkerKill,
  bundleFile: string,
  start: () => Promise<unknown>,
): Promise<void> {
  const { platform, config } = stage;
  const markerFile = join(stage.dir, 'killed');
  const settings = { platform: { temporal: platform.temporal, s3: platform.s3 }, config, bundleFile, kill, markerFile };
  const worker = crashingWorker(settings, join(stage.dir, 'worker.log'));
  try {
    await start();
    await until(`the worker to kill itself ${kill.moment} ${kill.step}`, () => !worker.alive(), KILL_LIMIT_MS);
    if (!existsSync(markerFile))
      throw new Error(`the worker ended by itself: ${readFileSync(join(stage.dir, 'worker.log'), 'utf8')}`);
  } finally {
    await worker.stop();
  }
}

/** Runs one scenario from the start to the end of the operation. */
export async function playScenario(stage: TestStage, scenario: Scenario, bundleFile: string): Promise<OperationView> {
  await scenario.before?.(stage);
  const id = `upgrade/${stage.lab.fixture.cluster.name}/CHG0001234`;
  const drive = driveScenario(scenario, stage, (action) => operate(stage, id, action));
  if (scenario.killWorker !== undefined)
    await loseWorker(stage, scenario.killWorker, bundleFile, () => startUpgrade(stage));
  await stage.service();
  if (scenario.killWorker === undefined) await startUpgrade(stage);
  const hopeless = (view: OperationView) => view.state === 'parked' && scenario.whenParked === undefined;
  return awaitView(
    stage,
    id,
    'to end',
    (view) => ended(view) || hopeless(view),
    (view) => drive.see(view),
    scenario.atStep === undefined ? LOOK_MS : WATCH_MS,
  );
}
