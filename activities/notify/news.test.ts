import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperationView } from '../../workflows/model/operation.ts';
import type { NotifierMemory } from '../../workflows/model/notify.ts';
import { readTargets, wants } from './config.ts';
import { newsIn, type Ended, type Sight } from './news.ts';
import { subjectOf, textOf } from './text.ts';

const T0 = Date.parse('2026-11-22T00:00:00Z');
const at = (minutes: number) => new Date(T0 + minutes * 60_000);
const iso = (minutes: number) => at(minutes).toISOString();

const empty: NotifierMemory = { version: 1, begun: iso(0), since: iso(0), ended: [], parked: {}, alerts: {} };
const nothing: Sight = { parked: [], ended: [], alerts: [] };

/** A parking of a try that began at that minute. */
function parked(begun: number, type = 'engine/busy', id = 'upgrade/Default/CHG1'): OperationView {
  const failure = { type, what: 'the engine refused', why: `at ${begun}`, remedy: 'Free it.', attempts: 3 };
  const step = {
    name: 'import-vm',
    title: 'Import the engine VM',
    state: 'parked' as const,
    startedAt: iso(begun),
    failure,
  };
  return {
    id,
    operation: 'upgrade',
    cluster: 'Default',
    ticket: 'CHG1',
    requestedBy: 'alice',
    state: 'parked',
    steps: [step],
    undo: [],
    actions: ['retry', 'abort'],
    startedAt: iso(0),
  };
}

/** Sees these parkings at these minutes; how many were told. */
function told(sights: readonly (readonly [minute: number, view: OperationView | undefined])[]): number {
  let memory = empty;
  let count = 0;
  for (const [minute, view] of sights) {
    const seen = newsIn(memory, { ...nothing, parked: view === undefined ? [] : [view] }, at(minute));
    memory = seen.memory;
    count += seen.news.length;
  }
  return count;
}

test('a parking is told once, however long it lasts and however long nobody looked', () => {
  expect(told([1, 2, 3, 5000].map((minute) => [minute, parked(0)]))).toBe(1);
});

test('parked again within ten minutes for the same reason is the same; later, or for another reason, is not', () => {
  expect(
    told([
      [1, parked(0)],
      [2, undefined],
      [9, parked(8)],
    ]),
  ).toBe(1);
  expect(
    told([
      [1, parked(0)],
      [2, undefined],
      [30, parked(29)],
    ]),
  ).toBe(2);
  expect(
    told([
      [1, parked(0)],
      [2, undefined],
      [3, parked(2, 'storage/full')],
    ]),
  ).toBe(2);
  // A try that took longer than ten minutes before it parked again.
  expect(told([[1, parked(0)], ...[2, 4, 8, 14].map((minute) => [minute, undefined] as const), [15, parked(2)]])).toBe(
    2,
  );
});

const done: Ended = {
  id: 'upgrade/Default/CHG1',
  cluster: 'Default',
  operation: 'upgrade',
  ticket: 'CHG1',
  closedAt: iso(5),
  execution: 'COMPLETED',
  state: 'done',
  outcome: 'The engine VM is managed.\n\nBackup taken.',
};

test('an end is told once although visibility shows it late and again and again', () => {
  let memory = empty;
  const kinds: string[] = [];
  for (const minute of [5, 6, 12, 15.5, 40]) {
    const seen = newsIn(memory, { ...nothing, ended: iso(5) >= memory.since ? [done] : [] }, at(minute));
    memory = seen.memory;
    kinds.push(...seen.news.map(({ kind }) => kind));
  }
  expect(kinds).toEqual(['done']);
  expect(memory.ended).toEqual([]);
});

test.each([
  [{ ...done, state: 'aborted' }, 'failed', 'was aborted'],
  [{ ...done, execution: 'TERMINATED', state: 'running' }, 'failed', 'was ended from outside'],
])('%# other ends are failures', (ended, kind, words) => {
  const [news] = newsIn(empty, { ...nothing, ended: [ended] }, at(6)).news;
  expect(news).toMatchObject({ kind, title: expect.stringContaining(words) });
  expect(news?.todo).toContain('npx bellwether operation show upgrade/Default/CHG1');
});

