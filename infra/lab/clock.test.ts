import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { LabClock } from './clock.ts';

describe('LabClock', () => {
  it('sleeps lab time: 20 lab seconds at speed 1000 take about 20 wall milliseconds', async () => {
    const clock = new LabClock(1000);
    const labBefore = clock.now();
    const before = performance.now();
    await clock.sleep(20_000);
    expect(performance.now() - before).toBeLessThan(2000);
    expect(clock.now() - labBefore).toBeGreaterThanOrEqual(19_000);
  });

  it('wakes at once on abort and does not reject', async () => {
    const stop = new AbortController();
    const sleeping = new LabClock(1).sleep(3_600_000, stop.signal);
    stop.abort();
    await expect(sleeping).resolves.toBeUndefined();
    await expect(new LabClock(1).sleep(3_600_000, stop.signal)).resolves.toBeUndefined();
  });

  it('refuses a speed that would stop time', () => {
    expect(() => new LabClock(0)).toThrow(RangeError);
    expect(() => new LabClock(Number.NaN)).toThrow(RangeError);
  });
});
