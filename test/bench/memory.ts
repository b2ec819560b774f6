/** What a worker weighs, how soon it works, and what an operation that waits for a person costs in it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { until } from '../../infra/processes.ts';
import { CACHED_WORKFLOWS } from '../../workers/orchestrator/worker.ts';
import type { ClusterState } from '../../workflows/model/cluster.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { DEFAULT_TIMING } from '../../workflows/model/operation.ts';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import { startChild, type Child } from './child.ts';
import { workerFirst, workerMemory, workerReady } from './messages.ts';

const PARK_LIMIT_MS = 120_000;
/** Enough for all of them and their clusters' entities: nothing is put out of memory while it is weighed. */
const ALL = 5000;
const WARM_UP = 20;

export interface MemoryOptions {
  readonly address: string;
  readonly client: Client;
  readonly code: string;
  readonly dir: string;
  readonly operations: number;
}

export interface StartUp {
  /** Since the process began, milliseconds. */
  readonly loadedMs: number;
  readonly readyMs: number;
  /** Until the first step of an operation that already waited ran. */
  readonly firstStepMs: number;
  readonly rssMb: number;
}

export interface ParkedMemory {
  readonly operations: number;
  readonly cache: number;
  readonly emptyMb: number;
  readonly entitiesMb: number;
  readonly parkedMb: number;
  readonly entityKb: number;
  readonly operationKb: number;
}

export interface MemoryResult {
  readonly startUp: StartUp;
  /** Every operation in memory. */
  readonly all: ParkedMemory;
  /** With the worker's own limit: the others are read again from their history when somebody asks for them. */
  readonly limited: ParkedMemory;
}

const mb = (bytes: number) => bytes / 2 ** 20;

/** Starting twice is starting once. */
async function startOperation(client: Client, taskQueue: string, cluster: string): Promise<void> {
  const key = `PARKED-${cluster}`;
  const who = { key, ticket: key, requestedBy: 'bench' };
  const request: UpgradeRequest = {
    version: 1,
    operation: 'upgrade',
    cluster,
    ...who,
    ifBusy: 'queue',
    source: 'auto',
  };
  const workflowId = `upgrade/${cluster}/${key}`;
  await client.workflow.start('upgradeHostedEngine', {
    workflowId,
    taskQueue,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [{ request, timing: DEFAULT_TIMING }],
  });
}

async function startEntity(client: Client, taskQueue: string, cluster: string): Promise<void> {
  const state: ClusterState = { version: 1, cluster, queue: [], history: [] };
  const workflowId = clusterEntityId(cluster);
  const handle = await client.workflow.start('cluster', { workflowId, taskQueue, args: [state] });
  await handle.query<ClusterState>('cluster');
}

/** Runs `work` for each of the names, some at a time. */
async function forAll(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const rest = [...names];
  const hand = async () => {
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) await work(name);
  };
  await Promise.all(Array.from({ length: 8 }, hand));
}

/** Counted in Temporal's list: asking each operation would bring it back into the worker's memory. */
async function awaitParked(client: Client, taskQueue: string, operations: number): Promise<void> {
  const parked = () => client.workflow.count(`TaskQueue = '${taskQueue}' AND HeState = 'parked'`);
  await until(`${operations} operations to park`, async () => (await parked()).count >= operations, PARK_LIMIT_MS);
}

async function weigh(options: MemoryOptions, worker: Child, taskQueue: string, cache: number): Promise<ParkedMemory> {
  const { client, operations } = options;
  const clusters = Array.from({ length: operations }, (_, index) => `${taskQueue}-${index}`);
  // What the first few bring (code, connections, room in the heap) belongs to the worker, not to them.
  const warmUp = Array.from({ length: WARM_UP }, (_, index) => `${taskQueue}-warm-up-${index}`);
  await forAll(warmUp, (cluster) => startOperation(client, taskQueue, cluster));
  await awaitParked(client, taskQueue, WARM_UP);
  const empty = await worker.ask('memory', workerMemory);
  await forAll(clusters, (cluster) => startEntity(client, taskQueue, cluster));
  const entities = await worker.ask('memory', workerMemory);
  await forAll(clusters, (cluster) => startOperation(client, taskQueue, cluster));
  await awaitParked(client, taskQueue, WARM_UP + operations);
  const parked = await worker.ask('memory', workerMemory);
  return {
    operations,
    cache,
    emptyMb: mb(empty.rssBytes),
    entitiesMb: mb(entities.rssBytes),
    parkedMb: mb(parked.rssBytes),
    entityKb: (entities.rssBytes - empty.rssBytes) / operations / 1024,
    operationKb: (parked.rssBytes - entities.rssBytes) / operations / 1024,
  };
}

export async function measureMemory(options: MemoryOptions): Promise<MemoryResult> {
  const { address, client, code, dir } = options;
  const { namespace } = client.options;
  const codePath = join(dir, 'workflows.js');
  writeFileSync(codePath, code);
  const worker = (taskQueue: string, cached: number) =>
    startChild('worker-process.ts', { address, namespace, taskQueue, codePath, cached, steps: 'parking' });
  const withWorker = async <T>(taskQueue: string, cached: number, work: (child: Child) => Promise<T>): Promise<T> => {
    const child = worker(taskQueue, cached);
    try {
      return await work(child);
    } finally {
      await child.stop();
    }
  };
  // It waits already when the worker starts, as after a restart of the orchestrator's machine.
  await startOperation(client, 'bench-memory', 'bench-memory-warm-up-0');
  const { startUp, all } = await withWorker('bench-memory', ALL, async (child) => {
    const ready = await child.hear(workerReady);
    const { firstStepMs } = await child.hear(workerFirst);
    const { loadedMs, readyMs, rssBytes } = ready;
    const startUp = { loadedMs, readyMs, firstStepMs, rssMb: mb(rssBytes) };
    return { startUp, all: await weigh(options, child, 'bench-memory', ALL) };
  });
  const limited = await withWorker('bench-limited', CACHED_WORKFLOWS, async (child) => {
    await child.hear(workerReady);
    return weigh(options, child, 'bench-limited', CACHED_WORKFLOWS);
  });
  return { startUp, all, limited };
}
