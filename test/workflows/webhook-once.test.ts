/** One delivery a thousand times at once, to two front doors that know nothing of each other: Temporal makes it one. */
import { createHmac, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createApp, type FrontDoor } from '../../api/app.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import type { WebhookSource } from '../../api/ports.ts';
import { memoryPorts } from '../../api/testing/ports.ts';
import { eventually } from './stage.ts';

const DELIVERIES = 1000;
const SECRET = 'a secret of sixteen bytes and more';
const TICKET = `OPS-${randomUUID()}`;
const SOURCE: WebhookSource = {
  name: 'jira',
  scheme: 'jira',
  secretFiles: ['/secrets/jira'],
  ratePerMinute: 1_000_000,
  mapping: {
    when: [{ path: '/webhookEvent', equals: 'jira:issue_updated' }],
    request: { operation: { literal: 'upgrade' }, cluster: { path: '/cluster' }, ticket: { path: '/issue/key' } },
  },
};

let connection: Connection;
let client: Client;
beforeAll(async () => {
  const { address, namespace } = inject('temporal');
  connection = await Connection.connect({ address });
  client = new Client({ connection, namespace });
});
afterAll(async () => {
  await client?.workflow.getHandle(`upgrade/Default/${TICKET}`).terminate('end of the test');
  await connection?.close();
});

/** A front door of its own: nothing is shared but the Temporal server. */
function door(): FrontDoor {
  const { ports } = memoryPorts({ '/secrets/jira': [SECRET] }, { sources: [SOURCE] });
  // No worker polls this queue: the start is all that is looked at.
  const temporal = createTemporalPorts({ client, taskQueue: `once-${TICKET}`, serverDeadlineMs: 20_000 });
  return createApp({ ...ports, ...temporal, startsMax: 200 });
}

/** Sends again what it is told to send again, when it is told to, as a sender would. */
async function deliver(app: FrontDoor, init: RequestInit): Promise<{ status: number; body: string; attempts: number }> {
  for (let attempts = 1; ; attempts++) {
    const response = await app.request('/webhooks/jira', init);
    const body = await response.text();
    if (response.status !== 429 && response.status !== 503) return { status: response.status, body, attempts };
    const afterMs = Number(response.headers.get('retry-after')) * 1000;
    await new Promise((resolve) => setTimeout(resolve, afterMs * (0.5 + Math.random())));
  }
}

test('a delivery sent a thousand times at once to two front doors is one operation, and one answer', async () => {
  const body = JSON.stringify({
    timestamp: Date.now(),
    webhookEvent: 'jira:issue_updated',
    cluster: 'Default',
    issue: { key: TICKET },
  });
  const init = {
    method: 'POST',
    body,
    headers: {
      'x-hub-signature': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
      'x-atlassian-webhook-identifier': randomUUID(),
    },
  };
  const doors = [door(), door()] as const;
  const answers = await Promise.all(
    Array.from({ length: DELIVERIES }, (_, i) => deliver(doors[i % 2 === 0 ? 0 : 1], init)),
  );
  const id = `upgrade/Default/${TICKET}`;
  const self = `/operations/${encodeURIComponent(id)}`;
  expect(new Set(answers.map(({ status, body: text }) => `${status} ${text}`))).toEqual(
    new Set([`202 ${JSON.stringify({ id, state: 'queued', links: { self } })}`]),
  );
  // The gates were full: some had to come again, and none of them doubled anything.
  expect(answers.some(({ attempts }) => attempts > 1)).toBe(true);
  const count = async () => (await client.workflow.count(`WorkflowId = '${id}'`)).count;
  await eventually('visibility to show the run', async () => (await count()) > 0);
  expect(await count()).toBe(1);
  const history = await client.workflow.getHandle(id).fetchHistory();
  expect(history.events?.map(({ eventId }) => Number(eventId))).toEqual([1, 2]);
});
