/** From a host worker's signed webhook through the front door to the cluster's entity, where an operator reads it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveApp, type ServedApp } from '../../api/adapters/node.ts';
import { createApp } from '../../api/app.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import { readSecretFile } from '../../api/secrets.ts';
import { memoryPorts } from '../../api/testing/ports.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { sendWebhook } from '../../workers/host/alerts/webhook.ts';
import { eventually, openStage, type Stage } from './stage.ts';

const CLUSTER = 'alerted';

let dir: string;
let stage: Stage;
let served: ServedApp;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-test-'));
  writeFileSync(join(dir, 'secret'), `whsec_${Buffer.from('a secret of the test, 32 bytes..').toString('base64')}\n`);
  stage = await openStage();
  const { ports } = memoryPorts({});
  const app = createApp({
    ...ports,
    ...createTemporalPorts({ client: stage.client, taskQueue: stage.taskQueue, serverDeadlineMs: 10_000 }),
    sources: [{ name: 'hosts', scheme: 'standard', secretFiles: [join(dir, 'secret')], alertsOf: CLUSTER }],
    readSecrets: readSecretFile,
  });
  served = await serveApp(app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await served?.close();
  await stage?.close();
  rmSync(dir, { recursive: true, force: true });
});

const message = {
  event: 'alert',
  kind: 'engine-started',
  detail: 'EngineDown-EngineStart',
  hostname: 'host2.example.test',
  subject: 'engine VM started',
  text: 'The engine VM was started on host2.',
  cause: 'host1 is silent.',
  effect: 'The engine was away for 62 s.',
  did: 'It started the engine VM here.',
  todo: 'Look at host1.',
  more: [],
  atMs: Date.parse('2026-11-21T03:10:12Z'),
};

test('an alert is kept once, with what to do, and refused when it is forged or no alert', async () => {
  const target = { url: `${served.url}/webhooks/hosts`, secretFile: join(dir, 'secret') };
  const { signal } = new AbortController();
  await sendWebhook(message, 'msg_1', target, signal);
  await sendWebhook(message, 'msg_1', target, signal);
  await sendWebhook({ ...message, hostname: 'host3.example.test' }, 'msg_2', target, signal);
  await eventually('both to be kept', async () => (await stage.cluster(CLUSTER)).alerts?.length === 2);
  expect((await stage.cluster(CLUSTER)).alerts?.[0]).toEqual({
    id: 'msg_1',
    at: '2026-11-21T03:10:12.000Z',
    host: 'host2.example.test',
    kind: 'engine-started',
    text: 'The engine VM was started on host2.',
    did: 'It started the engine VM here.',
    todo: 'Look at host1.',
  });
  const metadata = await stage.client.workflow
    .getHandle(clusterEntityId(CLUSTER))
    .query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(metadata.currentDetails).toContain('Look at host1.');

  writeFileSync(join(dir, 'other'), `whsec_${Buffer.from('another secret, 32 bytes long...').toString('base64')}\n`);
  const forged = sendWebhook(message, 'msg_3', { ...target, secretFile: join(dir, 'other') }, signal);
  await expect(forged).rejects.toThrow('it answered 401');
  await expect(sendWebhook({ ...message, kind: '' }, 'msg_4', target, signal)).rejects.toThrow('it answered 422');
});
