/**
 * Failover with as much of it real as one machine can have: namespaces as hosts' networks, the real sanlock daemons, a qemu
 * engine VM that owns its lease, each host's storage through FUSE, and the worker as it ships. Needs root and the packages
 * that `infra/lab/README.md` names; skipped with the reason elsewhere.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILOVER_FAULTS, quiet, safeMs } from '../../infra/lab/failover/faults.ts';
import { splitBrain, type GuestRun } from '../../infra/lab/failover/guest-log.ts';
import { startFailoverLab, type FailoverLab } from '../../infra/lab/failover/lab.ts';
import { RealGround } from '../../infra/lab/failover/qemu/ground.ts';
import { findRealGuest } from '../../infra/lab/failover/qemu/parts.ts';
import { findFaultFs } from '../../infra/lab/failover/qemu/storage.ts';
import { until } from '../../infra/processes.ts';
import { bundleHostWorker } from '../../infra/systemd/bundle.ts';
import { replayJournal } from '../../workers/host/journal/replay.ts';
import { verifyJournal } from '../../workers/host/journal/verify.ts';

const LIMIT_MS = 120_000;
/** sanlock's seconds per wall second: the time of a lease is what a power cut waits for. */
const SPEED = 10;
const HOSTS = ['host1', 'host2'];
/** From the start of qemu to the health page, on a busy machine. */
const BOOT_MS = 15_000;

const guest = findRealGuest();
if (!guest.available) process.stdout.write(`Skipped: failover with a real engine VM: missing ${guest.why}\n`);
const faultFs = guest.available ? findFaultFs() : undefined;
if (faultFs?.available === false) process.stdout.write(`Skipped: a real storage hang: missing ${faultFs.why}\n`);

let dir: string;
let bundle: string;
let count = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bw-real-'));
  if (guest.available) bundle = (await bundleHostWorker(dir)).file;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Processes of the lab that outlived it: their command line or a namespace of theirs names its folder. */
function leftBehind(lab: string): string {
  const processes = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  const mounts = execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' });
  return [
    ...processes.split('\n').filter((line) => line.includes(lab)),
    ...namespaces.split('\n').filter((line) => line.includes(`-${process.pid}-`)),
    ...mounts.split('\n').filter((line) => line.includes(lab)),
  ].join('\n');
}

async function play(scenario: (lab: FailoverLab) => Promise<string>): Promise<void> {
  if (!guest.available) throw new Error('this test was to be skipped');
  const place = join(dir, `r${(count += 1)}`);
  const ground = await RealGround.open({
    dir: place,
    hosts: HOSTS,
    parts: guest.parts,
    ...(faultFs?.available === true ? { faultFs: faultFs.program } : {}),
  });
  try {
    const lab = await startFailoverLab({
      dir: place,
      ground,
      sanlock: 'real',
      speed: SPEED,
      hosts: HOSTS.length,
      worker: [process.execPath, bundle],
    });
    try {
      await quiet(lab);
      const said = await scenario(lab);
      process.stdout.write(`${expect.getState().currentTestName}: ${said}\n`);
      expect(splitBrain(lab.runs())).toBeUndefined();
      for (const host of lab.hosts) {
        const journal = join(host.dir, 'journal.jsonl');
        expect(verifyJournal([journal])).toMatchObject({ ok: true });
        expect(replayJournal([journal])).toMatchObject({ ok: true });
      }
    } finally {
      await lab.close();
    }
  } finally {
    await ground.close();
  }
  expect(leftBehind(place)).toBe('');
}

function running(lab: FailoverLab): GuestRun {
  const run = lab.running();
  if (run === undefined) throw new Error('no engine VM runs');
  return run;
}

function engineHost(lab: FailoverLab) {
  const host = lab.where();
  if (host === undefined) throw new Error('no host has the engine VM');
  return host;
}

/** Waits until another boot of the engine VM is healthy on the other host; says how long each part took. */
async function elsewhere(
  lab: FailoverLab,
  before: GuestRun,
  sinceMs: number,
): Promise<{ run: GuestRun; said: string }> {
  let run: GuestRun | undefined;
  const found = () => {
    run = lab.runs().find(({ boot, firstMs }) => boot !== before.boot && firstMs >= before.firstMs);
    return run !== undefined;
  };
  await until('the engine VM to run elsewhere', found, LIMIT_MS);
  await until('its health page', () => lab.healthy(), BOOT_MS);
  if (run === undefined) throw new Error('it runs nowhere');
  const seconds = (ms: number) => ((ms - sinceMs) / 1000).toFixed(1);
  return {
    run,
    said: `${before.host} → ${run.host}, first write after ${seconds(run.firstMs)} s, healthy after ${seconds(Date.now())} s`,
  };
}

function fault(name: string) {
  const found = FAILOVER_FAULTS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no fault ${name}`);
  return found;
}

describe.sequential('the engine survives (real network, sanlock, qemu)', () => {
  test.skipIf(!guest.available)('qemu is killed: restarted on the same host', { timeout: LIMIT_MS }, () =>
    play(async (lab) => {
      const { boundMs, play: kill } = fault('vm-dies');
      const { ms = Infinity, detail } = await kill(lab);
      expect(ms).toBeLessThan(boundMs(lab) ?? 0);
      return `start issued after ${(ms / 1000).toFixed(1)} s, ${detail}`;
    }),
  );

  test.skipIf(!guest.available)('power cut: runs elsewhere once the lease allows', { timeout: LIMIT_MS }, () =>
    play(async (lab) => {
      const before = running(lab);
      const host = engineHost(lab);
      const since = Date.now();
      await host.powerOff();
      const { run, said } = await elsewhere(lab, before, since);
      expect(run.host).not.toBe(before.host);
      expect(run.firstMs - since).toBeLessThan(safeMs(lab) + 2000 + BOOT_MS);
      return said;
    }),
  );

  test.skipIf(!guest.available)('its host loses the network: the engine moves', { timeout: LIMIT_MS }, () =>
    play(async (lab) => {
      const before = running(lab);
      const host = engineHost(lab);
      const since = Date.now();
      await host.network(false);
      expect(await lab.healthy()).toBe(false);
      const { run, said } = await elsewhere(lab, before, since);
      expect(run.host).not.toBe(before.host);
      expect(run.firstMs - since).toBeLessThan(45_000 + BOOT_MS);
      return said;
    }),
  );

  test.skipIf(faultFs?.available !== true)('its host’s storage hangs: runs elsewhere', { timeout: LIMIT_MS }, () =>
    play(async (lab) => {
      const before = running(lab);
      const host = engineHost(lab);
      const since = Date.now();
      await host.hangStorage();
      const { run, said } = await elsewhere(lab, before, since);
      expect(run.host).not.toBe(before.host);
      expect(run.firstMs - since).toBeLessThan(safeMs(lab) + 2000 + BOOT_MS);
      return said;
    }),
  );
});
