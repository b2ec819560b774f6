import { once } from 'node:events';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../infra/processes.ts';
import { cpuLoad, parseStat } from './cpu.ts';
import { askHealth } from './health.ts';
import { monitorNetwork, networkTargets, type NetworkMonitor } from './network.ts';

const open: (Server | HttpServer)[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function portOf(server: Server | HttpServer, port = 0): Promise<number> {
  open.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const soon = () => AbortSignal.timeout(2000);

describe('the health page', () => {
  const page = async (status: number, body: string) => {
    const port = await portOf(createHttp((_request, response) => response.writeHead(status).end(body)));
    return `http://127.0.0.1:${port}/ovirt-engine/services/health`;
  };

  test('is good only when the engine says that its database is up', async () => {
    const url = await page(200, 'DB Up!Welcome to Health Status!');
    expect(await askHealth(url, undefined, soon())).toMatchObject({ engine: 'good', depth: 3 });
  });

  test.each([
    [500, 'DB Down!', 3],
    [500, 'Unable to contact Database!', 3],
    [503, 'starting', 2],
    [200, '<html>some proxy</html>', 2],
    [404, 'DB Up!', 3],
  ])('%i "%s" is bad', async (status, body, depth) => {
    expect(await askHealth(await page(status, body), undefined, soon())).toMatchObject({ engine: 'bad', depth });
  });

  test('nobody listening is bad; no such name says nothing of the engine', async () => {
    const port = await portOf(createServer());
    open.pop()?.close();
    expect(await askHealth(`http://127.0.0.1:${port}/`, undefined, soon())).toMatchObject({ engine: 'bad', depth: 0 });
    const nowhere = await askHealth('http://engine.invalid/', undefined, soon());
    expect(nowhere.engine).toBe('unknown');
  });

  test('one that never answers is bad when its time is over, as is one without end', async () => {
    const mute = await portOf(createServer(() => {}));
    const answer = await askHealth(`http://127.0.0.1:${mute}/`, undefined, AbortSignal.timeout(100));
    expect(answer).toMatchObject({ engine: 'bad', depth: 1, why: 'no answer in time' });
    const endless = await portOf(
      createHttp((_request, response) => {
        const pour = () =>
          void (response.write('x'.repeat(65_536)) ? setImmediate(pour) : response.once('drain', pour));
        pour();
      }),
    );
    expect(await askHealth(`http://127.0.0.1:${endless}/`, undefined, soon())).toMatchObject({ engine: 'bad' });
  });
});

describe('the network', () => {
  let monitor: NetworkMonitor | undefined;
  afterEach(() => monitor?.stop());
  const options = { everyMs: 20, bootMs: () => performance.now(), changed: () => {} };

  test('is there without targets', () => {
    monitor = monitorNetwork([], options);
    expect(monitor.fact().share).toBe(1);
  });

  test('goes with its target and comes back, and says since when it is gone', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await portOf(server);
    const watched = monitorNetwork([{ kind: 'tcp', host: '127.0.0.1', port }], options);
    monitor = watched;
    await until('an answer', () => watched.fact().targets.length === 1 && watched.fact().share === 1, 2000);
    open.splice(0).forEach((each) => each.close());
    const cut = performance.now();
    await until('the loss', () => watched.fact().share === 0, 2000);
    const lost = watched.fact().atMs;
    expect(lost).toBeGreaterThan(cut - 25);
    await until('another round', () => performance.now() > lost + 100, 2000);
    expect(watched.fact().atMs).toBe(lost);
    await portOf(
      createServer((socket) => socket.destroy()),
      port,
    );
    await until('the return', () => watched.fact().share === 1 && watched.fact().atMs > lost, 2000);
  });

  test('one dead target of two is not a dead network', async () => {
    const port = await portOf(createServer((socket) => socket.destroy()));
    const dead = await portOf(createServer());
    open.pop()?.close();
    const watched = monitorNetwork(
      [
        { kind: 'tcp', host: '127.0.0.1', port },
        { kind: 'tcp', host: '127.0.0.1', port: dead },
      ],
      options,
    );
    monitor = watched;
    await until('both were asked', () => watched.fact().targets.length === 2, 2000);
    expect(watched.fact().targets.map(({ share }) => share)).toEqual([1, 0]);
    expect(watched.fact().share).toBe(1);
  });

  test('takes the targets of hosted-engine.conf and further ones; refuses what is none', () => {
    const network = { test: 'ping', gateway: '192.0.2.1', tcp: undefined } as const;
    expect(networkTargets(network, 'tcp:[2001:db8::1]:443, dns ping:192.0.2.7')).toEqual([
      { kind: 'ping', address: '192.0.2.1' },
      { kind: 'tcp', host: '2001:db8::1', port: 443 },
      { kind: 'dns' },
      { kind: 'ping', address: '192.0.2.7' },
    ]);
    expect(() => networkTargets({ ...network, test: 'none' }, 'gateway')).toThrow(/"gateway" is no network target/);
  });
});

describe('the CPU load', () => {
  const stat = (busy: number, idle: number) => `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 1 1 1\n`;

  test('is the busy share without the engine’s own, first after ten seconds', () => {
    let text = stat(0, 0);
    const load = cpuLoad(() => text, 4);
    load.sample(0, 100);
    text = stat(600, 400);
    load.sample(5000, 100);
    expect(load.mean()).toBe(0);
    load.sample(10_000, 100);
    // One of four CPUs is the engine's.
    expect(load.mean()).toBeCloseTo(0.35);
    text = stat(600, 1400);
    load.sample(20_000, 0);
    expect(load.mean()).toBeCloseTo(0.35);
    load.sample(70_000, 0);
    expect(load.mean()).toBeCloseTo(0.175);
  });

  test('any text gives figures or nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.integer()).map((n) => `cpu ${n.join(' ')}`),
        ),
        (text) => {
          const ticks = parseStat(text);
          expect(ticks === undefined || Number.isFinite(ticks.total)).toBe(true);
        },
      ),
    );
  });
});
