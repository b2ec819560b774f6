import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from '@hono/zod-openapi';
import { WORKFLOW_TYPES } from '../workflows/model/requests.ts';
import { createApp } from './app.ts';
import type { AppPorts } from './ports.ts';
import { PROBLEMS } from './problems.ts';
import { openApiDocument } from './schemas/document.ts';
import { problemDetails } from './schemas/problem.ts';
import { memoryPorts } from './testing/ports.ts';

function setUp(change: Partial<AppPorts> = {}, secrets = {}) {
  const memory = memoryPorts(secrets, change);
  return { ...memory, app: createApp(memory.ports) };
}

const problemOf = async (response: Response) => problemDetails.parse(await response.json());
const body = (value: object, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});
const REQUEST = { operation: 'upgrade', cluster: 'Default' };

describe('problems', () => {
  it('each have a page behind their type that says what to do', async () => {
    const { app } = setUp();
    for (const name of Object.keys(PROBLEMS)) {
      const response = await app.request(`/problems/${name}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('text/plain');
      expect((await response.text()).split('\n').length).toBeGreaterThan(2);
    }
    expect((await app.request('/problems/constructor')).status).toBe(404);
  });

  it('carry type, status, instance and the right media type; the log line has the same instance', async () => {
    const { app, logs } = setUp();
    const response = await app.request('/nowhere?secret=1');
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ type: '/problems/not-found', title: 'There is nothing here', status: 404 });
    expect(problem.instance).toMatch(/^urn:uuid:/);
    expect(logs[0]?.fields).toMatchObject({ instance: problem.instance, path: '/nowhere' });
    expect(JSON.stringify(logs)).not.toContain('secret');
  });

  it('hide the words of a defect from the caller and keep them in the log', async () => {
    const { app, logs } = setUp({
      reader: {
        list: () => Promise.reject(new Error('the inner cause')),
        show: () => Promise.resolve({ outcome: 'unknown' }),
        missing: () => Promise.resolve(undefined),
      },
    });
    const response = await app.request('/operations');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('inner cause');
    expect(JSON.stringify(logs)).toContain('the inner cause');
  });
});

describe('the OpenAPI document', () => {
  it('is the one checked in (else run: node --import tsx api/openapi.ts && npx oxfmt api/openapi.json)', async () => {
    const { app } = setUp();
    const checkedIn: unknown = JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8'));
    expect(await (await app.request('/openapi.json')).json()).toEqual(checkedIn);
  });

  it('has every route of the app, and the app every path of the document', () => {
    const { app } = setUp();
    const routes = app.routes
      // The status page is for people.
      .filter(({ method, path }) => method !== 'ALL' && path !== '/' && !/^\/ui(\/|$)/.test(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
    const paths = Object.entries(openApiDocument().paths ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(new Set(routes)).toEqual(new Set(paths));
  });

  it('lists optional keys as optional and knows the shapes by name', () => {
    const schemas: Record<string, unknown> = openApiDocument().components?.schemas ?? {};
    const { oneOf } = z
      .object({ oneOf: z.array(z.object({ required: z.array(z.string()) })) })
      .parse(schemas['OperationRequest']);
    expect(oneOf).toHaveLength(Object.keys(WORKFLOW_TYPES).length);
    expect(oneOf[0]?.required.toSorted()).toEqual(['cluster', 'operation']);
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['OperationReport', 'Problem', 'OperatorCommand']));
  });
});

describe('POST /operations', () => {
  it('needs a key: in the body or as a header, which names it when it can be part of an id', async () => {
    const { app, orders } = setUp();
    const without = await app.request('/operations', body({ ...REQUEST, ticket: 'CHG1' }));
    expect([without.status, (await problemOf(without)).type]).toEqual([400, '/problems/idempotency-key-missing']);
    await app.request('/operations', body({ ...REQUEST, key: 'k-1' }));
    await app.request('/operations', body(REQUEST, { 'idempotency-key': 'k-2' }));
    await app.request('/operations', body(REQUEST, { 'idempotency-key': 'a/b' }));
    await app.request('/operations', body({ ...REQUEST, ticket: 'CHG1' }, { 'idempotency-key': 'k-3' }));
    expect(orders.map(({ id }) => id)).toEqual([
      'upgrade/Default/k-1',
      'upgrade/Default/k-2',
      expect.stringMatching(/^upgrade\/Default\/[0-9a-f-]{36}$/),
      'upgrade/Default/CHG1',
    ]);
    expect((await app.request('/operations', body(REQUEST, { 'idempotency-key': 'a b' }))).status).toBe(422);
  });

  it('takes JSON only, within its limits', async () => {
    const { app } = setUp();
    const form = await app.request('/operations', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{}',
    });
    expect(form.status).toBe(415);
    const big = await app.request('/operations', body({ ...REQUEST, key: 'k', vmConf: 'x'.repeat(300_000) }));
    expect(big.status).toBe(413);
    const conf = await app.request('/operations', body({ ...REQUEST, key: 'k', vmConf: 'é'.repeat(40_000) }));
    expect((await problemOf(conf)).errors).toEqual([{ path: 'vmConf', what: 'at most 65536 bytes' }]);
    const unknown = await app.request('/operations', body({ ...REQUEST, key: 'k', requestedBy: 'me' }));
    expect(unknown.status).toBe(422);
  });

  it('turns away what is above the bound on starts with 429 and Retry-After', async () => {
    const { app } = setUp({ startsMax: 0 });
    const response = await app.request('/operations', body({ ...REQUEST, key: 'k' }));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
  });
});

describe('access to /operations', () => {
  const file = '/secrets/api-token';
  const protectedApp = () => setUp({ apiTokenFile: file }, { [file]: ['right-token', 'next-token'] }).app;

  it('with a token file needs one of its tokens, on every route', async () => {
    const app = protectedApp();
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await app.request('/operations', bearer('right-token'))).status).toBe(200);
    expect((await app.request('/operations', bearer('next-token'))).status).toBe(200);
    for (const path of ['/operations', '/operations/upgrade/Default/x', '/operations/upgrade%2FDefault%2Fx']) {
      const response = await app.request(path, bearer('right-toke'));
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
    }
    for (const path of ['/operations', '/operations/upgrade/Default/x/retry', '/operations/upgrade/Default/x/abort']) {
      expect((await app.request(path, body({ by: 'me' }))).status).toBe(401);
    }
    expect((await app.request('/healthz')).status).toBe(200);
  });

  it('fails closed when the token file can’t be read or is empty', async () => {
    for (const secrets of [{}, { [file]: [] }]) {
      const { app } = setUp({ apiTokenFile: file }, secrets);
      const response = await app.request('/operations', { headers: { authorization: 'Bearer ' } });
      expect((await problemOf(response)).type).toBe('/problems/secret-unavailable');
    }
  });

  it('without a token answers only under a loopback name', async () => {
    const { app } = setUp();
    for (const host of ['localhost', '127.0.0.1:8480', '[::1]:8480']) {
      expect((await app.request(`http://${host}/operations`)).status).toBe(200);
    }
    for (const host of ['rebound.example.test', '127.0.0.1.example.test', '10.0.0.1']) {
      const response = await app.request(`http://${host}/operations`);
      expect((await problemOf(response)).type).toBe('/problems/foreign-host');
    }
  });
});
