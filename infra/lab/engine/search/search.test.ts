import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { search } from './match.ts';
import { BadSearch, parseSearch } from './parse.ts';

const EVENTS = [
  { id: 1, severity: 'normal', message: 'Host host1 is up', correlation_id: 'op-1', time: Date.UTC(2026, 0, 1) },
  { id: 2, severity: 'warning', message: 'Host host2 is slow', correlation_id: 'op-2', time: Date.UTC(2026, 0, 2) },
  { id: 3, severity: 'error', message: 'say "x"', correlation_id: undefined, time: Date.UTC(2026, 0, 3) },
  { id: 4, severity: 'alert', message: 'HOST three', correlation_id: 'op-1', time: Date.UTC(2026, 0, 4) },
];

function ids(expression: string, max?: number, caseSensitive = false): number[] {
  const options = { caseSensitive, ...(max !== undefined && { max }) };
  return search(EVENTS, (one) => ({ ...one }), parseSearch(expression), options).map((one) => one.id);
}

describe('search expressions', () => {
  it.each([
    ['', [1, 2, 3, 4]],
    ['severity=warning', [2]],
    ['severity>=warning', [2, 3, 4]],
    ['severity < error', [1, 2]],
    ['severity!=normal', [2, 3, 4]],
    ['message="Host host1 is up"', [1]],
    ['message=host*', [1, 2, 4]],
    ['message="Host host? is *"', [1, 2]],
    ['host2', [2]],
    ['correlation_id=op-1', [1, 4]],
    ['correlation_id=op-1 and severity=alert', [4]],
    ['severity=error or severity=normal and correlation_id=op-1', [1, 3]],
    ['(severity=error or severity=normal) and correlation_id=op-1', [1]],
    ['time>2026-01-02', [3, 4]],
    ['Severity=ERROR', [3]],
    ['events: severity=alert', [4]],
    ['sortby id desc', [4, 3, 2, 1]],
    ['severity!=alert sortby message asc', [1, 2, 3]],
    ['sortby id desc page 2', []],
  ])('%s', (expression, expected) => {
    expect(ids(expression)).toEqual(expected);
  });

  it('limits with max, and pages with max as the page size', () => {
    expect(ids('', 2)).toEqual([1, 2]);
    expect(ids('sortby id page 2', 3)).toEqual([4]);
    expect(ids('', -1)).toEqual([1, 2, 3, 4]);
  });

  it('compares case only when asked to', () => {
    expect(ids('message=Host*', undefined, true)).toEqual([1, 2]);
  });

  it.each(['name=', 'nosuch=1', 'severity=normal )', '(severity=normal', 'sortby', 'page x', 'sortby nosuch', '= x'])(
    'refuses %s',
    (expression) => {
      expect(() => ids(expression)).toThrow(BadSearch);
    },
  );

  it('reads or refuses, and does nothing else, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), (expression) => {
        try {
          ids(expression);
        } catch (error) {
          expect(error).toBeInstanceOf(BadSearch);
        }
      }),
    );
  });
});
