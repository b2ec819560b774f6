import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localText, matchingTimes } from '../../workflows/model/calendar.ts';
import { minutesOf } from '../cli/window.ts';
import { readAt, readCron, readEvery } from './when.ts';

/** The first openings after a time, on the zone's clocks. */
function first(
  rule: ReturnType<typeof readEvery>,
  count: number,
  after = '2026-11-21T12:00:00Z',
  zone = 'Europe/Berlin',
) {
  if (!rule.ok) throw new Error(rule.what);
  const found: string[] = [];
  for (const at of matchingTimes([rule.value], zone, Date.parse(after))) {
    found.push(localText(zone, at));
    if (found.length === count) break;
  }
  return found;
}

describe('when a window opens', () => {
  it('is said in words', () => {
    expect(first(readEvery('sat 22:00'), 2)).toEqual(['Sat 2026-11-21 22:00 +01:00', 'Sat 2026-11-28 22:00 +01:00']);
    expect(first(readEvery('fri-mon 1:30'), 3).map((text) => text.slice(0, 3))).toEqual(['Sun', 'Mon', 'Fri']);
    expect(first(readEvery('day 02:00'), 1)).toEqual(['Sun 2026-11-22 02:00 +01:00']);
  });

  it('is a line of cron, whose days must both match: the first Saturday', () => {
    expect(first(readCron('0 22 1-7 * 6'), 2)).toEqual(['Sat 2026-12-05 22:00 +01:00', 'Sat 2027-01-02 22:00 +01:00']);
    expect(first(readCron('0 22 * * 7'), 1)).toEqual(['Sun 2026-11-22 22:00 +01:00']);
  });

  it('is left out where the clocks leave it out, and comes twice where they do', () => {
    expect(first(readEvery('day 02:30'), 2, '2027-03-27T12:00:00Z')[0]).toBe('Mon 2027-03-29 02:30 +02:00');
    expect(first(readEvery('day 02:30'), 2, '2026-10-24T12:00:00Z')).toEqual([
      'Sun 2026-10-25 02:30 +02:00',
      'Sun 2026-10-25 02:30 +01:00',
    ]);
  });

  it('is one time', () => {
    expect(first(readAt('2026-12-05 22:00'), 2)).toEqual(['Sat 2026-12-05 22:00 +01:00']);
    expect(first(readAt('2020-12-05 22:00'), 1)).toEqual([]);
  });

  it('is refused where it means nothing, and of any text never thrown', () => {
    for (const text of ['', 'sat', 'sat 25:00', 'caturday 10:00', '22:00', 'sat 22:00 cet'])
      expect(readEvery(text).ok).toBe(false);
    for (const text of ['', '* * * *', '60 * * * *', '*/0 * * * *', '5-1 * * * *', '0 22 * * 8', '@daily'])
      expect(readCron(text).ok).toBe(false);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-z*,/ :-]{0,30}$/)), (text) => {
        for (const read of [readEvery, readCron, readAt]) expect(typeof read(text).ok).toBe('boolean');
      }),
    );
  });

  it('lasts hours and minutes', () => {
    expect(['4h', '90m', '1h30m'].map((text) => minutesOf('--length', text))).toEqual([240, 90, 90]);
    for (const text of ['', '4', 'h', '4 h']) expect(() => minutesOf('--length', text)).toThrow('--length');
  });
});
