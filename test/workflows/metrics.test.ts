/** Every metric that the dashboard and the alert rules use is really exported by one of the three that are scraped. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { asActivity } from '../../activities/border.activities.ts';
import { EngineClient } from '../../activities/engine/client.ts';
import { observeCall } from '../../activities/observe.activities.ts';
import { openAuditFile } from '../../api/audit/file.ts';
import { createApp } from '../../api/app.ts';
import { memoryPorts } from '../../api/testing/ports.ts';
import { ALERTS, dashboardExpressions, metricsIn } from '../../infra/monitoring/read.ts';
import { createRig } from '../../workers/host/explain/testing.ts';
import { metricsText } from '../../workers/host/metrics/text.ts';
import { countParked } from '../../workers/orchestrator/metrics.ts';
import { eventually, openStage, type Stage } from './stage.ts';
import { metricsUrl } from './quiet.ts';

/** Of Prometheus itself and of node_exporter. */
const FOREIGN = new Set(['up', 'node_textfile_mtime_seconds', 'node_textfile_scrape_error']);

let dir: string;
let stage: Stage;
const names = new Set<string>();
let workerText = '';

function take(text: string): void {
  for (const [, name] of text.matchAll(/^([a-z_]+)[{ ]/gm)) if (name !== undefined) names.add(name);
}

async function scrapeFrontDoor(): Promise<void> {
  const { ports, logs } = memoryPorts({ secret: ['whsec_AAAA'] });
  const audit = { trail: openAuditFile(join(dir, 'audit.jsonl'), ports.logger), required: true };
  const app = createApp({ ...ports, audit });
  await app.request('http://127.0.0.1/webhooks/servicedesk', { method: 'POST', body: '{}' });
  await app.request('http://127.0.0.1/healthz');
  expect(logs.length).toBeGreaterThan(0);
  take(await (await app.request('http://127.0.0.1/metrics')).text());
}

/** A step that calls an engine which is not there, in a worker of its own. */
async function runOneCall(): Promise<void> {
  const { address, namespace } = inject('temporal');
  const connection = await NativeConnection.connect({ address });
  const taskQueue = randomUUID();
  const ca = fileURLToPath(new URL('metrics.test.ts', import.meta.url));
  const engine = new EngineClient({
    baseUrl: 'https://127.0.0.1:1',
    caFile: ca,
    user: 'admin@internal',
    password: () => 'none',
    observe: observeCall,
  });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath: inject('bundleFile') },
    activities: {
      notify: asActivity(async (context) => {
        await engine
          .withCorrelation('upgrade-Default-CHG1', context.signal)
          .hosts({ search: 'name=host1' })
          .catch(() => undefined);
        return { summary: 'called' };
      }),
    },
  });
  const args = [{ target: 'nobody', news: {} }];
  await worker.runUntil(stage.client.workflow.execute('notification', { workflowId: randomUUID(), taskQueue, args }));
  await connection.close();
}

async function scrapeWorker(): Promise<void> {
  const upgrade = await stage.start(stage.upgrade());
  await upgrade.handle.result();
  await runOneCall();
  const stop = countParked(stage.client, 200);
  await eventually('operations to be counted', async () => {
    workerText = await (await fetch(metricsUrl())).text();
    return /bellwether_operations\{.*state="parked"/.test(workerText);
  });
  stop();
  take(workerText);
}

function readHostFile(): void {
  const rig = createRig(['ours', 'ours']);
  rig.run(10);
  rig.host(1).network = 0.5;
  rig.run(10);
  const journal = { appended: 1, failures: 0, missed: 0, lastMs: 1, worstMs: 1, failing: undefined };
  const board = {
    readAgeMs: 1,
    writeAgeMs: 1,
    readTookMs: 1,
    writeTookMs: 1,
    access: undefined,
    stuck: 0,
    pid: 1,
  };
  take(metricsText({ ...rig.snapshot(1), storage: { atMs: 1, ok: true }, parts: { journal, board }, loopLagMs: 1 }));
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-metrics-'));
  stage = await openStage();
  await scrapeFrontDoor();
  await scrapeWorker();
  readHostFile();
});
afterAll(async () => {
  await stage?.close();
  rmSync(dir, { recursive: true, force: true });
});

test('the worker counts steps and calls by operation, step and outcome', () => {
  expect(workerText).toMatch(
    /bellwether_steps_total\{[^}]*operation="upgrade"[^}]*outcome="done"[^}]*step="importDomain"/,
  );
  expect(workerText).toMatch(
    /bellwether_calls_total\{[^}]*call="GET hosts"[^}]*counterpart="engine"[^}]*error="engine\//,
  );
});

describe('alert rules', () => {
  test('are there, each named once', () => {
    expect(ALERTS.length).toBeGreaterThan(15);
    expect(new Set(ALERTS.map(({ alert }) => alert)).size).toBe(ALERTS.length);
  });

  test.each(ALERTS)('$alert: exported metrics, and what to do', ({ expr, labels, annotations }) => {
    expect(metricsIn(expr).filter((name) => !names.has(name) && !FOREIGN.has(name))).toEqual([]);
    expect(metricsIn(expr)).not.toEqual([]);
    expect(['page', 'ticket']).toContain(labels['severity']);
    for (const name of ['summary', 'description', 'todo']) expect(annotations[name]?.length).toBeGreaterThan(15);
  });
});

test('the dashboard uses exported metrics only, and every panel has one', () => {
  const panels = dashboardExpressions();
  expect(panels.length).toBeGreaterThan(10);
  for (const { title, expressions } of panels) {
    expect(expressions, title).not.toEqual([]);
    const unknown = expressions.flatMap(metricsIn).filter((name) => !names.has(name) && !FOREIGN.has(name));
    expect(unknown, title).toEqual([]);
  }
});

test('the README names every alert’s file and job', () => {
  const text = readFileSync(new URL('../../infra/monitoring/README.md', import.meta.url), 'utf8');
  for (const word of ['rules.yaml', 'dashboard.json', 'bellwether-front-door', 'bellwether-worker']) {
    expect(text).toContain(word);
  }
});
