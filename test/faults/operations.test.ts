/**
 * Every operation on a lab of its own, undisturbed, and with a sample of the crash matrix. All of its cells:
 * `npm run test:matrix`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLAYS } from '../../infra/plays/all.ts';
import { openGround, runCell, undisturbed } from './cells.ts';
import { DISTURBANCES } from './disturb.ts';

const TEST_LIMIT_MS = 240_000;

let ground: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground?.close());

describe.concurrent('operations', () => {
  PLAYS.forEach((play, index) => {
    test(
      `${play.name}: comes to its end, and to the same one when it is disturbed`,
      { timeout: TEST_LIMIT_MS },
      async () => {
        const scheduled = await undisturbed(ground, play, `${play.name}-0`);
        // A cell of every third one, each another: over all of them every way of disturbing is met.
        if (index % 3 !== 0) return;
        const at = scheduled[index % scheduled.length];
        const disturbance = DISTURBANCES[(index / 3) % DISTURBANCES.length];
        if (at === undefined || disturbance === undefined) throw new Error(`${play.name} has no step`);
        const step = Number(/^\d+/.exec(at.summary)?.[0]);
        if (disturbance === 'aborted' && step > (play.lastAbortable ?? step)) return;
        const { wrong } = await runCell(ground, play, at, disturbance, `${play.name}-1`);
        expect(wrong, `${disturbance} at ${at.summary}`).toBeUndefined();
      },
    );
  });
});
