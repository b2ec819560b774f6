import { describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import { openApiDocument } from '../schemas/document.ts';
import { problemDetails } from '../schemas/problem.ts';
import { memoryPorts } from '../testing/ports.ts';
import { curlOf, exampleOf } from './example.ts';
import { fieldsOf, variantsOf } from './fields.ts';
import { readReference, type Call } from './shape.ts';

const document: unknown = JSON.parse(JSON.stringify(openApiDocument()));
const reference = readReference(document);
const calls = reference.groups.flatMap((group) => group.calls);
const callOf = (id: string): Call => {
  const call = calls.find(({ operation }) => operation.operationId === id);
  if (call === undefined) throw new Error(`no call ${id}`);
  return call;
};
const app = createApp(memoryPorts({ '/secret': [] }).ports);

/** The card of one call, as text. */
function cardOf(page: string, id: string): string {
  const from = page.indexOf(`id="${id}"`);
  expect(from).toBeGreaterThan(-1);
  return page.slice(from, page.indexOf('</article>', from)).replaceAll(/\s+/g, ' ');
}

describe('GET /api', async () => {
  const response = await app.request('/api');
  const page = await response.text();

  it('is a page under the policy of the status page, which leads there', async () => {
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    const status = await (await app.request('/ui/windows', { headers: { host: '127.0.0.1' } })).text();
    expect(status).toContain('href="/api"');
    expect(JSON.stringify(document)).toContain('GET /api');
  });

  it('has each path and method of the document, what it is, each answer, each shape', () => {
    const { paths = {}, components } = openApiDocument();
    const seen = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => {
        expect(page).toContain(`<code>${method.toUpperCase()} ${path}</code></h3>`);
        return `${method} ${path}`;
      }),
    );
    expect(seen).toHaveLength(calls.length);
    for (const { operation } of calls) {
      const card = cardOf(page, operation.operationId);
      expect(card).toContain(operation.summary);
      for (const status of Object.keys(operation.responses)) expect(card).toContain(`</span> ${status}</span>`);
    }
    for (const name of Object.keys(components?.schemas ?? {})) expect(page).toContain(`id="shape-${name}"`);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, to] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(to);
  });

  it('links each problem with the page that says what to do', async () => {
    const problems = new Set([...page.matchAll(/href="(\/problems\/[^"]+)"/g)].map(([, path]) => path ?? ''));
    expect(problems.size).toBeGreaterThan(20);
    for (const path of problems) expect([path, (await app.request(path)).status]).toEqual([path, 200]);
  });

  it('says who may call, and what of the fields', () => {
    expect(cardOf(page, 'retryOperation')).toContain('with the role operator');
    expect(cardOf(page, 'retryOperation')).toContain('href="/problems/read-only"');
    expect(cardOf(page, 'listOperations')).toContain('role read-only or operator');
    expect(cardOf(page, 'listOperations')).not.toContain('/problems/read-only');
    expect(cardOf(page, 'receiveWebhook')).toContain('signs with a secret');
    const start = cardOf(page, 'startOperation');
    for (const name of ['upgrade', 'rolling-host-update', 'install']) expect(start).toContain(`<code>${name}</code>`);
    expect(start).toMatch(/<code>cluster<\/code> .{0,120}required/);
    expect(start).toContain('answers.vm.staticIp.gateway');
    expect(start).toContain('What to do while another operation holds the cluster.');
  });
});

describe('fields', () => {
  it('are named by their path; what all kinds have is told once', () => {
    const shape = reference.shapes['OperationRequest'] ?? {};
    const variants = variantsOf(reference, shape);
    expect(variants?.common.map(({ name }) => name)).toEqual([
      'version',
      'cluster',
      'ifBusy',
      'reason',
      'key',
      'ticket',
    ]);
    const install = variants?.kinds.find(({ name }) => name === 'install')?.fields ?? [];
    expect(install.find(({ name }) => name === 'answers.host.vdsmPort')).toMatchObject({ required: false });
    expect(install.find(({ name }) => name === 'answers.vm.diskGiB')).toMatchObject({ preset: '61' });
    expect(variantsOf(reference, reference.shapes['Problem'] ?? {})).toBeUndefined();
    expect(fieldsOf(reference.shapes['Problem'] ?? {}).map(({ name }) => name)).toContain('errors[].remedy');
  });
});

describe('examples', () => {
  it('are taken by the front door: none has a mistake in its path, headers or body', async () => {
    for (const call of calls) {
      const { method, path, headers, body } = exampleOf(reference, call);
      const answer = await app.request(path, { method, headers, ...(body === undefined ? {} : { body }) });
      const isProblem = answer.headers.get('content-type') === 'application/problem+json';
      const type = isProblem ? problemDetails.parse(await answer.json()).type : '';
      // What is not there in memory is not found; nothing signs the webhook.
      const fine = ['', '/problems/operation-not-found', '/problems/window-not-found', '/problems/no-worker-polls'];
      const expected =
        call.operation['x-caller'] === 'sender'
          ? ['/problems/signature-refused', '/problems/secret-unavailable']
          : fine;
      const silent = call.operation.operationId === 'readAudit' ? ['/problems/not-found'] : [];
      expect([method, path, [...expected, ...silent]]).toEqual([method, path, expect.arrayContaining([type])]);
    }
  });

  it('are quoted for a shell', () => {
    const example = { method: 'POST', path: '/operations', headers: { a: "it's" }, body: '{"b":1}' };
    expect(curlOf(example, true).split(' \\\n  ')).toEqual([
      'curl -sS -X POST "$BELLWETHER_URL/operations"',
      '-H "Authorization: Bearer $TOKEN"',
      "-H 'a: it'\\''s'",
      `-d '{"b":1}'`,
    ]);
    expect(curlOf(exampleOf(reference, callOf('showOperation')), true)).toContain(
      '"$BELLWETHER_URL/operations/upgrade%2FDefault%2FCHG0001234"',
    );
  });
});

describe('the document', () => {
  it('names read-only once with each route that changes something, and with no other', () => {
    for (const { method, path, operation } of calls) {
      const changes = method !== 'GET' && operation['x-caller'] !== 'sender';
      const said = operation.responses['403']?.description.split('/problems/read-only').length ?? 1;
      expect([method, path, said - 1]).toEqual([method, path, changes ? 1 : 0]);
    }
    const changing = calls.filter(({ operation }) => operation['x-caller'] === 'operator');
    expect(changing.map(({ operation }) => operation.operationId)).toContain('deleteWindow');
  });

  it('says of each route who may call it as the app does', async () => {
    const lines = ['eve:read-only:tok-eve-0123456789'];
    const closed = createApp(memoryPorts({ '/tokens': lines }, { apiTokenFile: '/tokens' }).ports);
    for (const call of calls) {
      const { method, path } = exampleOf(reference, call);
      const bare = (await closed.request(path, { method })).status;
      const eve = await closed.request(path, { method, headers: { authorization: 'Bearer tok-eve-0123456789' } });
      const caller = call.operation['x-caller'];
      const open = caller === 'anyone' || caller === 'sender';
      expect([method, path, bare === 401]).toEqual([method, path, !open || caller === 'sender']);
      expect([method, path, eve.status === 403]).toEqual([method, path, caller === 'operator']);
    }
  });
});
