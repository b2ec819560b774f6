/** The cluster's entity: one operation at a time, in the order of asking, whatever becomes of those that wait. */
import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockActivities } from '../../activities/cluster/lock.activities.ts';
import {
  CLUSTER_MESSAGES,
  type ClusterState,
  type LockAnswer,
  type LockRequest,
} from '../../workflows/model/cluster.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { isNotFound } from '../../api/operations/temporal-common.ts';
import { eventually, openStage, TIMING, type Stage, type Upgrade } from './stage.ts';

/** Well below the entity's own look at its holder every 15 s. */
const AT_ONCE_MS = 10_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const labels = (locks: readonly { label: string }[]) => locks.map((lock) => lock.label);
const newCluster = (): string => `k${randomUUID().slice(0, 8)}`;

const entity = (cluster: string) => stage.client.workflow.getHandle(clusterEntityId(cluster));

async function untilCluster(
  cluster: string,
  what: string,
  wanted: (state: ClusterState) => boolean,
): Promise<ClusterState> {
  let state = await stage.cluster(cluster);
  await eventually(
    `${cluster}: ${what}`,
    async () => wanted((state = await stage.cluster(cluster))),
    () => state,
  );
  return state;
}

/** An upgrade that holds its cluster until its gate is opened; there is little to do for it and for the others. */
async function holding(cluster: string): Promise<{ upgrade: Upgrade; open: () => void }> {
  const upgrade = stage.upgrade({ cluster, ticket: 'CHG1' });
  upgrade.world.alreadyManaged = true;
  const gate = upgrade.world.block('verifyUpgrade');
  await stage.start(upgrade);
  await gate.reached();
  return { upgrade, open: () => gate.open() };
}

async function queued(cluster: string, ticket: string): Promise<{ upgrade: Upgrade; waitsFor: string }> {
  const upgrade = await stage.start(stage.upgrade({ cluster, ticket }));
  const { waitsFor = '' } = await upgrade.until('to queue', (view) => view.waitsFor !== undefined);
  return { upgrade, waitsFor };
}

/** Starts a workflow that only runs: an operation as the entity sees it. */
async function someOperation(): Promise<LockRequest> {
  const operationId = `some/${randomUUID()}`;
  await stage.client.workflow.start('cluster', {
    workflowId: operationId,
    taskQueue: stage.taskQueue,
    args: [{ version: 1, cluster: 'none', queue: [], history: [] } satisfies ClusterState],
  });
  return { operationId, label: operationId.slice(-4), ifBusy: 'queue' };
}

const ask = (cluster: string, lock: LockRequest): Promise<LockAnswer> =>
  lockActivities(stage.client, stage.taskQueue).requestClusterLock({ cluster, lock });

const release = (cluster: string, lock: LockRequest): Promise<void> =>
  entity(cluster).signal(CLUSTER_MESSAGES.release, lock.operationId);

