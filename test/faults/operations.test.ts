/**
 * Every operation on a lab of its own, undisturbed, and with a sample of the crash matrix. All of its cells:
 * `npm run test:matrix`.
 */
import { describe, expect, test } from 'vitest';
import { PLAYS } from '../../infra/plays/all.ts';
import { runCell, undisturbed } from './cells.ts';
import { DISTURBANCES, type Disturbance } from './disturb.ts';
import { sharedGround } from './shared-ground.ts';

const TEST_LIMIT_MS = 900_000;

/** A cell of some plays, so that each way of disturbing meets somebody. */
const SAMPLE: ReadonlyMap<string, { readonly step: number; readonly disturbance: Disturbance }> = new Map([
  ['global-maintenance', { step: 2, disturbance: 'killed-before' }],
  ['maintenance', { step: 4, disturbance: 'killed-after' }],
  ['rolling', { step: 2, disturbance: 'error' }],
  ['remove-host', { step: 5, disturbance: 'answer-lost' }],
  ['restore', { step: 4, disturbance: 'down' }],
  ['upgrade', { step: 6, disturbance: 'aborted' }],
]);

const ground = sharedGround();

describe.concurrent('operations', () => {
  test.each(PLAYS)(
    '$name: comes to its end, and to the same one when it is disturbed',
    { timeout: TEST_LIMIT_MS },
    async (play) => {
      const scheduled = await undisturbed(ground, play, `${play.name}-0`);
      const cell = SAMPLE.get(play.name);
      if (cell === undefined) return;
      const at = scheduled.find(({ summary }) => summary.startsWith(`${cell.step} of `));
      if (at === undefined) throw new Error(`${play.name} has no step ${cell.step}`);
      const result = await runCell(ground, play, at, cell.disturbance, `${play.name}-1`);
      expect(result, `${cell.disturbance} at ${at.summary}`).toEqual({ met: true });
    },
  );

  test('every way of disturbing is in the sample', () => {
    expect([...SAMPLE.values()].map(({ disturbance }) => disturbance).toSorted()).toEqual(DISTURBANCES.toSorted());
  });
});
