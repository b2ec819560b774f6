import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CounterpartError } from '../errors.ts';
import { TicketSystem } from './client.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const REPORT = {
  ticket: 'CHG1',
  operationId: 'upgrade/Default/CHG1',
  cluster: 'Default',
  state: 'done',
  lines: ['managed'],
};
const { signal } = new AbortController();

let dir: string;
let secretFile: string;
let server: Server | undefined;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-tickets-'));
  secretFile = join(dir, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => server?.close());

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

async function listen(status: number): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      received.push({ headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(status).end();
    });
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/in`, received };
}

async function factsOf(work: Promise<unknown>): Promise<CounterpartError['facts'] | undefined> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof CounterpartError ? error.facts : undefined;
}

test('a report is signed as Standard Webhooks says, and repeats under the same id', async () => {
  const { url, received } = await listen(204);
  const tickets = new TicketSystem({ url, secretFile });
  await tickets.report(REPORT, signal);
  await tickets.report(REPORT, signal);
  const [first, second] = received;
  expect(new Webhook(SECRET).verify(first?.body ?? '', first?.headers ?? {})).toMatchObject({ data: REPORT });
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  await tickets.report({ ...REPORT, state: 'aborted' }, signal);
  expect(received[2]?.headers['webhook-id']).not.toBe(first?.headers['webhook-id']);
});

test.each([
  [503, 'retryable'],
  [429, 'retryable'],
  [401, 'needs-operator'],
])('an answer of %d is %s', async (status, kind) => {
  const { url } = await listen(status);
  expect(await factsOf(new TicketSystem({ url, secretFile }).report(REPORT, signal))).toMatchObject({
    kind,
    code: status,
  });
});

test('no answer is retryable with an unknown outcome', async () => {
  const facts = await factsOf(new TicketSystem({ url: 'http://127.0.0.1:9/in', secretFile }).report(REPORT, signal));
  expect(facts).toMatchObject({ type: 'tickets/no-answer', kind: 'retryable', outcomeUnknown: true });
});
