import { describe, expect, it } from 'vitest';
import type { OperationView } from '../../workflows/model/operation.ts';
import { clockTime, duration, formatOperation } from './words.ts';

const view: OperationView = {
  id: 'upgrade/Default/CHG1',
  operation: 'upgrade',
  cluster: 'Default',
  ticket: 'CHG1',
  requestedBy: 'webhook:servicedesk',
  state: 'parked',
  waitsFor: 'an operator',
  steps: [
    {
      name: 'preconditions',
      title: 'Check the engine',
      state: 'done',
      startedAt: '2026-11-21T14:00:00Z',
      endedAt: '2026-11-21T14:00:01.240Z',
      summary: '3 hosts up',
      notes: ['host3 has a lower score'],
    },
    {
      name: 'import-domain',
      title: 'Import the storage domain',
      state: 'parked',
      startedAt: '2026-11-21T14:00:02Z',
      failure: {
        type: 'engine/busy',
        what: 'the engine is busy',
        why: 'status 409',
        remedy: 'Wait, then retry.',
        attempts: 1,
      },
    },
    { name: 'verify', title: 'Verify from outside', state: 'pending' },
  ],
  undo: [{ name: 'enter-global-maintenance', title: 'x', state: 'undone', summary: 'left' }],
  actions: ['retry', 'abort'],
  startedAt: '2026-11-21T14:00:00Z',
};

describe('formatOperation', () => {
  it('says where it stands, why it is parked and what to run', () => {
    expect(formatOperation(view)).toEqual([
      'upgrade/Default/CHG1  parked  (by webhook:servicedesk, ticket CHG1, started 14:00:00 UTC)',
      '  [1/3] preconditions             done              1.2 s  3 hosts up',
      '        note: host3 has a lower score',
      '  [2/3] import-domain             parked                   Import the storage domain',
      '        what failed: the engine is busy (engine/busy, after 1 attempt)',
      '        why:         status 409',
      '        remedy:      Wait, then retry.',
      '        then:        npx bellwether operation retry upgrade/Default/CHG1',
      '        then:        npx bellwether operation abort upgrade/Default/CHG1',
      '  [3/3] verify                    pending',
      '  undo  enter-global-maintenance  undone                   left',
      '  waits for: an operator',
    ]);
  });

  it('ends with the outcome, whose paragraphs are kept apart', () => {
    const { waitsFor: _, ...rest } = view;
    const done = { ...rest, state: 'done' as const, endedAt: '2026-11-21T14:05:00Z', outcome: 'managed\n\nsame id' };
    expect(formatOperation(done).slice(-2)).toEqual(['  outcome: managed', '           same id']);
    expect(formatOperation(done)[0]).toContain('ended 14:05:00 UTC');
  });
});

describe('times', () => {
  it.each([
    [0, '0.0 s'],
    [9949, '9.9 s'],
    [9999, '10.0 s'],
    [59_400, '59 s'],
    [59_600, '1 min 0 s'],
    [185_000, '3 min 5 s'],
    [3_599_600, '1 h 0 min'],
    [7_800_000, '2 h 10 min'],
    [-5, '0.0 s'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('are told in UTC, and nonsense as dashes', () => {
    expect(clockTime('2026-11-21T14:00:00+02:00')).toBe('12:00:00');
    expect(clockTime('soon')).toBe('--:--:--');
  });
});
