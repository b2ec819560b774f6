import { createServer, type Server, type Socket } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../infra/processes.ts';
import { createApp } from '../app.ts';
import { operationList, operationReport, startAnswer } from '../schemas/operation.ts';
import { problemDetails } from '../schemas/problem.ts';
import { delivery } from '../testing/delivery.ts';
import { startTestDoor, type TestDoor } from '../testing/door.ts';
import { createTemporalPorts } from './temporal.ts';

let door: TestDoor;
beforeAll(async () => {
  door = await startTestDoor();
});
afterAll(() => door.stop());

const call = (path: string, init: RequestInit = {}) => fetch(new URL(path, door.served.url), init);
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const start = (key: string, change: object = {}, headers: Record<string, string> = {}) =>
  post('/operations', { operation: 'upgrade', cluster: 'Default', key, ...change }, headers);
const show = async (id: string) =>
  operationReport.parse(await (await call(`/operations/${encodeURIComponent(id)}`)).json());
const problemOf = async (response: Response) => problemDetails.parse(await response.json());

const webhook = (ticket: string, id: string, change: object = {}): Promise<Response> =>
  fetch(delivery(door.served.url, id, { operation: 'upgrade', cluster: 'Default', ticket, ...change }));

async function parked(key: string): Promise<string> {
  const { id } = startAnswer.parse(await (await start(key)).json());
  await until(`${id} parked`, async () => (await show(id)).state === 'parked', 60_000);
  return id;
}

async function executions(id: string): Promise<number> {
  return (await door.client.workflow.count(`WorkflowId = '${id}'`)).count;
}

describe('a signed webhook', () => {
  it('starts the operation, acknowledged by Temporal, with its identity on it', async () => {
    const response = await webhook('CHG0000001', 'msg_1');
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/operations/upgrade%2FDefault%2FCHG0000001');
    expect(await response.json()).toEqual({
      id: 'upgrade/Default/CHG0000001',
      state: 'queued',
      links: {
        self: '/operations/upgrade%2FDefault%2FCHG0000001',
        temporalUi: 'http://127.0.0.1:8233/namespaces/bellwether/workflows/upgrade%2FDefault%2FCHG0000001',
      },
    });
    const info = await door.client.workflow.getHandle('upgrade/Default/CHG0000001').describe();
    expect(info.type).toBe('upgradeHostedEngine');
    expect(info.memo).toMatchObject({ requestedBy: 'webhook:servicedesk', deliveryKey: 'webhook:servicedesk:msg_1' });
    expect(info.memo?.['requestDigest']).toMatch(/^[0-9a-f]{64}$/);
    expect(await info.staticSummary()).toBe('Upgrade the hosted engine: Default (CHG0000001)');
    expect(await info.staticDetails()).toContain('operation watch upgrade/Default/CHG0000001');
    expect(info.searchAttributes).toMatchObject({
      HeCluster: ['Default'],
      HeOperation: ['upgrade'],
      HeTicket: ['CHG0000001'],
    });
  });

  it('delivered again gets the same answer, while it runs and after its end, and starts nothing', async () => {
    const first = await webhook('CHG0000002', 'msg_2');
    const id = 'upgrade/Default/CHG0000002';
    const answer = await first.json();
    await door.client.workflow.getHandle(id).result();
    const again = await webhook('CHG0000002', 'msg_2');
    expect([again.status, await again.json()]).toEqual([202, answer]);
    await until('visibility to show the run', async () => (await executions(id)) > 0, 5000);
    expect(await executions(id)).toBe(1);
  });

  it('from another delivery with the same content is told as a duplicate, with the state of now', async () => {
    await webhook('CHG0000003', 'msg_3');
    await door.client.workflow.getHandle('upgrade/Default/CHG0000003').result();
    const other = await webhook('CHG0000003', 'msg_3b');
    expect(other.status).toBe(202);
    expect(await other.json()).toMatchObject({ id: 'upgrade/Default/CHG0000003', duplicate: true, state: 'done' });
  });

  it('with other content for the same ticket is a conflict that names the operation', async () => {
    await webhook('CHG0000004', 'msg_4');
    const other = await webhook('CHG0000004', 'msg_4b', { ifBusy: 'refuse' });
    expect(other.status).toBe(409);
    expect(await problemOf(other)).toMatchObject({
      type: '/problems/operation-exists',
      operation: '/operations/upgrade%2FDefault%2FCHG0000004',
    });
  });

  it('delivered twenty times at once by two senders starts one operation', async () => {
    const deliveries = Array.from({ length: 20 }, (_, i) => webhook('CHG0000005', `msg_5${i % 2}`));
    const answers = await Promise.all((await Promise.all(deliveries)).map((response) => response.json()));
    expect(new Set(answers.map((answer) => startAnswer.parse(answer).id)).size).toBe(1);
    await door.client.workflow.getHandle('upgrade/Default/CHG0000005').result();
    await until('visibility to show the run', async () => (await executions('upgrade/Default/CHG0000005')) > 0, 5000);
    expect(await executions('upgrade/Default/CHG0000005')).toBe(1);
  });
});

