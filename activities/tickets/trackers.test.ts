import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CounterpartError } from '../errors.ts';
import { smallJira, smallServer, smallServiceNow, type Answered, type SmallServer } from './testing.ts';
import { createTrackers } from './trackers.ts';
import type { Tracker, TrackerConfig } from './tracker.ts';

const { signal } = new AbortController();
const STATES = { running: 'In Progress', parked: 'on hold', done: 'Close', failed: 'Broken' };
const COMMENT = {
  operationId: 'upgrade/Default/OPS-17',
  cluster: 'Default',
  kind: 'status',
  phase: 'running',
} as const;

let dir: string;
let server: SmallServer | undefined;
const fileOf = (name: string) => join(dir, name);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-trackers-'));
  writeFileSync(fileOf('token'), 'secret-token\n');
  writeFileSync(fileOf('user'), 'bell\n');
  writeFileSync(fileOf('password'), 'wether\n');
  writeFileSync(fileOf('whsec'), `whsec_${Buffer.alloc(24, 7).toString('base64')}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => server?.close());

function trackerOf(config: TrackerConfig): Tracker {
  const tracker = createTrackers([config]).get(config.name);
  if (tracker === undefined) throw new Error('there is no tracker');
  return tracker;
}

const common = () => ({ name: 'desk', answers: true, access: { tokenFile: fileOf('token') } });

async function factsOf(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof CounterpartError ? { ...error.facts, after: error.retryAfterMs } : error;
}

describe.each([2, 3] as const)('Jira, version %d', (api) => {
  const open = async () => {
    const jira = await smallJira(api);
    server = jira;
    return { jira, tracker: trackerOf({ ...common(), kind: 'jira', url: `${jira.url}/`, api, states: STATES }) };
  };

  test('one comment is written, found again among hundreds, and edited only when its text changes', async () => {
    const { jira, tracker } = await open();
    await tracker.comment('OPS-17', { ...COMMENT, text: 'step 1\n\nof 2' }, signal);
    for (let index = 0; index < 250; index += 1) jira.comments.push({ id: `${index}`, body: `me too ${index}` });
    await tracker.comment('OPS-17', { ...COMMENT, text: 'step 2\n\nof 2' }, signal);
    await tracker.comment('OPS-17', { ...COMMENT, text: 'step 2\n\nof 2' }, signal);
    expect(jira.comments).toHaveLength(251);
    expect(jira.asked.filter(({ method }) => method === 'PUT')).toHaveLength(1);
    const text = JSON.stringify(jira.comments[0]?.body);
    expect(text).toContain('step 2');
    expect(text).toContain('[bellwether upgrade/Default/OPS-17 status]');
    expect(new Set(jira.asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-token']));
  });

  test('the state goes by the transition’s name or by its goal; what is so already is left alone', async () => {
    const { jira, tracker } = await open();
    expect(await tracker.state('OPS-17', 'running', signal)).toBeUndefined();
    expect(await tracker.state('OPS-17', 'running', signal)).toBeUndefined();
    expect(jira.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(await tracker.state('OPS-17', 'parked', signal)).toBeUndefined();
    expect(jira.status()).toBe('On Hold');
    expect(await tracker.state('OPS-17', 'done', signal)).toBeUndefined();
    expect(jira.status()).toBe('Done');
    expect(await tracker.state('OPS-17', 'aborted', signal)).toBeUndefined();
    expect(await tracker.state('OPS-17', 'failed', signal)).toBe(
      'no transition "Broken" from Done; there are: Begin work, Put on hold, Close',
    );
  });

  test('an issue that is not there needs a person', async () => {
    const { tracker } = await open();
    const facts = await factsOf(tracker.comment('OPS-18', { ...COMMENT, text: 'x' }, signal));
    expect(facts).toMatchObject({ kind: 'needs-operator', code: 404 });
  });
});

describe('ServiceNow', () => {
  const open = async () => {
    const now = await smallServiceNow();
    server = now;
    const access = { userFile: fileOf('user'), passwordFile: fileOf('password') };
    const config = { ...common(), access, kind: 'servicenow', url: now.url, table: 'change_request' } as const;
    return { now, tracker: trackerOf({ ...config, states: { done: '0' }, progressField: 'u_progress' }) };
  };

  test('a work note of a kind once, the steps in their field, the state', async () => {
    const { now, tracker } = await open();
    await tracker.comment('CHG0030001', { ...COMMENT, kind: 'accepted', text: 'taken' }, signal);
    await tracker.comment('CHG0030001', { ...COMMENT, kind: 'accepted', text: 'taken' }, signal);
    await tracker.comment('CHG0030001', { ...COMMENT, kind: 'ended', text: 'done' }, signal);
    expect(now.notes).toEqual([
      'taken\n\n[bellwether upgrade/Default/OPS-17 accepted]',
      'done\n\n[bellwether upgrade/Default/OPS-17 ended]',
    ]);
    await tracker.progress('CHG0030001', '1. done', signal);
    await tracker.progress('CHG0030001', '1. done', signal);
    expect(await tracker.state('CHG0030001', 'done', signal)).toBeUndefined();
    expect(now.change).toMatchObject({ u_progress: '1. done', state: '0' });
    // Two notes, one list, one state.
    expect(now.asked.filter(({ method }) => method === 'PATCH')).toHaveLength(4);
    expect(now.asked[0]?.authorization).toBe(`Basic ${Buffer.from('bell:wether').toString('base64')}`);
  });

  test('a number that is not there needs a person', async () => {
    const { tracker } = await open();
    expect(await factsOf(tracker.state('CHG9', 'done', signal))).toMatchObject({ type: 'tickets/no-ticket' });
  });
});

describe('Request Tracker', () => {
  const open = async (answers: (path: string) => Answered) => {
    server = await smallServer(({ path }) => answers(path));
    return trackerOf({ ...common(), kind: 'rt', url: server.url, prefix: 'RT-', states: { done: 'bogus' } });
  };

  test('a state that RT does not take is told in its words, although it answers 200', async () => {
    const tracker = await open(() => ({ status: 200, json: { Status: 'open' } }));
    expect(await tracker.state('RT-7', 'done', signal)).toContain('status bogus: it is still open');
    expect(server?.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /REST/2.0/ticket/7',
      'PUT /REST/2.0/ticket/7',
      'GET /REST/2.0/ticket/7',
    ]);
    expect(server?.asked[0]?.authorization).toBe('token secret-token');
  });

  test.each([
    [503, 'retryable'],
    [429, 'retryable'],
    [403, 'needs-operator'],
  ])('an answer of %d is %s', async (status, kind) => {
    const tracker = await open(() => ({ status, json: { message: 'no' }, headers: { 'retry-after': '7' } }));
    const facts = await factsOf(tracker.comment('RT-7', { ...COMMENT, text: 'x' }, signal));
    expect(facts).toMatchObject({ kind, code: status, after: 7000 });
  });

  test('a redirect is not followed: the credentials stay here', async () => {
    const tracker = await open(() => ({ status: 302, headers: { location: 'http://127.0.0.1:9/' } }));
    const facts = await factsOf(tracker.state('RT-7', 'done', signal));
    expect(facts).toMatchObject({ type: 'tickets/no-answer', kind: 'retryable' });
  });
});

test('kind standard signs a report for each turn of events', async () => {
  server = await smallServer(() => ({ status: 204 }));
  const tracker = trackerOf({
    name: 'desk',
    kind: 'standard',
    answers: false,
    url: server.url,
    secretFile: fileOf('whsec'),
  });
  await tracker.comment('CHG1', { ...COMMENT, kind: 'parked-1', phase: 'parked', text: 'a\nb' }, signal);
  await tracker.comment('CHG1', { ...COMMENT, kind: 'ended', phase: 'done', text: 'c' }, signal);
  expect(server.asked.map(({ body }) => body)).toMatchObject([
    { type: 'operation.progress', data: { ticket: 'CHG1', state: 'parked', lines: ['a', 'b'] } },
    { type: 'operation.ended', data: { state: 'done', lines: ['c'] } },
  ]);
});
