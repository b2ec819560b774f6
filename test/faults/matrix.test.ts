/**
 * The fault matrix: each scenario on a lab of its own, through real Temporal, S3, TLS sockets and files. Whatever
 * happened, the end is that of an undisturbed run; nothing was created twice and global maintenance is off.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { endState, type EndState } from '../../infra/faults/end-state.ts';
import { SCENARIOS, type Scenario } from '../../infra/faults/scenarios.ts';
import { until } from '../../infra/processes.ts';
import { startPlatform } from '../../infra/start/platform.ts';
import { sharedGround } from './shared-ground.ts';
import { openStage, playScenario } from './stage.ts';

const SETTLED_LIMIT_MS = 60_000;
/** A look costs engine and storage some work. */
const SETTLED_EVERY_MS = 250;
const TEST_LIMIT_MS = 600_000;
/** These end a server of the platform: they get one of their own. */
const OWN_PLATFORM = new Set(['temporal-killed', 's3-down']);

/** A sample: the worker killed at each step of each operation is what `npm run test:matrix` plays. */
const KILLED_AT = new Set(['import-vm']);
const PLAYED = SCENARIOS.filter(({ killWorker }) => killWorker === undefined || KILLED_AT.has(killWorker.step));

const EXPECTED: EndState = {
  vm: { origin: 'managed_hosted_engine', deleteProtected: true, sameId: true, status: 'up' },
  vmsOfThatName: 1,
  heDomain: { status: 'active', times: 1 },
  ovfStoreDisks: 2,
  validCopies: 2,
  otherOvfs: 0,
  volumesOnDomain: 6,
  globalMaintenance: false,
  hostsRunningTheVm: 1,
  manifests: 2,
};

function expectedOf(scenario: Scenario): EndState {
  const keepsOther = scenario.name === 'ovf-store-other-vm' || scenario.name === 'ovf-store-stale-copy';
  return keepsOther ? { ...EXPECTED, otherOvfs: 2 } : EXPECTED;
}

const dir = mkdtempSync(join(tmpdir(), 'bellwether-matrix-'));
const ground = sharedGround();
const rows: string[] = [];

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  process.stdout.write(`\nFault matrix (${rows.length} scenarios)\n${rows.toSorted().join('\n')}\n`);
});

async function play(scenario: Scenario): Promise<void> {
  const started = Date.now();
  const own = OWN_PLATFORM.has(scenario.name)
    ? await startPlatform({ dir: join(dir, scenario.name), env: {}, ui: false, say: () => {} })
    : undefined;
  const stage = await openStage({ ...ground, platform: own ?? ground.platform }, scenario.name);
  let verdict = 'FAILED';
  try {
    const view = await playScenario(stage, scenario, ground.bundleFile);
    expect(view.state, JSON.stringify(view.steps, null, 1)).toBe('done');
    // A fault that never struck would make the row worthless.
    expect(await stage.lab.unspentFaults()).toEqual([]);
    const { archive } = (await stage.service()).counterparts;
    const wanted = JSON.stringify(expectedOf(scenario));
    const settled = async () => JSON.stringify(await endState(stage.lab, archive, view.id)) === wanted;
    await until('the end state to settle', settled, SETTLED_LIMIT_MS, SETTLED_EVERY_MS).catch(() => {});
    expect(await endState(stage.lab, archive, view.id)).toEqual(expectedOf(scenario));
    verdict = 'same end';
  } finally {
    rows.push(
      `${verdict.padEnd(9)} ${scenario.name.padEnd(46)} ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${scenario.title}`,
    );
    await stage.close();
    await own?.stop();
  }
}

describe.concurrent('an upgrade survives', () => {
  for (const scenario of PLAYED) {
    test(scenario.name, { timeout: TEST_LIMIT_MS }, () => play(scenario));
  }
});
