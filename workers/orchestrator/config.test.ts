import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOrchestratorConfig } from './config.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-config-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(content: unknown): string {
  const name = join(dir, `${Math.random()}.json`);
  writeFileSync(name, typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

const HOST = { name: 'host1', address: '10.0.0.1', ca: 'ca', cert: 'cert', key: 'key' };
const ENGINE = {
  url: 'https://engine.example.test/ovirt-engine/api',
  ca: 'ca',
  user: 'admin@internal',
  passwordFile: 'p',
};

test('nothing set is a working configuration', () => {
  const read = readOrchestratorConfig({});
  expect(read).toMatchObject({
    ok: true,
    config: { clusters: [], bucket: 'bellwether', taskQueue: 'bellwether', tickets: undefined },
  });
});

test('the host worker is the bundle in the tree, or another one that is named', () => {
  const read = readOrchestratorConfig({});
  const named = readOrchestratorConfig({ BELLWETHER_HOST_BUNDLE: '/opt/bellwether-host.mjs' });
  expect(read.ok && read.config.hostWorker?.bundle).toMatch(/\/dist\/bellwether-host\.mjs$/);
  expect(named.ok && named.config.hostWorker?.bundle).toBe('/opt/bellwether-host.mjs');
  expect(
    read.ok && existsSync(read.config.hostWorker?.unit ?? '') && existsSync(read.config.hostWorker?.conf ?? ''),
  ).toBe(true);
});

test('a cluster is read, with VDSM’s own port where none is given', () => {
  const read = readOrchestratorConfig({
    BELLWETHER_CLUSTERS_FILE: file([{ name: 'Default', engine: ENGINE, hosts: [HOST] }]),
    BELLWETHER_STEP_PATIENCE_SECONDS: '2.5',
  });
  expect(read).toMatchObject({
    ok: true,
    config: { clusters: [{ hosts: [{ vdsmPort: 54_321 }] }], timing: { stepPatienceMs: 2500 } },
  });
});

test('every problem is told at once, each with its variable', () => {
  const read = readOrchestratorConfig({
    BELLWETHER_CLUSTERS_FILE: file([
      { name: 'Default', engine: { ...ENGINE, url: 'http://engine', user: 'admin' }, hosts: [] },
    ]),
    BELLWETHER_LOG_LEVEL: 'loud',
    BELLWETHER_S3_BUCKET: 'No Bucket',
    BELLWETHER_HEARTBEAT_SECONDS: '-1',
    BELLWETHER_TICKETS_URL: 'https://tickets.example.test/in',
  });
  expect(read.ok).toBe(false);
  if (read.ok) return;
  expect(read.problems.map((problem) => problem.variable).toSorted()).toEqual([
    'BELLWETHER_CLUSTERS_FILE',
    'BELLWETHER_CLUSTERS_FILE',
    'BELLWETHER_CLUSTERS_FILE',
    'BELLWETHER_HEARTBEAT_SECONDS',
    'BELLWETHER_LOG_LEVEL',
    'BELLWETHER_S3_BUCKET',
    'BELLWETHER_TICKETS_SECRET_FILE',
  ]);
  expect(read.problems.every((problem) => problem.remedy !== '')).toBe(true);
});

test.each(['{', '{}', '"x"'])('a clusters file of %s is named, not thrown', (content) => {
  const read = readOrchestratorConfig({ BELLWETHER_CLUSTERS_FILE: file(content) });
  expect(read).toMatchObject({ ok: false, problems: [{ variable: 'BELLWETHER_CLUSTERS_FILE' }] });
});

test('notifications and metrics: read, and refused with what to do', () => {
  const email = { to: ['ops@example.test'], from: 'b@example.test', server: 'smtp.example.test' };
  const read = readOrchestratorConfig({
    BELLWETHER_NOTIFY_FILE: file([{ name: 'ops', on: ['parked'], email }]),
    BELLWETHER_METRICS_LISTEN: '127.0.0.1:9464',
  });
  expect(read).toMatchObject({ ok: true, config: { notify: [{ name: 'ops' }], metricsListen: '127.0.0.1:9464' } });
  const bad = readOrchestratorConfig({
    BELLWETHER_NOTIFY_FILE: file([{ name: 'ops', on: ['parked'] }]),
    BELLWETHER_METRICS_LISTEN: 'everywhere',
  });
  expect(bad.ok ? [] : bad.problems.map(({ variable }) => variable)).toEqual([
    'BELLWETHER_NOTIFY_FILE',
    'BELLWETHER_METRICS_LISTEN',
  ]);
});
