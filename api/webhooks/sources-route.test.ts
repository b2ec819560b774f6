/** The route with other senders than the native one: mappings, answers, limits and the delivery log. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import type { AppPorts, StartReply, WebhookSource } from '../ports.ts';
import { problemDetails } from '../schemas/problem.ts';
import { memoryPorts } from '../testing/ports.ts';
import { deliveryList } from './deliveries.ts';
import { recipes } from './verify/testing.ts';

const SECRET = 'a secret of sixteen bytes and more';
const FILE = '/secrets/one';

function recipe(name: string, change: Partial<WebhookSource> = {}): WebhookSource {
  const found = recipes().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no recipe ${name}`);
  return { ...found, secretFiles: [FILE], ...change };
}

const started = (): Promise<StartReply> => Promise.resolve({ outcome: 'started' });
const conflict = (): Promise<StartReply> => Promise.resolve({ outcome: 'exists', digest: 'other', state: 'running' });

function setUp(source: WebhookSource, reply = started, change: Partial<AppPorts> = {}) {
  const memory = memoryPorts({ [FILE]: [SECRET] }, { sources: [source], ...change }, reply);
  const app = createApp(memory.ports);
  const deliveries = async (query = '') => deliveryList.parse(await (await app.request(`/deliveries${query}`)).json());
  return { ...memory, app, deliveries };
}

const sign = (body: string, secret = SECRET) => createHmac('sha256', secret).update(body).digest('hex');
const CHANGE = { field: 'status', toString: 'Approved' };
function jiraBody({ key = 'OPS-17', item = CHANGE, cluster = 'Default', operation = 'Upgrade hosted engine' } = {}) {
  const fields = { summary: 's'.repeat(255), customfield_10042: { value: operation }, customfield_10043: cluster };
  const timestamp = Date.now();
  return JSON.stringify({
    timestamp,
    webhookEvent: 'jira:issue_updated',
    issue: { key, fields },
    changelog: { items: [item] },
  });
}

const post = (body: string, headers: Record<string, string>): RequestInit => ({ method: 'POST', body, headers });
const jira = (body: string, secret = SECRET) =>
  post(body, { 'x-hub-signature': `sha256=${sign(body, secret)}`, 'x-atlassian-webhook-identifier': 'id-1' });

describe('a mapped source', () => {
  it('starts what the ticket asks for', async () => {
    const { app, orders, deliveries } = setUp(recipe('jira'));
    const response = await app.request('/webhooks/jira', jira(jiraBody()));
    expect(response.status).toBe(202);
    expect(orders[0]).toMatchObject({ id: 'upgrade/Default/OPS-17', deliveryKey: 'webhook:jira:id-1' });
    expect(orders[0]?.input.request).toMatchObject({ requestedBy: 'webhook:jira', reason: 's'.repeat(250) });
    expect((await deliveries()).deliveries).toMatchObject([
      { source: 'jira', delivery: 'id-1', verdict: 'accepted', status: 202, operation: 'upgrade/Default/OPS-17' },
    ]);
  });

  it('with nothing to do is answered 200 with the reason, and starts nothing', async () => {
    const { app, orders, deliveries } = setUp(recipe('jira'));
    const body = jiraBody({ item: { ...CHANGE, toString: 'Open' } });
    const response = await app.request('/webhooks/jira', jira(body));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      nothingToDo: true,
      because: expect.stringContaining('/changelog/items is'),
    });
    expect(orders).toEqual([]);
    expect((await deliveries()).deliveries).toMatchObject([
      { verdict: 'nothing-to-do', reason: 'when: /changelog/items' },
    ]);
  });

  it('a conflict and a mistake are told to Jira as 200 with the problem, to GitHub as what they are', async () => {
    const atJira = setUp(recipe('jira'), conflict);
    for (const [body, status] of [
      [jiraBody(), 409],
      [jiraBody({ cluster: 'a/b' }), 422],
      [jiraBody({ operation: 'Delete everything' }), 422],
      [jiraBody({ cluster: 'Other' }), 422],
    ] as const) {
      const response = await atJira.app.request('/webhooks/jira', jira(body));
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/problem+json']);
      expect(problemDetails.parse(await response.json()).status).toBe(status);
    }
    expect(
      (await atJira.deliveries()).deliveries.map(({ status, verdict, reason }) => [status, verdict, reason]),
    ).toEqual([
      [200, 'refused', 'unknown-cluster'],
      [200, 'refused', 'invalid-request: operation'],
      [200, 'refused', 'invalid-request: cluster'],
      [200, 'refused', 'conflict'],
    ]);
    const atGitHub = setUp(recipe('github'), conflict);
    const body = JSON.stringify({
      action: 'labeled',
      issue: { number: 1, title: 't', state: 'open' },
      label: { name: 'run: backup' },
    });
    const response = await atGitHub.app.request(
      '/webhooks/github',
      post(body, { 'x-hub-signature-256': `sha256=${sign(body)}` }),
    );
    expect(response.status).toBe(409);
  });

  it('that must try again is told so, whoever it is', async () => {
    const away = (): Promise<StartReply> => Promise.resolve({ outcome: 'unavailable', why: 'away' });
    const { app } = setUp(recipe('jira'), away);
    expect((await app.request('/webhooks/jira', jira(jiraBody()))).status).toBe(503);
  });

  it('may be larger than a native one, and not without end', async () => {
    const { app } = setUp(recipe('jira'));
    const body = (size: number) => JSON.stringify({ ...JSON.parse(jiraBody()), comment: 'x'.repeat(size) });
    expect((await app.request('/webhooks/jira', jira(body(200_000)))).status).toBe(202);
    expect((await app.request('/webhooks/jira', jira(body(600_000)))).status).toBe(413);
  });
});

describe('the rate of a source', () => {
  it('is bounded with 429 and Retry-After; forged deliveries do not use up the sender’s share', async () => {
    // A clock of its own: else a slow machine earns tokens on the way.
    let now = Date.now();
    const { app, orders, deliveries } = setUp(recipe('jira', { ratePerMinute: 3 }), started, {
      clock: () => new Date((now += 1)),
    });
    const send = async (secret?: string) => (await app.request('/webhooks/jira', jira(jiraBody(), secret))).status;
    const forged = await Promise.all(Array.from({ length: 6 }, () => send('another secret, of 16 bytes')));
    expect(forged).toEqual([401, 401, 401, 429, 429, 429]);
    const own = [await send(), await send(), await send()];
    expect(own).toEqual([202, 202, 202]);
    const last = await app.request('/webhooks/jira', jira(jiraBody()));
    expect([last.status, last.headers.get('retry-after')]).toEqual([429, '20']);
    expect(problemDetails.parse(await last.json()).type).toBe('/problems/rate-limited');
    expect(orders).toHaveLength(3);
    const verdicts = (await deliveries()).deliveries.map(({ status, verdict }) => `${status} ${verdict}`);
    expect(verdicts.toReversed()).toEqual([
      ...Array.from({ length: 3 }, () => '401 refused'),
      '202 accepted',
      '202 duplicate',
      '202 duplicate',
      '429 refused',
    ]);
  });
});

describe('GET /deliveries', () => {
  it('shows no body, secret or signature; a source in test mode keeps the refused one, redacted', async () => {
    for (const test of [false, true]) {
      const { app, deliveries } = setUp(recipe('jira', { test }));
      const body = JSON.stringify({ ...JSON.parse(jiraBody()), password: 'hunter2' });
      const forged = jira(body, 'another secret, of 16 bytes');
      await app.request('/webhooks/jira', forged);
      const list = await deliveries();
      expect(list.deliveries).toMatchObject([
        { verdict: 'refused', status: 401, reason: 'signature-refused: no-match', size: body.length },
      ]);
      expect(list.deliveries[0]).not.toHaveProperty('delivery');
      expect(JSON.stringify(list.deliveries)).not.toMatch(/OPS-17|sha256=|hunter2/);
      expect(list.lastRefused).toHaveLength(1);
      expect(JSON.stringify(list)).not.toMatch(/sha256=|hunter2|of 16 bytes/);
      const { evidence } = list.lastRefused[0] ?? {};
      expect(evidence?.headers['x-hub-signature']).toBe(test ? '***' : undefined);
      expect(evidence?.body.includes('OPS-17')).toBe(test ? true : undefined);
    }
  });

  it('filters by source, checks its query, and needs the token where there is one', async () => {
    const { app, deliveries } = setUp(recipe('jira'));
    await app.request('/webhooks/jira', jira(jiraBody()));
    expect((await deliveries('?source=github')).deliveries).toEqual([]);
    expect((await app.request('/deliveries?limit=0')).status).toBe(422);
    const locked = setUp(recipe('jira'), started, { apiTokenFile: FILE });
    expect((await locked.app.request('/deliveries')).status).toBe(401);
    const headers = { authorization: `Bearer ${SECRET.replaceAll(' ', '_')}` };
    expect((await locked.app.request('/deliveries', { headers })).status).toBe(401);
  });
});
