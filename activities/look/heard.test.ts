import { describe, expect, test } from 'vitest';
import { deadAfterMs, SlotEar } from './heard.ts';

const heard = (...readings: readonly (readonly [ts: number, atMs: number])[]) => {
  const ear = new SlotEar();
  for (const [ts, atMs] of readings) ear.hear(new Map([[1, ts]]), atMs);
  return ear;
};

describe('who writes a slot', () => {
  test('one reading tells nothing', () => {
    expect(heard([5, 0]).life(1, false, undefined, 1000)).toEqual({ lives: null, heardSeconds: null });
    expect(new SlotEar().life(1, false, undefined, 0)).toEqual({ lives: null, heardSeconds: null });
  });

  test('a change is a sign of life, whichever way the timestamp goes', () => {
    expect(heard([900, 0], [3, 5000]).life(1, false, undefined, 9000)).toEqual({ lives: true, heardSeconds: 4 });
  });

  test('the reference counts as gone after 60 s, our kind after five of its beats and 15 s', () => {
    const ear = heard([1, 0], [2, 1000]);
    expect(ear.life(1, false, undefined, 61_000).lives).toBe(true);
    expect(ear.life(1, false, undefined, 61_001)).toEqual({ lives: false, heardSeconds: 60 });
    expect(ear.life(1, false, 3000, 16_001).lives).toBe(false);
    expect([deadAfterMs(1000), deadAfterMs(6000), deadAfterMs(60_000)]).toEqual([15_000, 30_000, 60_000]);
  });

  test('a slot that never changed is silent only when it was watched for long enough', () => {
    expect(heard([1, 0], [1, 60_000]).life(1, false, undefined, 60_000).lives).toBeNull();
    expect(heard([1, 0], [1, 60_001]).life(1, false, undefined, 60_001)).toEqual({ lives: false, heardSeconds: null });
  });

  test('a stopped agent does not live', () => {
    expect(heard([1, 0], [2, 10]).life(1, true, undefined, 20).lives).toBe(false);
  });
});
