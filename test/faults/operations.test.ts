/**
 * Every operation on a lab of its own, undisturbed, and with a sample of the crash matrix. All of its cells:
 * `npm run test:matrix`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLAYS } from '../../infra/plays/all.ts';
import { startPlatform, type Platform } from '../../infra/start/platform.ts';
import { bundleWorkflows } from '../../workers/orchestrator/worker.ts';
import { runCell, undisturbed, type Ground } from './cells.ts';
import { DISTURBANCES } from './disturb.ts';

const TEST_LIMIT_MS = 240_000;

let dir: string;
let platform: Platform;
let ground: Ground;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-operations-'));
  const bundle = (await bundleWorkflows()) as WorkflowBundleWithSourceMap;
  const bundleFile = join(dir, 'workflows.js');
  writeFileSync(bundleFile, bundle.code);
  platform = await startPlatform({ dir, env: {}, say: () => {} });
  ground = { platform, bundle, bundleFile };
});

afterAll(async () => {
  await platform?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe.concurrent('operations', () => {
  PLAYS.forEach((play, index) => {
    test(
      `${play.name}: comes to its end, and to the same one when it is disturbed`,
      { timeout: TEST_LIMIT_MS },
      async () => {
        const scheduled = await undisturbed(ground, play, `${play.name}-0`);
        // A cell of every second one, each another: over all of them every way of disturbing is met.
        if (index % 2 === 1) return;
        const at = scheduled[index % scheduled.length];
        const disturbance = DISTURBANCES[(index / 2) % DISTURBANCES.length];
        if (at === undefined || disturbance === undefined) throw new Error(`${play.name} has no step`);
        const step = Number(/^\d+/.exec(at.summary)?.[0]);
        if (disturbance === 'aborted' && step > (play.lastAbortable ?? step)) return;
        const { wrong } = await runCell(ground, play, at, disturbance, `${play.name}-1`);
        expect(wrong, `${disturbance} at ${at.summary}`).toBeUndefined();
      },
    );
  });
});
