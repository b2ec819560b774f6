import { describe, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { main } from '../cli/main.ts';
import { statusLines } from '../cli/status-text.ts';
import { serveApp } from '../adapters/node.ts';
import { problemDetails } from '../schemas/problem.ts';
import { clusterStatus, doctorReport } from '../schemas/status.ts';
import { memoryPorts } from '../testing/ports.ts';
import type { AppPorts } from '../ports.ts';
import type { Finding } from '../../workflows/model/look.ts';
import { statusOf, look, entity, NOW } from './testing.ts';
import type { ClusterDesk, MaintenanceOrder } from './ports.ts';

const order: MaintenanceOrder = {
  id: 'global-maintenance/Default/CHG1',
  mode: 'on',
  by: 'cli:alice',
  reason: 'new switch',
  until: '2026-11-21T18:00:00.000Z',
  at: '2026-11-21T13:00:00.000Z',
  running: true,
};
const on = look({ globalMaintenance: { on: true, source: 'ha-metadata' } });

function door(desk: Partial<ClusterDesk>, change: Partial<AppPorts> = {}) {
  let now = NOW.getTime();
  const memory = memoryPorts({ '/token': ['t'] });
  const ports = { ...memory.ports, ...change, looks: { ...memory.ports.looks, ...desk }, clock: () => new Date(now) };
  const app = createApp(ports);
  const get = (path: string, headers = {}) => app.request(`http://127.0.0.1${path}`, { headers });
  return { app, get, pass: (ms: number) => (now += ms) };
}

describe('who set global maintenance', () => {
  const setBy = (given: MaintenanceOrder | undefined | 'unknown', state = entity()) =>
    statusOf(on, state, given).globalMaintenance;

  test('the last order that switched it on', () => {
    expect(setBy(order)).toMatchObject({ setBy: 'operation', order: { by: 'cli:alice', until: order.until } });
  });

  test('nobody that we know: the last order switched it off, has ended at its time, or there is none', () => {
    expect(setBy({ ...order, mode: 'off' }).setBy).toBe('outside');
    expect(setBy({ ...order, running: false, until: '2026-11-21T13:30:00.000Z' }).setBy).toBe('outside');
    expect(setBy(undefined).setBy).toBe('outside');
    expect(setBy('unknown').setBy).toBe('unknown');
  });

  test('the operation that holds the cluster and sets it for its own time', () => {
    const holder = { operationId: 'upgrade/Default/CHG2', label: 'CHG2', ifBusy: 'queue' } as const;
    expect(setBy(undefined, entity({ holder })).order?.id).toBe('upgrade/Default/CHG2');
  });
});

describe('GET /clusters/:name/status', () => {
  test('several requests within 3 s share one look; it is told how old it is', async () => {
    let looks = 0;
    const { get, pass } = door({ look: () => Promise.resolve({ outcome: 'seen', value: (looks++, look()) }) });
    const [first] = await Promise.all([get('/clusters/Default/status'), get('/clusters/Default/status')]);
    expect(clusterStatus.parse(await first?.json())).toMatchObject({
      cluster: 'Default',
      ageMs: 0,
      lock: { queue: [] },
    });
    pass(2900);
    expect(clusterStatus.parse(await (await get('/clusters/Default/status')).json()).ageMs).toBe(2900);
    expect(looks).toBe(1);
    pass(200);
    await get('/clusters/Default/status');
    expect(looks).toBe(2);
  });

  test('without a worker: 503, with what Temporal itself knows; the next request looks anew', async () => {
    const running = {
      id: 'upgrade/Default/1',
      operation: 'upgrade',
      cluster: 'Default',
      state: 'running',
      execution: 'running',
      started: '',
    } as const;
    const ended = { ...running, id: 'upgrade/Default/0', execution: 'completed' } as const;
    let looks = 0;
    const reader = {
      ...memoryPorts({}).ports.reader,
      list: () => Promise.resolve({ outcome: 'listed' as const, operations: [running, ended] }),
    };
    const { get } = door(
      { look: () => Promise.resolve({ outcome: 'no-worker', why: `no worker polls the queue ${looks++}` }) },
      { reader },
    );
    const answer = await get('/clusters/Default/status');
    const problem = problemDetails.parse(await answer.json());
    expect([answer.status, problem.type]).toEqual([503, '/problems/no-worker-polls']);
    expect(problem.detail).toContain('no worker polls the queue');
    expect(problem.operations?.map(({ id }) => id)).toEqual(['upgrade/Default/1']);
    await get('/clusters/Default/status');
    expect(looks).toBe(2);
  });

  test('a worker that does not know the cluster, and an entity that is silent, are told with a remedy', async () => {
    const missing = { what: 'cluster Default', why: 'it knows none', remedy: 'Add it.' };
    const failed = await door({ look: () => Promise.resolve({ outcome: 'failed', missing }) }).get(
      '/clusters/Default/status',
    );
    expect(problemDetails.parse(await failed.json())).toMatchObject({
      type: '/problems/look-failed',
      errors: [{ remedy: 'Add it.' }],
    });
    const silent = door({
      look: () => Promise.resolve({ outcome: 'seen', value: look() }),
      entity: () => Promise.resolve({ outcome: 'missing', missing }),
    });
    const status = clusterStatus.parse(await (await silent.get('/clusters/Default/status')).json());
    expect([status.lock, status.missing]).toEqual([undefined, [missing]]);
  });

  test('unknown clusters, foreign hosts and missing tokens are refused', async () => {
    expect((await door({}).get('/clusters/Other/status')).status).toBe(404);
    expect((await door({}).app.request('http://example.test/clusters/Default/status')).status).toBe(403);
    const closed = door({}, { apiTokenFile: '/token' });
    for (const path of ['/clusters', '/clusters/Default/status', '/clusters/Default/doctor']) {
      expect((await closed.get(path)).status).toBe(401);
    }
    expect((await closed.get('/clusters', { authorization: 'Bearer t' })).status).toBe(200);
  });
});

describe('the command line', () => {
  const broken: Finding = {
    area: 'host',
    check: 'certificate of host2',
    result: 'failed',
    seen: 'expired',
    why: 'x',
    remedy: 'Renew it.',
  };

  async function run(findings: readonly Finding[], ...argv: string[]) {
    const examined = { version: 1, cluster: 'Default', at: NOW.toISOString(), tookMs: 1, findings } as const;
    const { app } = door(
      {
        look: () => Promise.resolve({ outcome: 'seen', value: look() }),
        examine: () => Promise.resolve({ outcome: 'seen', value: examined }),
      },
      { sources: [] },
    );
    const served = await serveApp(app, { host: '127.0.0.1', port: 0 });
    let text = '';
    const io = {
      stdout: (more: string) => (text += more),
      stderr: (more: string) => (text += more),
      env: { BELLWETHER_URL: served.url },
    };
    try {
      return { code: await main(argv, io), text };
    } finally {
      await served.close();
    }
  }

  test('doctor: 1 when something failed, 0 with warnings', async () => {
    const failed = await run([broken], 'doctor');
    expect([failed.code, failed.text]).toEqual([
      1,
      expect.stringMatching(/FAILED +host: certificate of host2: expired[\s\S]*remedy: Renew it\./),
    ]);
    const warned = await run([{ ...broken, result: 'warning' }], 'doctor', '--cluster', 'Default', '--json');
    expect([warned.code, doctorReport.parse(JSON.parse(warned.text)).result]).toEqual([0, 'warning']);
  });

  test('status, of all clusters and of one that is not known', async () => {
    const all = await run([], 'status');
    expect([all.code, all.text]).toEqual([0, expect.stringContaining('Hosted Engine HA: Active (score: 3400)')]);
    expect(await run([], 'status', '--cluster', 'Other')).toMatchObject({
      code: 1,
      text: expect.stringContaining('No such cluster'),
    });
  });

  test('the status of three hosts, everything wrong at once, fits 80x24 and can’t steer the terminal', () => {
    const steering = '\u001b[31mred\u202e';
    const missing = ['VDSM of host3', 'VDSM of host2', 'API of the engine', 'HA metadata'].map((what) => ({
      what,
      why: `${steering} ${'very long '.repeat(40)}`,
      remedy: 'Wait.',
    }));
    const ending = {
      operationId: 'upgrade/Default/CHG1',
      label: 'CHG1',
      grantedAt: NOW.toISOString(),
      releasedAt: NOW.toISOString(),
    };
    const alerts = [1, 2, 3].map((id) => ({
      id: `${id}`,
      at: NOW.toISOString(),
      host: 'host1',
      kind: 'k',
      text: steering,
      did: '',
      todo: '',
    }));
    const history = [ending, ending, ending];
    const lines = statusLines(statusOf({ ...on, missing }, entity({ history, alerts }), order));
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join('')).not.toMatch(/\p{C}/u);
  });
});
