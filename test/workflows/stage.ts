/** A worker with fake activities on the shared server, and a client that starts and operates upgrades on it. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { lockActivities } from '../../activities/cluster/lock.activities.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import { until } from '../../infra/processes.ts';
import type { ClusterState, LockActivities } from '../../workflows/model/cluster.ts';
import { clusterEntityId, operationId } from '../../workflows/model/ids.ts';
import {
  MESSAGES,
  type OperationTiming,
  type OperationView,
  type OperatorAction,
  type OperatorCommand,
} from '../../workflows/model/operation.ts';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import type { upgradeHostedEngine } from '../../workflows/upgrade/upgrade.ts';
import { FakeWorld, fakeUpgradeActivities } from './fake-upgrade.ts';
import './quiet.ts';

/** Retries come at once; a busy machine must not look like a dead worker. */
export const TIMING: OperationTiming = {
  firstRetryMs: 20,
  maxRetryMs: 50,
  stepPatienceMs: 60_000,
  heartbeatMs: 10_000,
};
/** Long, because many tests share two cores. */
const LIMIT_MS = 90_000;
/** Each look costs the worker a task. */
const LOOK_MS = 75;

/** Looks until the condition holds. @throws Error naming `what`, and what was seen last, if that is told. */
export async function eventually(
  what: string,
  look: () => Promise<boolean>,
  seen: () => unknown = () => undefined,
): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}; last seen: ${JSON.stringify(seen())}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function startWorker(stage: Stage) {
  const connection = await NativeConnection.connect({ address: inject('temporal').address });
  const worker = await Worker.create({
    connection,
    namespace: inject('temporal').namespace,
    taskQueue: stage.taskQueue,
    workflowBundle: { codePath: inject('bundleFile') },
    activities: { ...fakeUpgradeActivities((cluster) => stage.world(cluster)), ...stage.lock, ...stage.more },
    stickyQueueScheduleToStartTimeout: '1s',
    maxCachedWorkflows: 100,
    // Cancellation travels with heart-beats.
    maxHeartbeatThrottleInterval: '100ms',
    defaultHeartbeatThrottleInterval: '100ms',
  });
  const done = worker.run();
  return {
    async stop(): Promise<void> {
      worker.shutdown();
      await done;
      await connection.close();
    },
  };
}

/** One upgrade and the cluster that it is for. */
export class Upgrade {
  readonly stage: Stage;
  readonly world: FakeWorld;
  readonly request: UpgradeRequest;

  constructor(stage: Stage, world: FakeWorld, request: UpgradeRequest) {
    this.stage = stage;
    this.world = world;
    this.request = request;
  }

  get id(): string {
    return operationId(this.request);
  }

  get handle() {
    return this.stage.client.workflow.getHandle<typeof upgradeHostedEngine>(this.id);
  }

  view(): Promise<OperationView> {
    return this.handle.query<OperationView>(MESSAGES.view);
  }

  /** Waits for the view. @throws Error that shows the last view. */
  async until(what: string, wanted: (view: OperationView) => boolean): Promise<OperationView> {
    let view = await this.view();
    const look = async () => wanted((view = await this.view()));
    await eventually(`${this.id}: ${what}`, look, () => view);
    return view;
  }

  parked(): Promise<OperationView> {
    return this.until('to park', (view) => view.state === 'parked');
  }

  /** Sends an operator's command; answers what the workflow answers. @throws WorkflowUpdateFailedError when refused. */
  act(action: OperatorAction, command: Partial<OperatorCommand> = { by: 'alice' }): Promise<OperationView> {
    return this.handle.executeUpdate<OperationView, [Partial<OperatorCommand>]>(action, { args: [command] });
  }
}

/** Holds an activity that knows nothing of it. */
class Hold {
  #entered = false;
  #open = false;

  open(): void {
    this.#open = true;
  }

  reached(): Promise<void> {
    return until('the activity to be held', () => this.#entered, LIMIT_MS);
  }

  async wait(): Promise<void> {
    this.#entered = true;
    await until('the activity to be let go', () => this.#open, LIMIT_MS);
  }
}

export class Stage {
  readonly client: Client;
  readonly taskQueue: string;
  readonly #connection: Connection;
  /** The real ones, which can be held up. */
  readonly lock: LockActivities;
  /** The cluster's entity can't be asked now. */
  lockAway = false;
  lockRequests = 0;
  /** Activities beside those of the upgrade; of the next worker. */
  more: object = {};
  #describing: Hold | undefined;
  readonly #worlds = new Map<string, FakeWorld>();
  #worker: { stop(): Promise<void> } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.client = new Client({ connection, namespace: inject('temporal').namespace, identity: 'test' });
    this.taskQueue = randomUUID();
    const real = lockActivities(this.client, this.taskQueue);
    this.lock = {
      requestClusterLock: async (input) => {
        this.lockRequests += 1;
        if (this.lockAway) throw new Error('the cluster can’t be asked');
        return real.requestClusterLock(input);
      },
      describeHolder: async (input) => {
        await this.#describing?.wait();
        return real.describeHolder(input);
      },
      lastClusterState: (input) => real.lastClusterState(input),
    };
  }

  /** The next looks at a holder wait until they are let go. */
  holdDescribe(): Hold {
    return (this.#describing = new Hold());
  }

  /** The cluster's world; each cluster has one. */
  world(cluster: string): FakeWorld {
    const world = this.#worlds.get(cluster) ?? new FakeWorld(cluster);
    this.#worlds.set(cluster, world);
    return world;
  }

  async startWorker(): Promise<void> {
    this.#worker = await startWorker(this);
  }

  async stopWorker(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = undefined;
  }

  /** Not started yet; its cluster is its own unless one is given. */
  upgrade(change: Partial<UpgradeRequest> = {}): Upgrade {
    const cluster = change.cluster ?? `c${randomUUID().slice(0, 8)}`;
    const ticket = `CHG-${cluster}`;
    const request: UpgradeRequest = {
      version: 1,
      operation: 'upgrade',
      cluster,
      key: change.ticket ?? ticket,
      ticket,
      requestedBy: 'test',
      ifBusy: 'queue',
      source: 'auto',
      ...change,
    };
    return new Upgrade(this, this.world(cluster), request);
  }

  /** Starts it as the front door does. */
  async start(upgrade: Upgrade, timing: OperationTiming = TIMING): Promise<Upgrade> {
    const { starter } = createTemporalPorts({
      client: this.client,
      taskQueue: this.taskQueue,
      serverDeadlineMs: 10_000,
    });
    const { outcome } = await starter.start({
      id: upgrade.id,
      workflowType: 'upgradeHostedEngine',
      input: { request: upgrade.request, timing },
      requestId: randomUUID(),
      digest: 'digest',
      deliveryKey: 'delivery',
      summary: 'Upgrade',
      details: 'An upgrade of a test.',
    });
    if (outcome !== 'started') throw new Error(`${upgrade.id} was not started: ${outcome}`);
    return upgrade;
  }

  cluster(name: string): Promise<ClusterState> {
    return this.client.workflow.getHandle(clusterEntityId(name)).query<ClusterState>('cluster');
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.#connection.close();
  }
}

/** With a running worker. */
export async function openStage(): Promise<Stage> {
  const connection = await Connection.connect({ address: inject('temporal').address, connectTimeout: '5s' });
  const stage = new Stage(connection);
  await stage.startWorker();
  return stage;
}
