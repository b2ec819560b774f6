import { describe, expect, it } from 'vitest';
import { BOUNDS, measure } from './bounds.ts';

const REPEATS = 25;

describe('times to recovery', { timeout: 180_000 }, () => {
  it.each(BOUNDS)('$event', (bound) => {
    const { seconds, boundSeconds, violations } = measure(bound, 'default', REPEATS);
    expect(violations).toEqual([]);
    expect(seconds.at(-1)).toBeLessThanOrEqual(boundSeconds);
  });

  it.each(['default', 'fast', 'lab'] as const)(
    'host dies, profile %s: not before sanlock may give the lease away',
    (profile) => {
      const dies = BOUNDS.find(({ event }) => event.startsWith('host dies'));
      if (dies === undefined) throw new Error('no such bound');
      const { seconds, boundSeconds } = measure(dies, profile, REPEATS);
      expect(seconds.at(-1)).toBeLessThanOrEqual(boundSeconds);
      const [io, watchdog] = { default: [10, 60], fast: [5, 30], lab: [2, 10] }[profile];
      // Sooner than this would be a lease that was given away too early.
      expect(seconds[0]).toBeGreaterThanOrEqual(6 * (io ?? 0) + (watchdog ?? 0));
    },
  );

  it('network of its host lost: no order before the confirmation', () => {
    const lost = BOUNDS.find(({ event }) => event.endsWith('migration ordered'));
    if (lost === undefined) throw new Error('no such bound');
    expect(measure(lost, 'default', REPEATS).seconds[0]).toBeGreaterThanOrEqual(15);
  });
});
