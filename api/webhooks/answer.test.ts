import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import type { ActReply, OperationReport, OperationSummary, WebhookSource } from '../ports.ts';
import { memoryPorts } from '../testing/ports.ts';
import { commandIn } from './answer.ts';
import { sourcesFile } from './source.ts';
import { signStandard } from './standard.ts';

const SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
const ENTRY = {
  name: 'rt',
  scheme: 'standard',
  secretFiles: ['secret'],
  tracker: 'rt',
  operators: ['alice'],
  mapping: {
    when: [{ path: '/event', equals: 'status' }],
    request: {
      operation: 'global-maintenance',
      mode: 'on',
      cluster: 'Default',
      ticket: { path: '/ticket', as: 'text', prefix: 'RT-' },
    },
    answer: {
      when: [{ path: '/event', equals: 'comment' }],
      ticket: { path: '/ticket', as: 'text', prefix: 'RT-' },
      user: { path: '/user' },
      comment: { path: '/comment' },
    },
  },
};

describe('the command in a comment', () => {
  test.each([
    ['bellwether retry', { action: 'retry' }],
    ['\n\r\n Bellwether  ABORT  not today \r\nand more', undefined],
    ['\n\r\nBellwether  ABORT  not today \r\nand more', { action: 'abort', reason: 'not today' }],
    ['> bellwether retry', undefined],
    ['  bellwether retry', undefined],
    ['I think: bellwether retry', undefined],
    ['bellwether retrying', undefined],
    ['bellwether toString', undefined],
    ['Please\nbellwether retry', undefined],
    ['bellwether skip\n[bellwether a/b/c status]', undefined],
  ])('%j', (comment, wanted) => {
    expect(commandIn(comment)).toEqual(wanted);
  });

  test('any text is read without a throw, and only such a beginning is a command', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 200 }), (text) => {
        const found = commandIn(text);
        if (found !== undefined) expect(text.trimStart().toLowerCase()).toMatch(/^bellwether\s+(retry|skip|abort)/);
      }),
    );
  });
});

const report = (id: string, change: Partial<OperationReport> = {}): OperationReport => ({
  id,
  operation: 'upgrade',
  cluster: 'Default',
  ticket: 'RT-7',
  requestedBy: 'webhook:rt',
  state: 'parked',
  steps: [],
  undo: [],
  actions: ['retry', 'abort'],
  startedAt: '2026-11-21T14:00:00Z',
  execution: 'running',
  readFrom: 'workflow',
  ...change,
});

function door(reports: readonly OperationReport[], reply: ActReply = { outcome: 'accepted' }) {
  const acts: unknown[] = [];
  const notes: { id: string; text: string }[] = [];
  const asked: unknown[] = [];
  const [source] = sourcesFile.parse([ENTRY]) as WebhookSource[];
  if (source === undefined) throw new Error('no source');
  const { ports, orders } = memoryPorts(
    { secret: [SECRET] },
    {
      sources: [source],
      reader: {
        list: (filter) => {
          asked.push(filter);
          const operations = reports.map(
            ({ id, operation, cluster, state, execution, startedAt }): OperationSummary => ({
              id,
              operation,
              cluster,
              state,
              execution,
              started: startedAt,
            }),
          );
          return Promise.resolve({ outcome: 'listed', operations });
        },
        show: (id) => {
          const found = reports.find((one) => one.id === id);
          return Promise.resolve(found === undefined ? { outcome: 'unknown' } : { outcome: 'found', report: found });
        },
        missing: () => Promise.resolve(undefined),
      },
      desk: {
        act: (...args) => {
          acts.push(args);
          return Promise.resolve(reply);
        },
      },
      followers: {
        tell: (_id, note) => {
          notes.push(note);
          return Promise.resolve({ outcome: 'told' });
        },
      },
    },
  );
  const app = createApp(ports);
  const send = (body: unknown, id = 'd1') => {
    const text = JSON.stringify(body);
    const time = String(Math.floor(Date.now() / 1000));
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': time,
      'webhook-signature': signStandard(Buffer.from(text), id, time, SECRET),
    };
    return app.request('/webhooks/rt', { method: 'POST', body: text, headers });
  };
  return { send, acts, notes, asked, orders };
}