describe.concurrent('operations on one cluster', () => {
  test('queue with their place and what it is busy with, and get it in the order of asking', async () => {
    const cluster = newCluster();
    const first = await holding(cluster);
    const second = await queued(cluster, 'CHG2');
    const third = await queued(cluster, 'CHG3');
    expect(second.waitsFor).toBe('the cluster: busy with CHG1, step 10 of 13; place 1 in the queue');
    expect(third.waitsFor).toBe('the cluster: busy with CHG1, step 10 of 13; place 2 in the queue');
    expect((await third.upgrade.view()).state).toBe('queued');
    expect(first.upgrade.world.count('inspectUpgrade')).toBe(1);
    const state = await stage.cluster(cluster);
    expect([state.holder?.label, ...labels(state.queue)]).toEqual(['CHG1', 'CHG2', 'CHG3']);
    const { currentDetails } = await entity(cluster).query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(/held.*CHG1[^]*CHG2[^]*CHG3/i);

    first.open();
    for (const one of [first, second, third]) expect((await one.upgrade.handle.result()).state).toBe('nothing-to-do');
    const after = await untilCluster(cluster, 'to be free', (now) => now.holder === undefined);
    expect(labels(after.history)).toEqual(['CHG1', 'CHG2', 'CHG3']);
    // Never two at a time.
    after.history.slice(1).forEach((entry, index) => {
      expect(entry.grantedAt >= (after.history[index]?.releasedAt ?? '~')).toBe(true);
    });
  });

  test('are refused with the same words when they don’t want to wait', async () => {
    const cluster = newCluster();
    const first = await holding(cluster);
    const second = await stage.start(stage.upgrade({ cluster, ticket: 'CHG2', ifBusy: 'refuse' }));
    expect(await second.handle.result()).toEqual({
      state: 'refused',
      lines: ['Refused: the cluster is busy with CHG1, step 10 of 13. Nothing was changed.'],
    });
    expect((await stage.cluster(cluster)).queue).toEqual([]);
    expect(first.upgrade.world.count('inspectUpgrade')).toBe(1);
    first.open();
    await first.upgrade.handle.result();
  });

  test('see that the holder is parked', async () => {
    const cluster = newCluster();
    const upgrade = stage.upgrade({ cluster, ticket: 'CHG1' });
    upgrade.world.fail('inspectUpgrade', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    const second = await stage.start(stage.upgrade({ cluster, ticket: 'CHG2', ifBusy: 'refuse' }));
    expect((await second.handle.result()).lines[0]).toContain('busy with CHG1, step 1 of 13 (parked)');
    await upgrade.act('abort');
    await upgrade.handle.result();
  });

  test('leave the queue when they are aborted or cancelled there', async () => {
    const cluster = newCluster();
    const first = await holding(cluster);
    const [second, third, fourth] = [
      await queued(cluster, 'CHG2'),
      await queued(cluster, 'CHG3'),
      await queued(cluster, 'CHG4'),
    ];
    await second.upgrade.act('abort');
    await third.upgrade.handle.cancel();
    const state = await untilCluster(cluster, 'two to leave', ({ queue }) => queue.length === 1);
    expect(labels(state.queue)).toEqual(['CHG4']);
    first.open();
    expect((await fourth.upgrade.handle.result()).state).toBe('nothing-to-do');
    expect(labels((await stage.cluster(cluster)).history)).toEqual(['CHG1', 'CHG4']);
  });

  test('that were terminated in the queue are passed over', async () => {
    const cluster = newCluster();
    const first = await holding(cluster);
    const second = await queued(cluster, 'CHG2');
    const third = await queued(cluster, 'CHG3');
    await second.upgrade.handle.terminate();
    first.open();
    expect((await third.upgrade.handle.result()).state).toBe('nothing-to-do');
    expect(second.upgrade.world.count('inspectUpgrade')).toBe(2);
  });

  test('get it at once from a holder that was terminated, when they ask after that', async () => {
    const cluster = newCluster();
    const gone = await someOperation();
    expect(await ask(cluster, gone)).toEqual({ state: 'granted' });
    await stage.client.workflow.getHandle(gone.operationId).terminate();
    expect(await ask(cluster, await someOperation())).toEqual({ state: 'granted' });
  });
});

describe('a holder that ends without a word', () => {
  test('is noticed while others wait', async () => {
    const cluster = newCluster();
    // The check comes every quarter of a minute: the entity's time is skipped by the server.
    const state: ClusterState = { version: 1, cluster, queue: [], history: [] };
    await stage.client.workflowService.startWorkflowExecution({
      namespace: stage.client.options.namespace,
      requestId: randomUUID(),
      workflowId: clusterEntityId(cluster),
      workflowType: { name: 'cluster' },
      taskQueue: { name: stage.taskQueue },
      input: { payloads: [defaultPayloadConverter.toPayload(state)] },
      timeSkippingConfig: { enabled: true },
    });
    const [holder, next] = [await someOperation(), await someOperation()];
    expect(await ask(cluster, holder)).toEqual({ state: 'granted' });
    expect(await ask(cluster, next)).toMatchObject({ state: 'queued', position: 1 });
    await stage.client.workflow.getHandle(holder.operationId).terminate();
    const after = await untilCluster(
      cluster,
      'to be handed over',
      (now) => now.holder?.operationId === next.operationId,
    );
    expect(after.queue).toEqual([]);
    const { events } = await entity(cluster).fetchHistory();
    expect((events ?? []).some((event) => event.workflowExecutionTimeSkippingTransitionedEventAttributes)).toBe(true);
  });
});

describe.concurrent('an entity that was terminated', () => {
  test('remembers holder, queue, history and alerts when it is asked again', async () => {
    const cluster = newCluster();
    const [done, holder, waiting, newcomer] = [
      await someOperation(),
      await someOperation(),
      await someOperation(),
      await someOperation(),
    ];
    await ask(cluster, done);
    await release(cluster, done);
    await ask(cluster, holder);
    await ask(cluster, waiting);
    const alert = { id: 'a', at: '', host: 'host1', kind: 'test', text: '', did: '', todo: '' };
    await entity(cluster).signal(CLUSTER_MESSAGES.alert, alert);
    const before = await stage.cluster(cluster);
    await entity(cluster).terminate();
    await eventually('visibility', async () => (await runsOf(cluster)) > 0);

    expect(await ask(cluster, newcomer)).toMatchObject({ state: 'queued', position: 2, busyWith: holder.label });
    expect(await stage.cluster(cluster)).toEqual({ ...before, queue: [waiting, newcomer] });
    await release(cluster, holder);
    await untilCluster(cluster, 'to be handed over', (now) => now.holder?.operationId === waiting.operationId);
  });

  test('gives the cluster on from a holder that ended meanwhile', async () => {
    const cluster = newCluster();
    const [holder, waiting] = [await someOperation(), await someOperation()];
    await ask(cluster, holder);
    await ask(cluster, waiting);
    await entity(cluster).terminate();
    await eventually('visibility', async () => (await runsOf(cluster)) > 0);
    await stage.client.workflow.getHandle(holder.operationId).terminate();
    // Nobody tells those who wait: they ask again, now and then.
    expect(await ask(cluster, waiting)).toEqual({ state: 'granted' });
  });

  test('is started by one that waits: it asks again', async () => {
    const cluster = newCluster();
    const first = await holding(cluster);
    const second = stage.upgrade({ cluster, ticket: 'CHG2' });
    // It would wait a quarter of an hour.
    await stage.client.workflowService.startWorkflowExecution({
      namespace: stage.client.options.namespace,
      requestId: randomUUID(),
      workflowId: second.id,
      workflowType: { name: 'upgradeHostedEngine' },
      taskQueue: { name: stage.taskQueue },
      input: { payloads: [defaultPayloadConverter.toPayload({ request: second.request, timing: TIMING })] },
      timeSkippingConfig: { enabled: true },
    });
    await second.until('to queue', (view) => view.waitsFor !== undefined);
    await entity(cluster).terminate();
    await first.upgrade.handle.terminate();
    first.open();
    expect((await second.handle.result()).state).toBe('nothing-to-do');
    expect(labels((await stage.cluster(cluster)).history)).toEqual(['CHG1', 'CHG2']);
  });
});

async function runsOf(cluster: string): Promise<number> {
  return (await stage.client.workflow.count(`WorkflowId = '${clusterEntityId(cluster)}'`)).count;
}

describe.concurrent('the lock', () => {
  test('asked for twice by the same operation is asked for once', async () => {
    const cluster = newCluster();
    const [first, second] = [await someOperation(), await someOperation()];
    expect(await ask(cluster, first)).toEqual({ state: 'granted' });
    expect(await ask(cluster, first)).toEqual({ state: 'granted' });
    expect(await ask(cluster, second)).toMatchObject({ state: 'queued', position: 1 });
    expect(await ask(cluster, second)).toMatchObject({ state: 'queued', position: 1 });
    const state = await stage.cluster(cluster);
    expect(state.history).toHaveLength(1);
    expect(state.queue).toHaveLength(1);
  });

  test('asked for by many at the same time goes to one', async () => {
    const cluster = newCluster();
    const locks = await Promise.all(Array.from({ length: 5 }, someOperation));
    const answers = await Promise.all(locks.map((lock) => ask(cluster, lock)));
    expect(answers.filter((answer) => answer.state === 'granted')).toHaveLength(1);
    const positions = answers.flatMap((answer) => (answer.state === 'queued' ? [answer.position] : []));
    expect(new Set(positions)).toEqual(new Set([1, 2, 3, 4]));
  });

  test('released by one that does not hold it stays where it is', async () => {
    const cluster = newCluster();
    const [holder, other] = [await someOperation(), await someOperation()];
    await ask(cluster, holder);
    await release(cluster, other);
    expect(await ask(cluster, other)).toMatchObject({ state: 'queued' });
  });
});

describe.concurrent('an entity whose worker was away', () => {
  /** An entity on a queue of its own, so that its worker can be stopped while the operations go on. */
  async function apart(cluster: string, change: Partial<ClusterState> = {}): Promise<Stage> {
    const own = await openStage();
    await stage.client.workflow.start('cluster', {
      workflowId: clusterEntityId(cluster),
      taskQueue: own.taskQueue,
      args: [{ version: 1, cluster, queue: [], history: [], ...change } satisfies ClusterState],
    });
    return own;
  }

  test('does not let a newcomer overtake those who wait', async () => {
    const cluster = newCluster();
    const own = await apart(cluster);
    try {
      const [holder, waiting, newcomer] = [await someOperation(), await someOperation(), await someOperation()];
      await ask(cluster, holder);
      await ask(cluster, waiting);
      await own.stopWorker();
      // The release and the newcomer's request reach it in one and the same task.
      await release(cluster, holder);
      const answer = entity(cluster).executeUpdate<LockAnswer, [LockRequest]>(CLUSTER_MESSAGES.request, {
        args: [newcomer],
        updateId: 'newcomer',
      });
      await eventually('the request to arrive', () => knowsUpdate(cluster, 'newcomer'));
      await own.startWorker();
      expect(await answer).toMatchObject({ state: 'queued', position: 1, busyWith: waiting.label });
      expect((await stage.cluster(cluster)).holder?.operationId).toBe(waiting.operationId);
    } finally {
      await own.close();
    }
  });

  test('answers one that it has served meanwhile that it has the cluster', async () => {
    const cluster = newCluster();
    const own = await apart(cluster);
    try {
      const [holder, waiting] = [await someOperation(), await someOperation()];
      await ask(cluster, holder);
      await ask(cluster, waiting);
      const looking = own.holdDescribe();
      const again = ask(cluster, waiting);
      await looking.reached();
      await release(cluster, holder);
      await eventually(
        'the handing over',
        async () => (await stage.cluster(cluster)).holder?.operationId === waiting.operationId,
      );
      looking.open();
      expect(await again).toEqual({ state: 'granted' });
      expect((await stage.cluster(cluster)).queue).toEqual([]);
    } finally {
      await own.close();
    }
  });

  test('that starts anew keeps holder, queue and history, and goes on', async () => {
    const cluster = newCluster();
    const [holder, waiting] = [await someOperation(), await someOperation()];
    await ask(cluster, holder);
    await ask(cluster, waiting);
    const before = await stage.cluster(cluster);
    const { runId } = await entity(cluster).describe();
    // Temporal suggests to start anew at four megabytes of history, and looks at them when there is something to do.
    for (let sent = 0; sent < 3; sent += 1)
      await entity(cluster).signal(CLUSTER_MESSAGES.release, 'x'.repeat(1_500_000));
    await eventually('a new run', async () => {
      await entity(cluster).signal(CLUSTER_MESSAGES.release, 'nobody');
      return (await entity(cluster).describe()).runId !== runId;
    });
    expect(await stage.cluster(cluster)).toEqual(before);
    await release(cluster, holder);
    const after = await untilCluster(
      cluster,
      'to be handed over',
      (now) => now.holder?.operationId === waiting.operationId,
    );
    expect(after.history.map((entry) => entry.operationId)).toEqual([holder.operationId, waiting.operationId]);
    expect(after.history[0]?.releasedAt).toBeDefined();
  });

  test('that starts anew with nobody holding it serves the queue at once', async () => {
    const cluster = newCluster();
    const waiting = await someOperation();
    const own = await apart(cluster, { queue: [waiting] });
    try {
      const started = Date.now();
      await untilCluster(cluster, 'to be handed over', (now) => now.holder?.operationId === waiting.operationId);
      expect(Date.now() - started).toBeLessThan(AT_ONCE_MS);
    } finally {
      await own.close();
    }
  });
});

/** Whether the server has the update, be it that no worker has seen it. */
async function knowsUpdate(cluster: string, updateId: string): Promise<boolean> {
  const { namespace } = stage.client.options;
  const updateRef = { workflowExecution: { workflowId: clusterEntityId(cluster) }, updateId };
  return stage.client.workflowService
    .pollWorkflowExecutionUpdate({ namespace, updateRef, waitPolicy: { lifecycleStage: 0 } })
    .then(() => true)
    .catch((error: unknown) => {
      if (isNotFound(error)) return false;
      throw error;
    });
}
