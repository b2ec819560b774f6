/**
 * Failover with real processes: each fault on a lab of its own, workers as they ship. What must come of it is checked here;
 * how long it takes is shown by `npm run demo:failover`.
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
/** With the real daemon these few: the others differ in nothing that it knows of. */
const REAL = new Set(['vm-dies', 'host-dies', 'sanlock-dies', 'local-maintenance']);

let dir: string;
let bundle: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bw-fot-'));
  bundle = (await bundleHostWorker(dir)).file;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

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
      expect(replayJournal([journal])).toMatchObject({ ok: true });
    }
  } finally {
    await lab.close();
  }
}

describe.concurrent('the engine survives (model of sanlock)', () => {
  for (const fault of FAILOVER_FAULTS) test(fault.name, { timeout: LIMIT_MS }, () => play(fault, 'model'));
});

const real = findRealSanlock();
if (!real.available) process.stdout.write(`Skipped: failover with the real sanlock daemon: ${real.why}\n`);

describe.concurrent('the engine survives (real sanlock)', () => {
  for (const fault of FAILOVER_FAULTS.filter(({ name }) => REAL.has(name))) {
    test.skipIf(!real.available)(fault.name, { timeout: LIMIT_MS }, () => play(fault, 'real'));
  }
});
