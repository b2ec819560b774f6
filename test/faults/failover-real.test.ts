/**
 * Failover with as much of it real as one machine can have: namespaces as hosts' networks, the real sanlock daemons, a qemu
 * engine VM that owns its lease, each host's storage through FUSE, and the worker as it ships. Needs root and the packages
 * that `infra/lab/README.md` names; skipped with the reason elsewhere.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILOVER_FAULTS, quiet, safeMs } from '../../infra/lab/failover/faults.ts';
import { splitBrain, type GuestRun } from '../../infra/lab/failover/guest-log.ts';
import { startFailoverLab, type FailoverLab } from '../../infra/lab/failover/lab.ts';
import { RealGround } from '../../infra/lab/failover/qemu/ground.ts';
import { missingForLibvirt } from '../../infra/lab/failover/qemu/libvirt-host.ts';
import { findRealGuest } from '../../infra/lab/failover/qemu/parts.ts';
import { findFaultFs } from '../../infra/lab/failover/qemu/storage.ts';
import { until } from '../../infra/processes.ts';
import { bundleHostWorker } from '../../infra/systemd/bundle.ts';
import { replayJournal } from '../../workers/host/journal/replay.ts';
import { verifyJournal } from '../../workers/host/journal/verify.ts';

const LIMIT_MS = 200_000;
/** Each scenario has its own bound, which is shorter. */
const ELSEWHERE_MS = 90_000;
/** sanlock's seconds per wall second: the time of a lease is what a power cut waits for. */
const SPEED = 10;
const HOSTS = ['host1', 'host2', 'host3'];
/** From the start of qemu to the health page, on a busy machine. */
const BOOT_MS = 15_000;

/** Each takes a qemu that boots and a lease that runs out: the suite plays one of them, `BELLWETHER_REAL=all` all four. */
const ALL = process.env['BELLWETHER_REAL'] === 'all';

const guest = findRealGuest();
if (!guest.available) process.stdout.write(`Skipped: failover with a real engine VM: missing ${guest.why}\n`);
const noLibvirt = process.env['BELLWETHER_LAB_VM'] === 'qemu' ? 'the wish for it' : missingForLibvirt();
const underLibvirt = noLibvirt === undefined;
if (guest.available && noLibvirt !== undefined) {
  process.stdout.write(`Skipped: libvirt: missing ${noLibvirt}; the engine VM is plain qemu\n`);
}
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

/** What outlived a lab in its folder: processes whose command line names it, mounts in it, and namespaces of this process. */
function leftBehind(lab: string): string {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const commands = processes.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  });
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
  return [
    ...[...commands, ...mounts].filter((line) => line.includes(lab)),
    ...namespaces.filter((line) => line.startsWith(`bw-lab-${process.pid}-`)),
  ].join('\n');
}

async function play(scenario: (lab: FailoverLab) => Promise<string>): Promise<void> {
  if (!guest.available) throw new Error('this test was to be skipped');
  const place = join(dir, `r${(count += 1)}`);
  const ground = await RealGround.open({
    dir: place,
    hosts: HOSTS,
    parts: guest.parts,
    libvirt: underLibvirt,
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
        expect(replayJournal([journal])).toMatchObject({ others: 0, first: undefined });
      }
    } finally {
      await lab.close();
    }
  } finally {
    await ground.close();
  }
  // A process that was killed takes a moment to go.
  await until('all of it to end', () => leftBehind(place) === '', 5000).catch(() => undefined);
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

/** A qemu that has ended and waits to be reaped does not run. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
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
  await until('the engine VM to run elsewhere', found, ELSEWHERE_MS);
  // Its disk can't tell of a guest whose storage hangs: the old process must be gone before the new guest's first write.
  expect(runs(before.pid)).toBe(false);
  await until('its health page', () => lab.healthy(), BOOT_MS);
  if (run === undefined) throw new Error('it runs nowhere');
  const seconds = (ms: number) => ((ms - sinceMs) / 1000).toFixed(1);
  return {
    run,
    said: `${before.host} → ${run.host}, first write after ${seconds(run.firstMs)} s, healthy after ${seconds(Date.now())} s`,
  };
}

/** While it runs, no other host can start it, whoever asks. */
async function refusedElsewhere(lab: FailoverLab): Promise<void> {
  const before = running(lab);
  const other = lab.hosts.find((host) => host !== lab.where());
  if (other === undefined) throw new Error('there is no other host');
  const { state } = other.vdsm;
  const second = state.createVm(state.world.engineXml());
  await until('the second start to end', () => second.status === 'Down', BOOT_MS);
  expect(JSON.stringify(second.stats())).toContain('Lease is held by another host');
  expect(lab.running()?.boot).toBe(before.boot);
}

function fault(name: string) {
  const found = FAILOVER_FAULTS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no fault ${name}`);
  return found;
}

describe.sequential('the engine survives (real network, sanlock, qemu)', () => {
  test.skipIf(!guest.available || !ALL)('qemu is killed: restarted on the same host', { timeout: LIMIT_MS }, () =>
    play(async (lab) => {
      const { boundMs, play: kill } = fault('vm-dies');
      const { ms = Infinity, detail } = await kill(lab);
      expect(ms).toBeLessThan(boundMs(lab) ?? 0);
      await refusedElsewhere(lab);
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

  test.skipIf(!guest.available || !ALL)('its host loses the network: the engine moves', { timeout: LIMIT_MS }, () =>
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

  test.skipIf(faultFs?.available !== true || !ALL)(
    'its host’s storage hangs: runs elsewhere',
    { timeout: LIMIT_MS },
    () =>
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
