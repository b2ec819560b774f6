/** What every runtime must carry alike: the same requests through the app itself, through Node, and as Lambda's events. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import type { AppPorts } from '../ports.ts';
import { readSecretFile } from '../secrets.ts';
import { FORGED_SECRET, SECRET, delivery } from '../testing/delivery.ts';
import { LAMBDA_EVENTS } from '../testing/lambda-events.ts';
import { memoryPorts } from '../testing/ports.ts';
import { lambdaHandler } from './lambda.ts';
import { serveApp, type ServedApp } from './node.ts';

const TOKEN = 'token-of-the-contract-test';

type Carrier = (request: Request) => Promise<Response>;

let dir: string;
let served: ServedApp;
let ports: AppPorts;
const carriers = new Map<string, Carrier>();

function overLambda(make: (typeof LAMBDA_EVENTS)[string]): Carrier {
  const handler = lambdaHandler(createApp(ports));
  return async (request) => {
    const answer = await handler(await make(request));
    const { statusCode: status, body, isBase64Encoded, headers, multiValueHeaders } = answer;
    const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    const entries = Object.entries(headers ?? multiValueHeaders ?? {});
    const list = entries.map(([name, value]): [string, string] => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]);
    return new Response(bytes.length === 0 ? null : bytes, { status, headers: list });
  };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-contract-'));
  const [secret, token] = [join(dir, 'secret'), join(dir, 'token')];
  writeFileSync(secret, `${SECRET}\n`);
  writeFileSync(token, `${TOKEN}\n`);
  ports = {
    ...memoryPorts({}).ports,
    sources: [{ name: 'servicedesk', scheme: 'standard', secretFiles: [secret] }],
    apiTokenFile: token,
    readSecrets: readSecretFile,
  };
  served = await serveApp(createApp(ports), { host: '127.0.0.1', port: 0 });
  const app = createApp(ports);
  carriers.set('the app itself', async (request) => app.request(request));
  carriers.set('Node', (request) => {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(new URL(`${pathname}${search}`, served.url), request));
  });
  for (const [name, make] of Object.entries(LAMBDA_EVENTS)) carriers.set(name, overLambda(make));
});
afterAll(async () => {
  await served.close(100);
  rmSync(dir, { recursive: true, force: true });
});

const DOOR = 'https://door.example.test';
const get = (path: string, headers: Record<string, string> = {}) => new Request(`${DOOR}${path}`, { headers });
const withToken = { authorization: `Bearer ${TOKEN}` };

describe.each(['the app itself', 'Node', ...Object.keys(LAMBDA_EVENTS)])('%s', (name) => {
  const send: Carrier = (request) => {
    const carrier = carriers.get(name);
    if (carrier === undefined) throw new Error(`no carrier ${name}`);
    return carrier(request);
  };

  it('answers with status, media type and body', async () => {
    const up = await send(get('/healthz'));
    expect([up.status, await up.json()]).toEqual([200, { status: 'up' }]);
    const nothing = await send(get('/nowhere'));
    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });

  it('passes query and token on, and refuses without one', async () => {
    expect((await send(get('/operations'))).status).toBe(401);
    expect((await send(get('/operations?limit=5', withToken))).status).toBe(200);
    expect((await send(get('/operations?limit=none', withToken))).status).toBe(422);
  });

  it('hands over the raw bytes that were signed, of any script, and keeps headers of the answer', async () => {
    const request = { operation: 'upgrade', cluster: 'Default', ticket: 'CHG1', reason: 'Größe geändert — 变更' };
    const accepted = await send(delivery(DOOR, 'msg_contract', request));
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe('/operations/upgrade%2FDefault%2FCHG1');
    const forged = await send(delivery(DOOR, 'msg_contract', request, FORGED_SECRET));
    expect(forged.status).toBe(401);
  });

  it('knows an id with its slashes written either way', async () => {
    for (const id of ['upgrade%2FDefault%2FCHG9', 'upgrade/Default/CHG9']) {
      const answer = await send(get(`/operations/${id}`, withToken));
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain('upgrade/Default/CHG9');
    }
  });
});

it('a function without a token is no front door', () => {
  expect(() => lambdaHandler(createApp(memoryPorts({}).ports))).toThrow(/no API token/);
});