const said = (comment: string, user = 'alice') => ({ event: 'comment', ticket: 7, user, comment });

describe('an operator’s word in the ticket', () => {
  test('becomes the update, with who said it and the delivery’s id', async () => {
    const { send, acts, asked } = door([report('upgrade/Default/RT-7')]);
    const answer = await send(said('bellwether retry the disk is back'));
    expect(answer.status).toBe(202);
    const command = { by: 'webhook:rt:alice', reason: 'the disk is back' };
    expect(acts).toEqual([['upgrade/Default/RT-7', 'retry', command, 'd1']]);
    expect(asked).toEqual([{ ticket: 'RT-7', limit: 20 }]);
  });

  test('of somebody who is not on the list is refused, in the ticket', async () => {
    const { send, acts, notes } = door([report('upgrade/Default/RT-7')]);
    expect((await send(said('bellwether retry', 'mallory'))).status).toBe(200);
    expect(acts).toEqual([]);
    expect(notes).toEqual([{ id: 'd1', text: 'mallory may not answer for upgrade/Default/RT-7. These may: alice.' }]);
  });

  test('that the operation refuses comes back to the ticket in its words', async () => {
    const why = 'can’t skip: the operation is parked; possible now: retry, abort';
    const { send, notes } = door([report('upgrade/Default/RT-7')], { outcome: 'refused', why });
    expect((await send(said('bellwether skip'))).status).toBe(200);
    expect(notes[0]?.text).toBe(`alice: ${why}.`);
  });

  test('reaches only operations that this source started, and that run', async () => {
    const { send, acts } = door([
      report('upgrade/Default/RT-7', { requestedBy: 'webhook:jira' }),
      report('backup/Default/RT-7', { execution: 'completed' }),
    ]);
    const answer = await send(said('bellwether abort'));
    expect(await answer.json()).toMatchObject({ nothingToDo: true });
    expect(acts).toEqual([]);
  });

  test('goes to the one that waits for it; when two do, to none', async () => {
    const running = report('backup/Default/RT-7', { state: 'running', actions: ['abort'] });
    const one = door([running, report('upgrade/Default/RT-7')]);
    await one.send(said('bellwether retry'));
    expect(one.acts).toHaveLength(1);
    await one.send(said('bellwether abort'), 'd2');
    expect(one.acts).toHaveLength(1);
    expect(one.notes[0]?.text).toContain('Several operations of RT-7 run');
  });

  test('Temporal away: the sender is asked to send it again', async () => {
    const { send } = door([report('upgrade/Default/RT-7')], { outcome: 'no-worker' });
    expect((await send(said('bellwether retry'))).status).toBe(503);
  });

  test('any other comment asks for nothing, and a request carries its tracker', async () => {
    const { send, acts, orders } = door([report('upgrade/Default/RT-7')]);
    expect(await (await send(said('thank you'))).json()).toMatchObject({ nothingToDo: true });
    expect(acts).toEqual([]);
    expect((await send({ event: 'status', ticket: 7 }, 'd2')).status).toBe(202);
    expect(orders[0]?.input.request).toMatchObject({ tracker: 'rt', ticket: 'RT-7', requestedBy: 'webhook:rt' });
  });
});

test('operators and an answer come together', () => {
  const problems = (change: object) =>
    sourcesFile.safeParse([{ ...ENTRY, ...change }]).error?.issues.map(({ message }) => message);
  expect(problems({ operators: undefined })).toEqual(['needed with mapping.answer: who may answer?']);
  expect(problems({ mapping: { ...ENTRY.mapping, answer: undefined } })).toEqual(['only with mapping.answer']);
  expect(problems({ mapping: { ...ENTRY.mapping, answer: { ...ENTRY.mapping.answer, when: [] } } })).toHaveLength(1);
});
