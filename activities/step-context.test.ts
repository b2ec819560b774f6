import { describe, expect, test } from 'vitest';
import { poll, type StepContext } from './step-context.ts';

/** Time passes by sleeping, and by looks that take `lookMs`. */
function polled(lookMs: number, answerFromMs: number) {
  let now = 0;
  const looks: number[] = [];
  const context: StepContext = {
    signal: new AbortController().signal,
    attempt: 1,
    waitsFor: () => {},
    now: () => new Date(now),
    sleep: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
  const look = () => {
    looks.push(now);
    const found = now >= answerFromMs ? 'there' : undefined;
    now += lookMs;
    return Promise.resolve(found);
  };
  return { answer: poll(context, { what: 'it', everyMs: 1000, limitMs: 5000 }, look), looks };
}

describe('poll', () => {
  test('looks until it is there', async () => {
    const { answer, looks } = polled(0, 2000);
    expect(await answer).toBe('there');
    expect(looks).toEqual([0, 1000, 2000]);
  });

  test('has looked when the limit passed', async () => {
    const { answer, looks } = polled(0, Infinity);
    expect(await answer).toBeUndefined();
    expect(looks.at(-1)).toBe(5000);
  });

  test('looks again after a look that outlasted the limit: what it saw may be as old as its beginning', async () => {
    const { answer, looks } = polled(20_000, 3000);
    expect(await answer).toBe('there');
    expect(looks).toEqual([0, 21_000]);
  });
});
