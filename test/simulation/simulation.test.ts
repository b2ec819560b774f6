import { describe, expect, it } from 'vitest';
import { FAULTS } from './faults/all.ts';
import { createRandom } from './random.ts';
import { runSeed } from './run.ts';
import { shrink } from './shrink.ts';
import { Timeline } from './queue.ts';
import { MUTANTS } from './mutants.ts';

const SLICE_MS = 20_000;

describe('random faults on whole clusters', () => {
  it('has at least sixty kinds of fault, each with a name of its own', () => {
    expect(new Set(FAULTS.map((fault) => fault.name)).size).toBe(FAULTS.length);
    expect(FAULTS.length).toBeGreaterThanOrEqual(60);
  });

  it('breaks no invariant in a slice of twenty seconds', { timeout: 3 * SLICE_MS }, () => {
    const began = performance.now();
    let faults = 0;
    let failovers = 0;
    for (let seed = 5000; performance.now() - began < SLICE_MS; seed += 1) {
      const result = runSeed({ seed, hosts: [2, 6], hours: 1 });
      expect(result.violations, `npm run simulate -- --seed ${seed} --hosts 2..6 --hours 1`).toEqual([]);
      faults += result.totals.faults;
      failovers += result.totals.failovers;
    }
    expect(faults).toBeGreaterThan(0);
    expect(failovers).toBeGreaterThan(0);
  });

  it('tells the same story for the same seed, and another for another', () => {
    const trace = (seed: number) => runSeed({ seed, hosts: [3, 3], hours: 1 }).trace;
    expect(trace(11)).toBe(trace(11));
    expect(trace(11)).not.toBe(trace(12));
  });

  it('decides the same whatever the wall clocks say (I10)', () => {
    const orders = (offsets: boolean) => runSeed({ seed: 31, hosts: [3, 3], hours: 1, wildWallClocks: offsets }).trace;
    expect(orders(true)).toBe(orders(false));
  });

  it('shrinks a failing seed to a few faults', { timeout: 60_000 }, () => {
    const mutant = MUTANTS.find((one) => one.name === 'lease given too early');
    if (mutant === undefined) throw new Error('no such mutant');
    const seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].find(
      (one) => runSeed({ seed: one, hosts: [2, 2], hours: 1, mutant }).violations.length > 0,
    );
    expect(seed).toBeDefined();
    const text = shrink({ seed: seed ?? 0, hosts: [2, 2], hours: 1, mutant }, 40);
    const [, from = '0', to = '0'] = /shrunk from (\d+) to (\d+)/.exec(text) ?? [];
    expect(Number(to)).toBeGreaterThan(0);
    expect(Number(to)).toBeLessThanOrEqual(Number(from) / 2);
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
});
