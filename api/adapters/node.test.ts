import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import { createLogger } from '../log.ts';
import { memoryPorts } from '../testing/ports.ts';
import { serveApp, type ServedApp } from './node.ts';

const served: ServedApp[] = [];
afterEach(async () => {
  for (const each of served.splice(0)) await each.close(0);
});

async function serve(change = {}) {
  const memory = memoryPorts({}, change);
  const server = await serveApp(createApp(memory.ports), { host: '127.0.0.1', port: 0 });
  served.push(server);
  return { ...memory, server };
}

/** Sends without a content-length, as HTTP's chunks. */
function chunked(url: string, pieces: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const call = request(url, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on('error', reject);
    for (const piece of pieces) call.write(piece);
    call.end();
  });
}

describe('serveApp', () => {
  it('without a token listens on loopback only, and says what to do', async () => {
    const app = createApp(memoryPorts({}).ports);
    await expect(serveApp(app, { host: '0.0.0.0', port: 0 })).rejects.toThrow('Configure a token file');
    const withToken = createApp(memoryPorts({ '/token': ['t'] }, { apiTokenFile: '/token' }).ports);
    // An address of documentation (RFC 5737): the token lets it past our rule, the system has no such address.
    await expect(serveApp(withToken, { host: '192.0.2.1', port: 0 })).rejects.toThrow('EADDRNOTAVAIL');
  });

  it('reads declared and chunked bodies, and refuses both above the limit', async () => {
    const { server, orders } = await serve();
    const url = `${server.url}/operations`;
    const small = JSON.stringify({ operation: 'upgrade', cluster: 'Default', key: 'k' });
    expect(await chunked(url, [small.slice(0, 9), small.slice(9)])).toBe(202);
    const declared = { method: 'POST', headers: { 'content-type': 'application/json' }, body: small };
    expect((await fetch(url, declared)).status).toBe(202);
    expect(orders).toHaveLength(2);
    expect(
      await chunked(
        url,
        Array.from({ length: 5 }, () => ' '.repeat(60_000)),
      ),
    ).toBe(413);
    expect(await chunked(`${server.url}/webhooks/servicedesk`, [' '.repeat(60_000), ' '.repeat(60_000)])).toBe(413);
  });

  it('tells a taken port', async () => {
    const { server } = await serve();
    const port = Number(new URL(server.url).port);
    await expect(serveApp(createApp(memoryPorts({}).ports), { host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE');
  });

  it('on close lets a request under way finish', async () => {
    let answer: () => void = () => {};
    let arrive: () => void = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { server } = await serve({
      reader: {
        missing: () => {
          arrive();
          return new Promise<undefined>((resolve) => {
            answer = () => resolve(undefined);
          });
        },
      },
    });
    const response = fetch(`${server.url}/readyz`);
    await arrived;
    const closing = server.close();
    answer();
    expect((await response).status).toBe(200);
    await closing;
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });
});

describe('the logger', () => {
  it('writes one JSON line per event and keeps secrets out', () => {
    const lines: string[] = [];
    const logger = createLogger('info', { write: (line) => void lines.push(line) });
    logger.info({ status: 202, token: 'hush', headers: { authorization: 'Bearer hush' } }, 'request');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'front-door', status: 202, msg: 'request' });
    expect(lines[0]).not.toContain('hush');
  });
});