describe('POST /operations', () => {
  it('takes the same request twice as one, and another under the same Idempotency-Key as a conflict', async () => {
    const headers = { 'idempotency-key': '"7c1e/ab"', 'x-requested-by': 'cli:alice' };
    const body = { operation: 'upgrade', cluster: 'Default' };
    const first = await post('/operations', body, headers);
    const answer = startAnswer.parse(await first.json());
    expect(answer.id).toMatch(/^upgrade\/Default\/[0-9a-f-]{36}$/);
    expect(await (await post('/operations', body, headers)).json()).toEqual(answer);
    const other = await post('/operations', { ...body, source: 'engine' }, headers);
    expect((await problemOf(other)).type).toBe('/problems/operation-exists');
    expect((await show(answer.id)).requestedBy).toBe('cli:alice');
  });

  it('for a webhook’s ticket with the same content is a duplicate: who asks does not count', async () => {
    await webhook('CHG0000006', 'msg_6');
    const response = await post(
      '/operations',
      { operation: 'upgrade', cluster: 'Default', ticket: 'CHG0000006' },
      { 'idempotency-key': 'by-hand' },
    );
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ id: 'upgrade/Default/CHG0000006', duplicate: true });
  });
});

describe('GET /operations', () => {
  it('lists with filters, newest first', async () => {
    await start('LIST-1', { cluster: 'Second' });
    await start('PARK-list', { cluster: 'Second', ticket: 'CHG0000007' });
    const list = async (query: string) =>
      operationList.parse(await (await call(`/operations?${query}`)).json()).operations;
    await until('both to be listed', async () => (await list('cluster=Second')).length === 2, 60_000);
    await until('the state to be listed', async () => (await list('cluster=Second&state=parked')).length === 1, 60_000);
    const [row] = await list('cluster=Second&state=parked');
    expect(row).toMatchObject({
      id: 'upgrade/Second/PARK-list',
      operation: 'upgrade',
      cluster: 'Second',
      ticket: 'CHG0000007',
      state: 'parked',
      step: 'import-domain',
      execution: 'running',
    });
    expect((await list('cluster=Second')).map(({ id }) => id)).toEqual([
      'upgrade/Second/PARK-list',
      'upgrade/Second/LIST-1',
    ]);
    expect(await list("cluster=Second' OR HeCluster = 'Default")).toEqual([]);
    expect(await list('limit=1&cluster=Second')).toHaveLength(1);
    expect((await call('/operations?state=broken')).status).toBe(422);
  });
});

describe('GET /operations/:id', () => {
  it('answers the workflow’s own view, for both spellings of the id', async () => {
    const id = await parked('PARK-show');
    const raw = operationReport.parse(await (await call(`/operations/${id}`)).json());
    expect(raw).toMatchObject({
      id,
      state: 'parked',
      readFrom: 'workflow',
      execution: 'running',
      waitsFor: 'an operator',
    });
    expect(raw.steps[1]?.failure?.remedy).toBe('Activate it, then retry.');
    expect(await show(id)).toEqual(raw);
  });

  it('knows neither foreign workflows nor made-up ids', async () => {
    await door.client.workflow.start('someOther', { taskQueue: 'nobody', workflowId: 'cluster/Default' });
    for (const id of ['cluster/Default', 'upgrade/Default/nothing']) {
      const response = await call(`/operations/${id}`);
      expect([response.status, (await problemOf(response)).type]).toEqual([404, '/problems/operation-not-found']);
    }
  });

  it('falls back to visibility when no worker answers, and says so', async () => {
    const ports = createTemporalPorts({
      client: door.client,
      taskQueue: 'nobody',
      queryDeadlineMs: 300,
      updateDeadlineMs: 300,
    });
    const app = createApp({ ...door.ports, ...ports });
    const body = JSON.stringify({ operation: 'upgrade', cluster: 'Default', key: 'NOBODY', ticket: 'CHG0000008' });
    const headers = { 'content-type': 'application/json' };
    expect((await app.request('/operations', { method: 'POST', headers, body })).status).toBe(202);
    const report = operationReport.parse(await (await app.request('/operations/upgrade/Default/NOBODY')).json());
    expect(report).toMatchObject({ state: 'queued', ticket: 'CHG0000008', readFrom: 'visibility', requestedBy: 'api' });
    expect(report.note).toContain('no worker answered within 300 ms');
    expect(report.waitsFor).toContain('a worker');
    const command = { method: 'POST', headers, body: JSON.stringify({ by: 'alice' }) };
    const act = await app.request('/operations/upgrade/Default/NOBODY/abort', command);
    expect([act.status, (await problemOf(act)).type]).toEqual([503, '/problems/no-worker']);
  });

  it('says it when Temporal ended the workflow before it could tidy up', async () => {
    const id = await parked('PARK-killed');
    await door.client.workflow.getHandle(id).terminate('by the test');
    const report = await show(id);
    expect(report).toMatchObject({ state: 'parked', execution: 'terminated', actions: [] });
    expect(report.note).toContain('global maintenance');
  });
});