test('alerts of hosts are told once; those of long before the notifier are not', () => {
  const alert = (id: string, minute: number) => ({
    id,
    at: iso(minute),
    host: 'host2',
    kind: 'engine-started',
    text: 'The engine VM was started.',
    did: 'It started it.',
    todo: 'Look at host1.',
  });
  const sight = { ...nothing, alerts: [{ cluster: 'Default', alerts: [alert('old', -60), alert('a', 1)] }] };
  const first = newsIn(empty, sight, at(1));
  expect(first.news.map(({ id }) => id)).toEqual(['alert/Default/a']);
  expect(newsIn(first.memory, sight, at(2)).news).toEqual([]);
});

test('whatever is seen in whatever order: never two of one id, and the memory stays small', () => {
  const event = fc.record({
    gap: fc.integer({ min: 1, max: 30 }),
    what: fc.constantFrom('park', 'repark', 'gone', 'end'),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let [memory, minute, begun, ended] = [empty, 0, 0, false];
      const ids: string[] = [];
      for (const { gap, what } of events) {
        minute += gap;
        if (what === 'repark') begun = minute;
        ended ||= what === 'end';
        const views = what === 'park' || what === 'repark' ? [parked(begun)] : [];
        const closed = ended && iso(5) >= memory.since ? [done] : [];
        const seen = newsIn(memory, { ...nothing, parked: ended ? [] : views, ended: closed }, at(minute));
        memory = seen.memory;
        ids.push(...seen.news.map(({ id }) => id));
        expect(Object.keys(memory.parked).length + memory.ended.length).toBeLessThan(3);
      }
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
});

test('the text says what happened, why, what to do, and where to look; the subject is one line', () => {
  const [news] = newsIn(empty, { ...nothing, parked: [parked(0)] }, at(1)).news;
  if (news === undefined) throw new Error('no news');
  const text = textOf(news, { temporalUi: (id) => `https://ui/${encodeURIComponent(id)}` });
  expect(text).toBe(
    [
      'CHG1 (upgrade of Default) is parked at: Import the engine VM',
      '2026-11-22T00:01:00.000Z, cluster Default',
      '',
      'What happened: the engine refused',
      '',
      'Why: at 0',
      '',
      'What to do next:',
      '  Free it.',
      '  npx bellwether operation retry upgrade/Default/CHG1',
      '  npx bellwether operation abort upgrade/Default/CHG1',
      '',
      'Look at it:',
      '  https://ui/upgrade%2FDefault%2FCHG1',
      '',
    ].join('\n'),
  );
  expect(subjectOf({ ...news, title: 'a\r\nBcc: b@example.test' })).toBe(
    '[Bellwether, needs you] a Bcc: b@example.test',
  );
});

test('targets: all mistakes at once, and who wants what', () => {
  const bad = readTargets(
    JSON.stringify([{ name: 'a/b', on: [], email: { to: ['x'], from: 'b@example.test', server: 's' } }]),
  );
  expect(bad.ok ? [] : bad.problems.length).toBe(3);
  const mail = { to: ['a@example.test'], from: 'b@example.test', server: 's' };
  expect(readTargets(JSON.stringify([{ name: 'a', on: ['done'] }])).ok).toBe(false);
  const plainPassword = { ...mail, security: 'none', user: 'u', passwordFile: 'f' };
  expect(readTargets(JSON.stringify([{ name: 'a', on: ['done'], email: plainPassword }])).ok).toBe(false);
  const read = readTargets(JSON.stringify([{ name: 'a', on: ['parked'], cluster: 'Default', email: mail }]));
  const [news] = newsIn(empty, { ...nothing, parked: [parked(0)] }, at(1)).news;
  const [target] = read.ok ? read.targets : [];
  if (news === undefined || target === undefined) throw new Error('neither news nor target');
  expect(wants(target, news)).toBe(true);
  expect(wants({ ...target, cluster: 'Other' }, news)).toBe(false);
  expect(wants({ ...target, on: ['done'] }, news)).toBe(false);
});
