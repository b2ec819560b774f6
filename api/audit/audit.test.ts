/** The whole app with a trail that can be made to fail: what is written down, and what is not done without it. */
import { expect, test } from 'vitest';
import { createApp } from '../app.ts';
import type { AppPorts } from '../ports.ts';
import { SECRET, signedHeaders } from '../testing/delivery.ts';
import { memoryPorts } from '../testing/ports.ts';
import type { AuditFields } from './line.ts';
import type { AuditTrail } from './trail.ts';

type Written = AuditFields & { readonly kind: 'asked' | 'answered' };

function stage(change: Partial<AppPorts> = {}, required = true) {
  const written: Written[] = [];
  const disk = { full: false };
  const trail: AuditTrail = {
    append(kind, fields) {
      if (disk.full) return Promise.reject(new Error('ENOSPC: no space left on device'));
      written.push({ kind, ...fields });
      return Promise.resolve(written.length);
    },
    read: () => Promise.resolve({ lines: [], more: false }),
  };
  const secrets = { secret: [SECRET], tokens: ['aaaaaaaa-token ci of the lab', 'bbbbbbbb-token'] };
  const memory = memoryPorts(secrets, { audit: { trail, required }, ...change });
  const sources = [{ name: 'servicedesk', scheme: 'standard', secretFiles: ['secret'] }] as const;
  const app = createApp({ ...memory.ports, sources });
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    app.request(`http://127.0.0.1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return { app, post, written, disk, orders: memory.orders };
}

const upgrade = { version: 1, operation: 'upgrade', cluster: 'Default', ticket: 'CHG1', key: 'CHG1', source: 'auto' };

test('a start is written down before it reaches Temporal, and once more with its result', async () => {
  const { post, written } = stage();
  const answer = await post('/operations', { ...upgrade, reason: 'change board' }, { 'x-requested-by': 'cli:alice' });
  expect(answer.status).toBe(202);
  expect(written.map(({ kind }) => kind)).toEqual(['asked', 'answered']);
  expect(written[1]).toMatchObject({
    who: { by: 'cli:alice', authenticated: 'loopback' },
    what: {
      method: 'POST',
      route: '/operations',
      action: 'start',
      subject: 'upgrade/Default/CHG1',
      reason: 'change board',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    result: { status: 202 },
  });
  expect(written[0]?.instance).toBe(written[1]?.instance);
  expect(written[0]?.result).toBeUndefined();
});

test('refusals, commands and windows are written down; reading is not', async () => {
  const { app, post, written } = stage();
  await post('/operations', { ...upgrade, cluster: 'Nowhere' });
  await post('/operations/upgrade/Default/CHG1/abort', { by: 'bob', reason: 'too late' });
  await app.request('http://127.0.0.1/windows/Default/night', { method: 'DELETE' });
  await app.request('http://127.0.0.1/operations');
  expect(written.map(({ kind, what, result }) => [kind, what.action, what.subject, result?.problem])).toEqual([
    ['answered', undefined, undefined, 'unknown-cluster'],
    ['asked', 'abort', 'upgrade/Default/CHG1', undefined],
    ['answered', 'abort', 'upgrade/Default/CHG1', 'operation-not-found'],
    ['asked', 'delete', 'window/Default/night', undefined],
    ['answered', 'delete', 'window/Default/night', 'window-not-found'],
  ]);
  expect(written[2]).toMatchObject({ who: { by: 'bob' }, what: { reason: 'too late' }, result: { status: 404 } });
});

test('what can’t be written down is not done: 503 that says so, and nothing reaches Temporal', async () => {
  const { post, written, disk, orders } = stage();
  disk.full = true;
  const answer = await post('/operations', upgrade);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('30');
  expect(await answer.json()).toMatchObject({
    type: '/problems/audit-unavailable',
    detail: expect.stringContaining('no space left on device'),
  });
  expect(orders).toEqual([]);
  disk.full = false;
  expect((await post('/operations', upgrade)).status).toBe(202);
  expect([orders.length, written.length]).toEqual([1, 2]);
});

test('without BELLWETHER_AUDIT_REQUIRED changes go on', async () => {
  const { post, disk, orders } = stage({}, false);
  disk.full = true;
  expect((await post('/operations', upgrade)).status).toBe(202);
  expect(orders).toHaveLength(1);
});

test('webhooks: the one that starts something is written down with its source, forged ones are not', async () => {
  const { app, written } = stage();
  const { key: _key, ...request } = upgrade;
  const body = JSON.stringify(request);
  const send = (change: Record<string, string> = {}) =>
    app.request('http://127.0.0.1/webhooks/servicedesk', {
      method: 'POST',
      headers: { ...signedHeaders(body, 'msg_1'), ...change },
      body,
    });
  expect((await send({ 'webhook-signature': 'v1,AAAA' })).status).toBe(401);
  expect(written).toEqual([]);
  expect((await send()).status).toBe(202);
  expect(written.map(({ kind, who }) => [kind, who.authenticated, who.as])).toEqual([
    ['asked', 'webhook', 'servicedesk'],
    ['answered', 'webhook', 'servicedesk'],
  ]);
});

test('the token is named, never shown; strangers get only so many lines', async () => {
  const { post, written } = stage({ apiTokenFile: 'tokens' });
  await post('/operations', upgrade, { authorization: 'Bearer aaaaaaaa-token' });
  await post('/operations', upgrade, { authorization: 'Bearer bbbbbbbb-token' });
  expect(written.flatMap(({ kind, who }) => (kind === 'answered' ? [who.as] : []))).toEqual([
    'ci of the lab',
    expect.stringMatching(/^sha256:[0-9a-f]{8}$/),
  ]);
  expect(JSON.stringify(written)).not.toContain('-token');
  written.length = 0;
  for (let at = 0; at < 70; at += 1) await post('/operations', upgrade, { authorization: 'Bearer wrong' });
  expect(written).toHaveLength(60);
  expect(written[0]).toMatchObject({ who: { authenticated: 'no' }, result: { status: 401, problem: 'unauthorized' } });
});

test('metrics count by route, not by path, and only for this machine or with a token', async () => {
  const { app, post } = stage();
  await post('/operations/upgrade/Default/CHG1/abort', { by: 'bob' });
  await app.request('http://127.0.0.1/nowhere/1');
  const text = await (await app.request('http://127.0.0.1/metrics')).text();
  const count = (line: string) => text.split('\n').filter((one) => one.startsWith(line));
  expect(
    count('bellwether_http_requests_total{method="POST",route="/operations/:id{.+}/abort",status="404"} 1'),
  ).toHaveLength(1);
  expect(count('bellwether_http_requests_total{method="GET",route="none",status="404"} 1')).toHaveLength(1);
  expect(count('bellwether_audit_lines_total{result="written"} 2')).toHaveLength(1);
  expect((await app.request('http://other.example/metrics')).status).toBe(403);
  const guarded = stage({ apiTokenFile: 'tokens' });
  expect((await guarded.app.request('http://127.0.0.1/metrics')).status).toBe(401);
});