describe('operators’ commands', () => {
  it('reach the workflow with who and why', async () => {
    const id = await parked('PARK-retry');
    const response = await post(`/operations/${encodeURIComponent(id)}/retry`, { by: 'alice', reason: 'it is up' });
    expect([response.status, await response.json()]).toEqual([
      200,
      { id, action: 'retry', by: 'alice', links: { self: `/operations/${encodeURIComponent(id)}` } },
    ]);
    expect(await door.client.workflow.getHandle(id).result()).toBe('alice: it is up');
    expect(await show(id)).toMatchObject({ state: 'done', execution: 'completed' });
  });

  it('are refused in the validator’s words', async () => {
    const id = await parked('PARK-skip');
    const response = await post(`/operations/${id}/skip`, { by: 'alice' });
    expect(response.status).toBe(409);
    expect(await problemOf(response)).toMatchObject({
      type: '/problems/action-refused',
      detail: 'skip is not possible: the operation is parked',
      operation: `/operations/${encodeURIComponent(id)}`,
    });
    await post(`/operations/${id}/abort`, { by: 'alice' });
    expect((await show(id)).state).toBe('aborted');
  });

  it('with the same Idempotency-Key are given once', async () => {
    const id = await parked('PARK-twice');
    const headers = { 'idempotency-key': 'k1' };
    const both = await Promise.all([1, 2].map(() => post(`/operations/${id}/retry`, { by: 'alice' }, headers)));
    await door.client.workflow.getHandle(id).result();
    const late = await post(`/operations/${id}/retry`, { by: 'alice' }, headers);
    expect([...both, late].map(({ status }) => status)).toEqual([200, 200, 200]);
    const other = await post(`/operations/${id}/retry`, { by: 'alice' }, { 'idempotency-key': 'k2' });
    expect((await problemOf(other)).type).toBe('/problems/operation-ended');
    const history = await door.client.workflow.getHandle(id).fetchHistory();
    const accepted = history.events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes) ?? [];
    expect(accepted).toHaveLength(1);
  });

  it('to an operation that has ended, crashed or never was are told apart', async () => {
    await start('DONE-1');
    await start('CRASH-1');
    await door.client.workflow.getHandle('upgrade/Default/DONE-1').result();
    await door.client.workflow
      .getHandle('upgrade/Default/CRASH-1')
      .result()
      .catch(() => {});
    const act = async (key: string) => problemOf(await post(`/operations/upgrade/Default/${key}/retry`, { by: 'a' }));
    expect(await act('DONE-1')).toMatchObject({ type: '/problems/operation-ended', status: 409 });
    expect(await act('CRASH-1')).toMatchObject({ type: '/problems/operation-ended' });
    expect(await act('NEVER')).toMatchObject({ type: '/problems/operation-not-found', status: 404 });
  });
});

describe('when Temporal is away', () => {
  let silent: Server;
  const sockets = new Set<Socket>();
  let connection: Connection;
  beforeAll(async () => {
    // Accepts and says nothing: the worst kind of away.
    silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    connection = Connection.lazy({ address: `127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await connection.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('everything answers 503 with Retry-After well before a sender gives up', async () => {
    const client = new Client({ connection, namespace: 'bellwether' });
    const ports = { ...door.ports, ...createTemporalPorts({ client, taskQueue: 'test', serverDeadlineMs: 400 }) };
    const app = createApp(ports);
    const headers = { 'content-type': 'application/json' };
    const json = (body: object) => ({ method: 'POST', headers, body: JSON.stringify(body) });
    const before = Date.now();
    const responses = await Promise.all([
      app.request('/operations', json({ operation: 'upgrade', cluster: 'Default', key: 'AWAY' })),
      app.request('/operations'),
      app.request('/operations/upgrade/Default/AWAY'),
      app.request('/operations/upgrade/Default/AWAY/retry', json({ by: 'alice' })),
    ]);
    expect(Date.now() - before).toBeLessThan(2500);
    for (const response of responses) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
      expect((await problemOf(response)).type).toBe('/problems/temporal-unavailable');
    }
    const ready = await app.request('/readyz');
    expect(ready.status).toBe(503);
    expect((await problemOf(ready)).detail).toMatch(/^missing: Temporal/);
    expect((await app.request('/healthz')).status).toBe(200);
  });

  it('readiness names a missing namespace, and is there when all is', async () => {
    expect((await call('/readyz')).status).toBe(200);
    const client = new Client({ connection: door.client.connection, namespace: 'elsewhere' });
    const app = createApp({ ...door.ports, ...createTemporalPorts({ client, taskQueue: 'test' }) });
    expect((await problemOf(await app.request('/readyz'))).detail).toBe('missing: Temporal namespace elsewhere');
  });
});
