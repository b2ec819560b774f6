import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCalendar, readExcept } from './freezes.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const ZONE = 'Europe/Berlin';

const calendar = (...events: string[][]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    ...events.flatMap((lines, index) => ['BEGIN:VEVENT', `UID:${index}`, ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\r\n');

function read(text: string) {
  const answer = readCalendar(text, ZONE, NOW);
  if (!answer.ok) throw new Error(answer.what);
  return answer.value.map(({ from, to, summary }) => `${from.slice(0, 16)} ${to.slice(0, 16)} ${summary}`);
}

describe('a change calendar', () => {
  it('gives whole days in the window’s zone, and times in theirs', () => {
    expect(
      read(
        calendar(
          ['SUMMARY:Christmas', 'DTSTART;VALUE=DATE:20261224', 'DTEND;VALUE=DATE:20261227'],
          ['SUMMARY:Release', 'DTSTART:20261201T180000Z', 'DTEND:20261201T200000Z'],
          ['SUMMARY:NY', 'DTSTART;TZID=America/New_York:20261202T120000', 'DURATION:PT2H'],
          ['SUMMARY:Here', 'DTSTART:20261203T120000', 'DTEND:20261203T130000'],
          ['SUMMARY:Past', 'DTSTART;VALUE=DATE:20200101'],
          ['SUMMARY:Called off', 'DTSTART;VALUE=DATE:20261210', 'STATUS:CANCELLED'],
        ),
      ),
    ).toEqual([
      '2026-12-23T23:00 2026-12-26T23:00 Christmas',
      '2026-12-01T18:00 2026-12-01T20:00 Release',
      '2026-12-02T17:00 2026-12-02T19:00 NY',
      '2026-12-03T11:00 2026-12-03T12:00 Here',
    ]);
  });

  it('repeats by its rule, over a change of the clocks, without what is excepted', () => {
    const monthly = ['SUMMARY:Closing', 'DTSTART;VALUE=DATE:20260131', 'RRULE:FREQ=MONTHLY;BYMONTHDAY=-1'];
    const found = read(calendar([...monthly, 'EXDATE;VALUE=DATE:20261231']));
    expect(found[0]).toBe('2026-11-29T23:00 2026-11-30T23:00 Closing');
    expect(found[1]).toBe('2027-01-30T23:00 2027-01-31T23:00 Closing');
    // 400 days hold thirteen ends of a month, or fourteen; one is excepted.
    expect(found).toHaveLength(12);
    expect(found.find((line) => line.startsWith('2027-06'))).toBe('2027-06-29T22:00 2027-06-30T22:00 Closing');
  });

  it('is refused when it repeats without end, or is none', () => {
    const secondly = calendar([
      'SUMMARY:S',
      'DTSTART:20200101T000000Z',
      'DTEND:20200101T000001Z',
      'RRULE:FREQ=SECONDLY',
    ]);
    for (const text of [secondly, '', 'x', 'BEGIN:VEVENT\r\nEND:VEVENT', '<xml/>'])
      expect(readCalendar(text, ZONE, NOW)).toMatchObject({ ok: false });
  });

  it('of any text is read or refused, never thrown', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'BEGIN:VCALENDAR',
        'END:VCALENDAR',
        'BEGIN:VEVENT',
        'END:VEVENT',
        'DTSTART:20261201T180000Z',
        'DTSTART;VALUE=DATE:2026',
        'DTEND:20261301T990000Z',
        'RRULE:FREQ=DAILY',
        'RRULE:FREQ=YEARLY;BYDAY=9MO',
        'RRULE:INTERVAL=0;FREQ=DAILY',
        'DURATION:-P1D',
        'UID:1',
        'DTSTART;TZID=Nowhere/At:20261201T180000',
        'EXDATE:x',
        'RECURRENCE-ID:20261201T180000Z',
        'SUMMARY:a',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const text = ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\r\n');
        const answer = readCalendar(text, ZONE, NOW);
        if (answer.ok) for (const { from, to } of answer.value) expect(from < to).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('days in words', () => {
  it('end with the last day, in the window’s zone', () => {
    expect(readExcept('2026-12-24..2027-01-02', ZONE)).toEqual({
      ok: true,
      value: { from: '2026-12-23T23:00:00.000Z', to: '2027-01-02T23:00:00.000Z', summary: '2026-12-24..2027-01-02' },
    });
    expect(readExcept('2027-03-28', ZONE)).toMatchObject({
      value: { from: '2027-03-27T23:00:00.000Z', to: '2027-03-28T22:00:00.000Z' },
    });
  });

  it.each(['', '24.12.2026', '2026-02-30', '2026-12-24..2026-12-01', '2026-12-24..'])('%s is refused', (text) => {
    expect(readExcept(text, ZONE)).toMatchObject({ ok: false });
  });
});
