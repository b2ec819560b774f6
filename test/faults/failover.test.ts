/**
 * Failover with real processes: each fault on a lab of its own, workers as they ship. What must come of it is checked here;
 * how long it takes is shown by `npm run demo:failover`, which plays all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILOVER_FAULTS, quiet, type FailoverFault } from '../../infra/lab/failover/faults.ts';
import { splitBrain } from '../../infra/lab/failover/guest-log.ts';
import { startFailoverLab } from '../../infra/lab/failover/lab.ts';
import { findRealSanlock } from '../../infra/lab/sanlock/index.ts';
import { bundleHostWorker } from '../../infra/systemd/bundle.ts';
import { verifyJournal } from '../../workers/host/journal/verify.ts';
import { replayJournal } from '../../workers/host/journal/replay.ts';

const LIMIT_MS = 200_000;
/** The others differ from these in nothing that processes add to what the simulation tests. */
const PLAYED = [
  'vm-dies',
  'host-dies',
  'host-shut-down',
  'network-lost-here',
  'network-lost-everywhere',
  'global-maintenance',
  'sanlock-dies',
  'storage-hangs-here',
  'cold-start',
];
const PLAYED_REAL = ['host-dies', 'sanlock-dies'];
/** They mostly wait; more at once would disturb each other's beats. */
const AT_ONCE = 5;

const outcomes = new Map<string, Promise<void>>();
let dir: string;
let bundle: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bw-fot-'));
  bundle = (await bundleHostWorker(dir)).file;
});
afterAll(async () => {
  // With a filter some were started that no test waits for.
  await Promise.allSettled(outcomes.values());
  rmSync(dir, { recursive: true, force: true });
}, 300_000);

async function play(fault: FailoverFault, sanlock: 'real' | 'model'): Promise<void> {
  const lab = await startFailoverLab({
    dir: join(dir, `${sanlock[0]}${FAILOVER_FAULTS.indexOf(fault)}`),
    sanlock,
    worker: [process.execPath, bundle],
    // The real daemon's watchdog time is 60 s whatever it is told; its clock can be made to run faster.
    ...(sanlock === 'real' ? { speed: 10 } : {}),
  });
  try {
    await quiet(lab);
    await fault.play(lab);
    expect(splitBrain(lab.runs())).toBeUndefined();
    for (const host of lab.hosts) {
      const journal = join(host.dir, 'journal.jsonl');
      expect(verifyJournal([journal])).toMatchObject({ ok: true });
      expect(replayJournal([journal])).toMatchObject({ others: 0, first: undefined });
    }
  } finally {
    await lab.close();
  }
}

const real = findRealSanlock();
if (!real.available) process.stdout.write(`Skipped: failover with the real sanlock daemon: ${real.why}\n`);

const plays = [
  ...PLAYED.map((name) => ({ name, sanlock: 'model' as const })),
  ...PLAYED_REAL.map((name) => ({ name, sanlock: 'real' as const })),
];
const titleOf = ({ name, sanlock }: (typeof plays)[number]) => `${name} (${sanlock} sanlock)`;
/** vitest's own limit is for whole labs that compute; these are started here, so many at once, before the tests look. */
beforeAll(() => {
  const waiting = plays.filter(({ sanlock }) => sanlock === 'model' || real.available);
  const lanes: Promise<void>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  for (const [at, one] of waiting.entries()) {
    const fault = FAILOVER_FAULTS.find(({ name }) => name === one.name);
    if (fault === undefined) throw new Error(`there is no fault ${one.name}`);
    const outcome = (lanes[at % AT_ONCE] ?? Promise.resolve()).then(() => play(fault, one.sanlock));
    outcomes.set(titleOf(one), outcome);
    lanes[at % AT_ONCE] = outcome.catch(() => undefined);
  }
});

describe('the engine survives', () => {
  for (const one of plays) {
    test.skipIf(one.sanlock === 'real' && !real.available)(titleOf(one), { timeout: LIMIT_MS }, () =>
      outcomes.get(titleOf(one)),
    );
  }
});
