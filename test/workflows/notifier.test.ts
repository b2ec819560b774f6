/**
 * From an operation that parks to a mail and a signed webhook, through the real server. With UPDATE_REPLAY_HISTORIES=1 the
 * histories of the two workflows are recorded anew.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { notifyActivities, startNotifier } from '../../activities/notify/notify.activities.ts';
import { readTargets } from '../../activities/notify/config.ts';
import { smtpSink, type SmtpSink } from '../../workers/host/alerts/testing.ts';
import { CLUSTER_MESSAGES, type HostAlert } from '../../workflows/model/cluster.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { NOTIFIER_ID } from '../../workflows/model/notify.ts';
import { record } from '../histories/store.ts';
import { eventually, openStage, type Stage } from './stage.ts';

const CLUSTER = 'notified';
const SECRET = `whsec_${Buffer.from('a secret of the test, 32 bytes..').toString('base64')}`;

let dir: string;
let stage: Stage;
let mailServer: SmtpSink;
let receiver: Server;
const hooks: { id: string; type: string; title: string }[] = [];
let taskQueue: string;
let port: number;
let stopWorker: () => Promise<void>;

async function startWorker(): Promise<() => Promise<void>> {
  const { address, namespace } = inject('temporal');
  const email = {
    to: ['ops@example.test'],
    from: 'bellwether@example.test',
    server: '127.0.0.1',
    port: mailServer.port,
    security: 'none',
  };
  const webhook = { url: `http://127.0.0.1:${port}/in`, secretFile: join(dir, 'secret') };
  const read = readTargets(
    JSON.stringify([
      { name: 'ops', on: ['parked', 'failed', 'done', 'host-alert'], cluster: CLUSTER, email },
      { name: 'pager', on: ['parked'], cluster: CLUSTER, webhook },
    ]),
  );
  if (!read.ok) throw new Error(read.problems.join());
  const links = { temporalUi: (id: string) => `https://ui.example.test/?id=${id}` };
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath: inject('bundleFile') },
    activities: notifyActivities(stage.client, { targets: read.targets, links, everyMs: 100, lookMs: 2000 }),
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '100ms',
    defaultHeartbeatThrottleInterval: '100ms',
  });
  const done = worker.run();
  await startNotifier(stage.client, taskQueue);
  return async () => {
    worker.shutdown();
    await done;
    await connection.close();
  };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-notify-'));
  writeFileSync(join(dir, 'secret'), `${SECRET}\n`);
  [stage, mailServer] = await Promise.all([openStage(), smtpSink()]);
  receiver = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = new Webhook(SECRET).verify(Buffer.concat(chunks).toString(), headers) as {
        type: string;
        data: { title: string };
      };
      hooks.push({ id: headers['webhook-id'] ?? '', type: body.type, title: body.data.title });
      outgoing.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  ({ port } = receiver.address() as AddressInfo);
  taskQueue = randomUUID();
  stopWorker = await startWorker();
});
afterAll(async () => {
  await stage?.client.workflow
    .getHandle(NOTIFIER_ID)
    .terminate()
    .catch(() => undefined);
  await stopWorker?.();
  receiver?.close();
  await mailServer?.close();
  await stage?.close();
  rmSync(dir, { recursive: true, force: true });
});

const subjects = () => mailServer.mails.map(({ headers }) => headers.get('subject') ?? '');

test('parked, parked again, done, failed, and a host’s alert: each told once, over a mail server that is away and a worker that is restarted', async () => {
  mailServer.mood = { busy: 1 };
  const first = stage.upgrade({ cluster: CLUSTER, ticket: 'CHG-parks' });
  first.world.fail('importDomain', 'needs-operator');
  await stage.start(first);
  await first.parked();
  await eventually('the webhook', async () => hooks.length === 1);
  expect(hooks[0]).toMatchObject({ type: 'bellwether.parked', title: expect.stringContaining('CHG-parks') });
  await eventually('the first try', async () => mailServer.connections > 0);
  expect(mailServer.mails).toEqual([]);

  await stopWorker();
  await first.act('retry');
  await first.until('park again', (view) => view.state === 'parked' && first.world.count('importDomain') === 2);
  stopWorker = await startWorker();
  // The mail server had said "come back later".
  await eventually('the mail', async () => mailServer.mails.length === 1, subjects);
  const [mail] = mailServer.mails;
  expect(mail?.text).toContain(
    'What to do next:\n  Tell it not to.\n  npx bellwether operation retry upgrade/notified/CHG-parks',
  );
  expect(mail?.text).toContain('https://ui.example.test/?id=upgrade/notified/CHG-parks');

  first.world.heal('importDomain');
  await first.act('retry');
  expect((await first.handle.result()).state).toBe('done');
  await eventually('the end', async () => mailServer.mails.length === 2, subjects);

  const second = stage.upgrade({ cluster: CLUSTER, ticket: 'CHG-stops' });
  second.world.fail('importDomain', 'needs-operator');
  await stage.start(second);
  await second.parked();
  await eventually('the second parking', async () => mailServer.mails.length === 3, subjects);
  await second.act('abort');
  const alert: HostAlert = {
    id: 'msg_1',
    at: new Date().toISOString(),
    host: 'host2',
    kind: 'engine-started',
    text: 'The engine VM was started on host2.',
    did: 'It started it.',
    todo: 'Look at host1.',
  };
  await stage.client.workflow.getHandle(clusterEntityId(CLUSTER)).signal(CLUSTER_MESSAGES.alert, alert);
  await eventually('abort and alert', async () => mailServer.mails.length === 5, subjects);
  expect(subjects().toSorted()).toEqual([
    '[Bellwether, done] CHG-parks (upgrade of notified) is done',
    '[Bellwether, failed] CHG-stops (upgrade of notified) was aborted',
    '[Bellwether, host alert] host2: The engine VM was started on host2.',
    '[Bellwether, needs you] CHG-parks (upgrade of notified) is parked at: Import the hosted-engine storage domain',
    '[Bellwether, needs you] CHG-stops (upgrade of notified) is parked at: Import the hosted-engine storage domain',
  ]);
  expect(hooks.map(({ title }) => title)).toHaveLength(2);
});

test.runIf(process.env['UPDATE_REPLAY_HISTORIES'] === '1')('recorded anew', async () => {
  const { client } = stage;
  record('notifier', 'told', await client.workflow.getHandle(NOTIFIER_ID).fetchHistory());
  const id = 'notification/ops/alert/notified/msg_1';
  await client.workflow.getHandle(id).result();
  record('notification', 'mail', await client.workflow.getHandle(id).fetchHistory());
});
