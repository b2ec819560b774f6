import { describe, expect, it } from 'vitest';
import { FAULTS } from './faults/all.ts';
import { createRandom } from './random.ts';
import { runSeed, scriptOf, type RunOptions } from './run.ts';
import { parseScenario, runScenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { Timeline } from './queue.ts';
import { MUTANTS } from './mutants.ts';

/** As many as take about a minute of one core; the same ones on every machine. */
const SLICE = { from: 5000, parts: 8, each: 22 };

describe('random faults on whole clusters', () => {
  it('has at least a hundred kinds of fault, each with a name of its own', () => {
    expect(new Set(FAULTS.map((fault) => fault.name)).size).toBe(FAULTS.length);
    expect(FAULTS.length).toBeGreaterThanOrEqual(100);
  });

  it.each(Array.from({ length: SLICE.parts }, (_, part) => SLICE.from + part * SLICE.each))(
    'breaks no invariant in the seeds from %d on',
    { timeout: 300_000 },
    (from) => {
      let faults = 0;
      let failovers = 0;
      for (let seed = from; seed < from + SLICE.each; seed += 1) {
        const result = runSeed({ seed, hosts: [2, 6] });
        expect(result.violations, `npm run simulate -- --seed ${seed} --hosts 2..6`).toEqual([]);
        faults += result.totals.faults;
        failovers += result.totals.failovers;
      }
      expect(faults).toBeGreaterThan(0);
      expect(failovers).toBeGreaterThan(0);
    },
  );
});

describe('what the figures rest on', { timeout: 180_000 }, () => {
  const trace = (seed: number, options: RunOptions = {}) =>
    runSeed({ seed, hosts: [2, 5], hours: 2, ...options }).trace;

  it('tells the same story for the same seed, and another for another', () => {
    expect(trace(11)).toBe(trace(11));
    expect(trace(11)).not.toBe(trace(12));
  });

  it.each([31, 32, 33, 34])('tells it to the millisecond whatever the wall clocks say (I10), seed %d', (seed) => {
    expect(trace(seed, { wildWallClocks: true })).toBe(trace(seed));
  });

  it.each([41, 42, 43, 44, 45, 46])('tells it to the millisecond without leaps, seed %d', (seed) => {
    const leaping = runSeed({ seed, hosts: [2, 5], hours: 2 });
    expect(leaping.leapt).toBeGreaterThan(100);
    expect(trace(seed, { leaps: 'none' })).toBe(leaping.trace);
  });

  it.each([51, 52, 53, 54])('leaps over no beat that would have decided otherwise, seed %d', (seed) => {
    const { violations, leapt } = runSeed({ seed, hosts: [2, 5], hours: 2, leaps: 'proved' });
    expect(violations).toEqual([]);
    expect(leapt).toBeGreaterThan(100);
  });

  it('shrinks a failing seed to a scenario that fails the same way', () => {
    const mutant = MUTANTS.find((one) => one.name === 'lease given too early');
    if (mutant === undefined) throw new Error('no such mutant');
    const options = { hosts: [2, 4], hours: 2, mutant } as const;
    const seed = Array.from({ length: 40 }, (_, index) => index).find(
      (one) => runSeed({ seed: one, ...options }).violations.length > 0,
    );
    if (seed === undefined) throw new Error('no seed finds it');
    const { text, script, before } = shrink({ seed, ...options });
    expect(before).toBe(scriptOf({ seed, ...options }).faults.length);
    expect(script.faults.length).toBeLessThanOrEqual(15);
    const [, id, why] = /breaks (\w+) .*\nwhy +seed \d+: (.*)\n/.exec(text) ?? [];
    expect(runScenario(parseScenario(text), { mutant })).toContain(`${id}: ${why}`);
    // Without the mistake it passes.
    expect(runScenario(parseScenario(text))).toEqual([]);
  });
});

describe('the timeline', () => {
  it('keeps the order of time, and of planning within an instant', () => {
    const random = createRandom(3);
    const line = new Timeline();
    const seen: number[] = [];
    const planned = Array.from({ length: 500 }, () => random.integer(0, 50));
    for (const [index, at] of planned.entries()) line.at(at, () => seen.push(at * 1000 + index));
    line.run(100, () => true);
    expect(seen).toEqual(planned.map((at, index) => at * 1000 + index).toSorted((a, b) => a - b));
  });

  it('lets timers go off when they are armed for, once', () => {
    const line = new Timeline();
    const seen: string[] = [];
    const timers = Array.from({ length: 40 }, (_, index) => line.timer(() => seen.push(`${line.now}:${index}`)));
    line.arm(timers[39] ?? 0, 7);
    line.arm(timers[3] ?? 0, 7);
    line.arm(timers[5] ?? 0, 3);
    line.arm(timers[5] ?? 0, 9);
    line.arm(timers[6] ?? 0, 4);
    line.disarm(timers[6] ?? 0);
    line.at(7, () => seen.push('7:event'));
    line.run(20, () => true);
    expect(seen).toEqual(['7:event', '7:3', '7:39', '9:5']);
  });
});
