import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import type { AppPorts } from '../ports.ts';
import { problemDetails } from '../schemas/problem.ts';
import { readSecretFile } from '../secrets.ts';
import { memoryPorts } from '../testing/ports.ts';
import { signStandard } from './standard.ts';

const secretOf = (text: string) => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`;
const SECRET = secretOf('first');
const NEXT = secretOf('second');
const DATA = { operation: 'upgrade', cluster: 'Default', ticket: 'CHG0001234' };

interface Sending {
  readonly secret?: string;
  readonly id?: string;
  readonly headers?: Record<string, string>;
}

function signed(body: string, { secret = SECRET, id = 'msg_1', headers = {} }: Sending = {}): RequestInit {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = signStandard(Buffer.from(body), id, timestamp, secret);
  const own = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  return { method: 'POST', body, headers: { 'content-length': String(Buffer.byteLength(body)), ...own, ...headers } };
}

function setUp(change: Partial<AppPorts> = {}) {
  const memory = memoryPorts({ '/secrets/servicedesk': [SECRET] }, change);
  const app = createApp(memory.ports);
  const send = (body: unknown, sending?: Sending) =>
    app.request('/webhooks/servicedesk', signed(typeof body === 'string' ? body : JSON.stringify(body), sending));
  return { ...memory, app, send };
}

const problemOf = async (response: Response) => problemDetails.parse(await response.json());

describe('POST /webhooks/:source', () => {
  it('makes the request: the ticket is the key, the source is who asks', async () => {
    const { send, orders } = setUp();
    const response = await send({ type: 'operation.requested', timestamp: '2026-11-21T14:00:00Z', data: DATA });
    expect(response.status).toBe(202);
    expect(orders[0]?.input.request).toEqual({
      ...DATA,
      version: 1,
      key: 'CHG0001234',
      requestedBy: 'webhook:servicedesk',
      source: 'auto',
      ifBusy: 'queue',
    });
    expect(orders[0]?.deliveryKey).toBe('webhook:servicedesk:msg_1');
  });

  it('takes the bare request too, and an Idempotency-Key as the delivery’s id', async () => {
    const { send, orders } = setUp();
    expect((await send(DATA, { headers: { 'idempotency-key': 'abc' } })).status).toBe(202);
    expect(orders[0]?.deliveryKey).toBe('webhook:servicedesk:abc');
  });

  it('verifies before it parses', async () => {
    const { send, orders } = setUp();
    const forged = await send('{ not json', { secret: NEXT });
    expect([forged.status, (await problemOf(forged)).detail]).toEqual([401, 'no-match']);
    const own = await send('{ not json');
    expect([own.status, (await problemOf(own)).type]).toEqual([400, '/problems/malformed-json']);
    expect(orders).toEqual([]);
  });

  it('looks at the size before the signature, and at the depth before parsing', async () => {
    const { app, send } = setUp();
    const big = await app.request('/webhooks/servicedesk', {
      method: 'POST',
      body: 'x'.repeat(65_537),
      headers: { 'content-length': '65537' },
    });
    expect([big.status, (await problemOf(big)).type]).toEqual([413, '/problems/body-too-large']);
    const deep = await send(`${'['.repeat(33)}${']'.repeat(33)}`);
    expect((await problemOf(deep)).detail).toContain('33 deep');
  });

  it('names each mistake by its path', async () => {
    const { send, orders } = setUp();
    const response = await send({
      type: 'operation.requested',
      data: { operation: 'upgrade', cluster: 'a/b', source: 'request', vmconf: 'x', ticket: '' },
    });
    expect(response.status).toBe(422);
    const paths = (await problemOf(response)).errors?.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['data.cluster', 'data.ticket']));
    const missing = await send({ ...DATA, source: 'request' });
    expect((await problemOf(missing)).errors).toEqual([{ path: 'vmConf', what: 'needed because source is request' }]);
    const other = await send({ type: 'ticket.closed', data: {} });
    expect((await problemOf(other)).type).toBe('/problems/unsupported-event');
    expect(orders).toEqual([]);
  });

  it('refuses a bad vm.conf with line, key and remedy', async () => {
    const { send } = setUp();
    const response = await send({ ...DATA, source: 'request', vmConf: 'vmId=not-a-uuid\nmemSize=lots\n' });
    expect(response.status).toBe(422);
    const problem = await problemOf(response);
    expect(problem.type).toBe('/problems/invalid-vm-conf');
    expect(problem.errors?.[0]).toMatchObject({ line: 1, key: 'vmId', remedy: expect.stringContaining('UUID') });
  });

  it('refuses an unknown cluster and an unknown source', async () => {
    const { app, send } = setUp();
    expect((await problemOf(await send({ ...DATA, cluster: 'Other' }))).detail).toBe('known are: Default');
    const response = await app.request('/webhooks/nobody', signed('{}'));
    expect([response.status, (await problemOf(response)).type]).toEqual([404, '/problems/unknown-source']);
  });

  it('answers 503 when no secret can be read, so that the sender tries again', async () => {
    const { send, logs } = setUp({ readSecrets: () => Promise.reject(new Error('EACCES')) });
    const response = await send(DATA);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
    expect(logs[0]).toMatchObject({ level: 'warn', fields: { file: '/secrets/servicedesk' } });
  });

  it('logs one line per request, without body, signature or secret', async () => {
    const { send, logs } = setUp();
    await send(DATA);
    await send(DATA, { secret: NEXT });
    expect(logs.map(({ fields }) => fields)).toMatchObject([
      {
        method: 'POST',
        path: '/webhooks/servicedesk',
        status: 202,
        source: 'servicedesk',
        operation: 'upgrade/Default/CHG0001234',
      },
      { status: 401, problem: 'signature-refused', reason: 'no-match' },
    ]);
    expect(JSON.stringify(logs)).not.toMatch(/whsec_|v1,|"vmConf"/);
  });
});

describe('secrets in files', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bellwether-secrets-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('are rotated without a restart and without one lost delivery', async () => {
    const current = join(dir, 'current');
    const next = join(dir, 'next');
    const replace = (file: string, text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    replace(current, `# since October\n${SECRET}\n`);
    replace(next, '');
    const { send } = setUp({
      sources: [{ name: 'servicedesk', scheme: 'standard', secretFiles: [current, next] }],
      readSecrets: readSecretFile,
    });
    const status = async (secret: string) => (await send(DATA, { secret })).status;
    expect([await status(SECRET), await status(NEXT)]).toEqual([202, 401]);
    replace(next, `${NEXT}\n`);
    const under = Array.from({ length: 50 }, (_, i) => status(i % 2 === 0 ? SECRET : NEXT));
    expect(new Set(await Promise.all(under))).toEqual(new Set([202]));
    replace(current, `${NEXT}\n`);
    expect([await status(SECRET), await status(NEXT)]).toEqual([401, 202]);
    rmSync(next);
    expect(await status(NEXT)).toBe(202);
  });
});
