/**
 * Records histories of today's workflows for the release in package.json; only when asked:
 * `UPDATE_REPLAY_HISTORIES=1 npx vitest run test/histories`. Old releases' files are never written again.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLUSTER_MESSAGES, type ClusterState } from '../../workflows/model/cluster.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { eventually, openStage, TIMING, type Stage, type Upgrade } from '../workflows/stage.ts';
import { record } from './store.ts';

let stage: Stage;

const recordUpgrade = async (name: string, upgrade: Upgrade): Promise<void> =>
  record('upgradeHostedEngine', name, await upgrade.handle.fetchHistory());

const recordCluster = async (name: string, cluster: string): Promise<void> =>
  record('cluster', name, await stage.client.workflow.getHandle(clusterEntityId(cluster)).fetchHistory());

/** Ended or not: a history may stop anywhere. */
const ended = (upgrade: Upgrade): Promise<unknown> => upgrade.handle.result().catch(() => undefined);

function runs(): void {
  test('done', async () => {
    const upgrade = await stage.start(stage.upgrade({ cluster: 'done' }));
    await ended(upgrade);
    await recordUpgrade('done', upgrade);
  });

  test('parked twice, asked and told, retried and skipped', async () => {
    const upgrade = stage.upgrade({ cluster: 'parked' });
    upgrade.world.fail('importDomain', 'needs-operator');
    upgrade.world.fail('backUp:after', 'retryable');
    await stage.start(upgrade, { ...TIMING, firstRetryMs: 600_000, maxRetryMs: 600_000, stepPatienceMs: 0 });
    await upgrade.parked();
    await expect(upgrade.act('skip')).rejects.toThrow();
    await upgrade.act('retry');
    await upgrade.until('the retry to fail', (view) => view.state === 'parked' && upgrade.world.count('importDomain') === 2);
    upgrade.world.heal('importDomain');
    await upgrade.act('retry', { by: 'alice', reason: 'storage is back' });
    await upgrade.until('to park again', (view) => view.actions.includes('skip'));
    await upgrade.act('skip');
    await ended(upgrade);
    await recordUpgrade('parked', upgrade);
  });

  test('aborted, with a compensation that parks', async () => {
    const upgrade = stage.upgrade({ cluster: 'aborted' });
    const gate = upgrade.world.block('awaitDomainActive');
    upgrade.world.fail('removeDomain', 'needs-operator', { times: 1 });
    upgrade.world.fail('restoreOvfStores', 'needs-operator');
    await stage.start(upgrade);
    await gate.reached();
    await upgrade.act('abort');
    await upgrade.parked();
    await upgrade.act('retry');
    await upgrade.until('the second to park', (view) => view.state === 'parked' && view.undo.length === 2);
    await upgrade.act('skip');
    await ended(upgrade);
    await recordUpgrade('aborted', upgrade);
  });

  test('aborted after the point of no return', async () => {
    const upgrade = stage.upgrade({ cluster: 'committed' });
    upgrade.world.fail('verifyUpgrade', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    await ended(upgrade);
    await recordUpgrade('aborted-late', upgrade);
  });

  test('cancelled while a step runs', async () => {
    const upgrade = stage.upgrade({ cluster: 'cancelled' });
    const gate = upgrade.world.block('writeOvf');
    await stage.start(upgrade);
    await gate.reached();
    await upgrade.handle.cancel();
    await ended(upgrade);
    await recordUpgrade('cancelled', upgrade);
  });

  test('nothing to do', async () => {
    const upgrade = stage.upgrade({ cluster: 'managed' });
    upgrade.world.alreadyManaged = true;
    await stage.start(upgrade);
    await ended(upgrade);
    await recordUpgrade('already-managed', upgrade);
  });

  test('queued, aborted in the queue, refused; the cluster that they wanted', async () => {
    const cluster = 'busy';
    const holder = stage.upgrade({ cluster, ticket: 'CHG1' });
    const gate = holder.world.block('inspectUpgrade');
    await stage.start(holder);
    await gate.reached();
    const others: Upgrade[] = [];
    for (const ticket of ['CHG2', 'CHG3', 'CHG4']) {
      const upgrade = await stage.start(stage.upgrade({ cluster, ticket }));
      await upgrade.until('to queue', (view) => view.waitsFor !== undefined);
      others.push(upgrade);
    }
    const refused = await stage.start(stage.upgrade({ cluster, ticket: 'CHG5', ifBusy: 'refuse' }));
    await ended(refused);
    const [queued, aborted, terminated] = others;
    if (queued === undefined || aborted === undefined || terminated === undefined) throw new Error('nobody queued');
    await aborted.act('abort');
    await terminated.handle.terminate();
    gate.open();
    await Promise.all([holder, queued, aborted].map(ended));
    await eventually('the cluster to be free', async () => (await stage.cluster(cluster)).holder === undefined);
    await recordUpgrade('queued', queued);
    await recordUpgrade('aborted-in-queue', aborted);
    await recordUpgrade('refused', refused);
    await recordCluster('queue', cluster);
  });

  test('a cluster that went on with what the run before left', async () => {
    const cluster = 'continued';
    const operationId = 'cluster/waiting';
    const begin = (workflowId: string, state: Partial<ClusterState>) =>
      stage.client.workflow.start('cluster', {
        workflowId,
        taskQueue: stage.taskQueue,
        args: [{ version: 1, cluster, queue: [], history: [], ...state } satisfies ClusterState],
      });
    await begin(operationId, {});
    const entity = await begin(clusterEntityId(cluster), { queue: [{ operationId, label: 'CHG1', ifBusy: 'queue' }] });
    await eventually('the handing over', async () => (await stage.cluster(cluster)).holder !== undefined);
    await entity.signal(CLUSTER_MESSAGES.release, operationId);
    await eventually('the release', async () => (await stage.cluster(cluster)).holder === undefined);
    await recordCluster('continued', cluster);
  });
}

describe.runIf(process.env['UPDATE_REPLAY_HISTORIES'] === '1')('recorded anew', () => {
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());
  runs();
});
