/**
 * The failover faults, each on a lab of its own with real processes: what is done, what must come of it, and how long it may
 * take. The demo prints them as a table (`npm run demo:failover`), the tests run them (`test/faults/failover.test.ts`).
 */
import { sendCommand } from '../../../workers/host/control/client.ts';
import type { ControlCommand } from '../../../workers/host/control/protocol.ts';
import { until } from '../../processes.ts';
import type { GuestRun } from './guest-log.ts';
import type { FailoverHost, FailoverLab } from './lab.ts';

export interface Outcome {
  /** From the fault to what is bounded; undefined where nothing may happen. */
  readonly ms: number | undefined;
  readonly detail: string;
}

export interface FailoverFault {
  readonly name: string;
  readonly title: string;
  /** What is bounded, in words. */
  readonly bounded: string;
  /** Milliseconds; undefined: nothing may happen, ever. */
  readonly boundMs: (lab: FailoverLab) => number | undefined;
  /** What the reference does (ha-agent.md 11). */
  readonly reference: string;
  /** Why it can't be shown on this lab; undefined: it can. */
  readonly unable?: (lab: FailoverLab) => string | undefined;
  readonly play: (lab: FailoverLab) => Promise<Outcome>;
}

const LIMIT_MS = 120_000;
/** Nothing may happen for this long where nothing may happen. */
const QUIET_MS = 25_000;
/** The guest writes each 100 ms; a gap of more is an outage. */
const BEAT_MS = 100;

/** sanlock's physics: the lease is free this long after the crash at the latest (peers-ha.md 2.3), in wall time. */
export function safeMs(lab: FailoverLab): number {
  const { ioSeconds, watchdogSeconds, speed } = lab.sanlock;
  return ((10 * ioSeconds + watchdogSeconds + 1) * 1000) / speed;
}

const fixed = (ms: number) => () => ms;
const never = () => undefined;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function command(host: FailoverHost, order: ControlCommand): Promise<readonly string[]> {
  return sendCommand(host.socket, order);
}

function running(lab: FailoverLab): GuestRun {
  const run = lab.running();
  if (run === undefined) throw new Error('no engine VM runs');
  return run;
}

function engineHost(lab: FailoverLab): FailoverHost {
  const host = lab.where();
  if (host === undefined) throw new Error('no host has the engine VM');
  return host;
}

/** The VM objects that the VDSMs have now; another one among them is a new start. */
function vmsOf(lab: FailoverLab): readonly object[] {
  return lab.hosts.flatMap(({ vdsm }) => vdsm.state.vms.get(lab.fixture.vm.id) ?? []);
}

/** Waits until some VDSM was told to start the VM anew; wall milliseconds. */
async function nextStart(lab: FailoverLab, known: readonly object[]): Promise<number> {
  await until('a new start to be issued', () => vmsOf(lab).some((vm) => !known.includes(vm)), LIMIT_MS);
  return Date.now();
}

/** Waits for another boot of the engine VM; its first write is when it really ran. */
async function nextRun(lab: FailoverLab, before: GuestRun): Promise<GuestRun> {
  let next: GuestRun | undefined;
  const found = () => {
    next = lab.runs().find((run) => run.firstMs >= before.firstMs && run.boot !== before.boot);
    return next !== undefined;
  };
  await until('the engine VM to run again', found, LIMIT_MS);
  await until('the engine to be healthy', () => lab.healthy(), LIMIT_MS);
  return next ?? before;
}

async function settled(host: FailoverHost, states: readonly string[]): Promise<void> {
  const there = async () => states.includes((await host.ask())?.round?.decision.memory.state ?? '');
  await until(`${host.name} to be in ${states.join(' or ')}`, there, LIMIT_MS);
}

/** Every worker knows where the engine is, and all others could take it. */
export async function quiet(lab: FailoverLab): Promise<void> {
  for (const host of lab.hosts) await settled(host, host === lab.where() ? ['EngineUp'] : ['EngineDown']);
  const known = async (host: FailoverHost) => {
    const snapshot = await host.ask();
    const peers = [...(snapshot?.round?.decision.memory.peers.values() ?? [])];
    return (
      snapshot?.round?.observation.lease?.joined === true &&
      peers.length === lab.hosts.length - 1 &&
      peers.every(({ changes, report }) => changes >= 2 && report.said?.cannotRun === '')
    );
  };
  for (const host of lab.hosts) await until(`${host.name} to know the others`, () => known(host), LIMIT_MS);
}

/** Longest time between two writes of any guest since `sinceMs`, as the disk shows it. */
function outage(lab: FailoverLab, sinceMs: number): number {
  const times = lab.writes().filter((at) => at >= sinceMs - 1000);
  let longest = 0;
  for (const [at, time] of times.entries()) longest = Math.max(longest, time - (times[at - 1] ?? time));
  return longest;
}

async function movedAway(lab: FailoverLab, from: FailoverHost, sinceMs: number): Promise<Outcome> {
  const run = running(lab);
  await until('the engine VM to be elsewhere', () => lab.where() !== undefined && lab.where() !== from, LIMIT_MS);
  const ms = Date.now() - sinceMs;
  const to = engineHost(lab);
  await settled(to, ['EngineUp']);
  const same = lab.running()?.boot === run.boot;
  if (!same) throw new Error('the engine VM was restarted instead of migrated');
  const gap = outage(lab, sinceMs);
  return {
    ms,
    detail: `${from.name} → ${to.name} by live migration; longest gap on its disk ${gap} ms (beat ${BEAT_MS})`,
  };
}

async function nothingHappened(lab: FailoverLab, before: GuestRun, where: FailoverHost): Promise<Outcome> {
  const end = Date.now() + QUIET_MS;
  while (Date.now() < end) {
    await pause(500);
    if (lab.running()?.boot !== before.boot) throw new Error('the engine VM was stopped or started');
    if (lab.where() !== where) throw new Error('the engine VM was moved');
  }
  return { ms: undefined, detail: `same VM on ${where.name}, ${QUIET_MS / 1000} s watched` };
}

/** How it was when the fault struck. */
interface Before {
  readonly run: GuestRun;
  readonly known: readonly object[];
}

function asItIs(lab: FailoverLab): Before {
  return { run: running(lab), known: vmsOf(lab) };
}

/** @param runs what is bounded: that the VM runs (where the lease decides), or that its start was issued */
async function restarted(
  lab: FailoverLab,
  { run: before, known }: Before,
  sinceMs: number,
  runs: 'runs' | 'issued' = 'runs',
): Promise<Outcome> {
  const issuedMs = (await nextStart(lab, known)) - sinceMs;
  const run = await nextRun(lab, before);
  const ranMs = run.firstMs - sinceMs;
  const other =
    runs === 'runs'
      ? `start issued after ${(issuedMs / 1000).toFixed(1)} s`
      : `ran after ${(ranMs / 1000).toFixed(1)} s`;
  return { ms: runs === 'runs' ? ranMs : issuedMs, detail: `${before.host} → ${run.host}, ${other}` };
}

const vmDies: FailoverFault = {
  name: 'vm-dies',
  title: 'the engine VM’s process dies (SIGKILL), its host is fine',
  bounded: 'start issued, same host',
  boundMs: fixed(3000),
  reference: '11–28 s, elsewhere',
  async play(lab) {
    const before = asItIs(lab);
    const host = engineHost(lab);
    const since = Date.now();
    process.kill(before.run.pid, 'SIGKILL');
    const outcome = await restarted(lab, before, since, 'issued');
    if (lab.where() !== host) throw new Error(`it was not restarted on ${host.name}`);
    return outcome;
  },
};

const faults: readonly FailoverFault[] = [
  vmDies,
  {
    ...vmDies,
    name: 'vm-dies-alone',
    title: 'the same on the only host that is left',
    reference: '590 s',
    async play(lab) {
      const host = engineHost(lab);
      await Promise.all(lab.hosts.filter((each) => each !== host).map((each) => each.powerOff()));
      return vmDies.play(lab);
    },
  },
  {
    name: 'host-dies',
    title: 'power cut on the engine’s host',
    bounded: 'runs elsewhere (T_safe + 2 s)',
    boundMs: (lab) => safeMs(lab) + 2000,
    reference: '120–161 s at io 10 s',
    async play(lab) {
      const before = asItIs(lab);
      const since = Date.now();
      await engineHost(lab).powerOff();
      return restarted(lab, before, since);
    },
  },
  {
    name: 'host-dies-and-returns',
    title: 'power cut on the engine’s host, which is back before the lease has run out',
    bounded: 'runs somewhere, once (T_safe + 2 s)',
    boundMs: (lab) => safeMs(lab) + 2000,
    reference: 'as above',
    async play(lab) {
      const before = asItIs(lab);
      const host = engineHost(lab);
      const since = Date.now();
      await host.powerOff();
      await pause(3000);
      await host.powerOn();
      return restarted(lab, before, since);
    },
  },
  {
    name: 'local-maintenance',
    title: 'local maintenance on the engine’s host',
    bounded: 'migrated, no outage',
    boundMs: fixed(30_000),
    reference: 'never',
    async play(lab) {
      const host = engineHost(lab);
      const since = Date.now();
      await command(host, { command: 'maintenance', mode: 'local', by: 'demo' });
      return movedAway(lab, host, since);
    },
  },
  {
    name: 'host-shut-down',
    title: 'the engine’s host is shut down in order',
    bounded: 'migrated, no outage',
    boundMs: fixed(30_000),
    reference: '60–90 s outage',
    async play(lab) {
      const host = engineHost(lab);
      const since = Date.now();
      const stopped = host.stopWorker('shutdown');
      const outcome = await movedAway(lab, host, since);
      await stopped;
      return outcome;
    },
  },
  {
    name: 'network-lost-here',
    title: 'only the engine’s host loses the management network',
    bounded: 'confirmed and migrated, no outage',
    boundMs: fixed(15_000 + 15_000),
    reference: '1–6 min, stop and start',
    async play(lab) {
      const host = engineHost(lab);
      const since = Date.now();
      await host.network(false);
      return movedAway(lab, host, since);
    },
  },
  {
    name: 'network-lost-everywhere',
    title: 'every host loses the management network',
    bounded: 'no action, ever',
    boundMs: never,
    reference: 'restarts every 6–16 min',
    async play(lab) {
      const before = running(lab);
      const where = engineHost(lab);
      await Promise.all(lab.hosts.map((host) => host.network(false)));
      return nothingHappened(lab, before, where);
    },
  },
  {
    name: 'worker-killed',
    title: 'the worker of the engine’s host is killed and started again',
    bounded: 'no action, ever',
    boundMs: never,
    reference: 'none, if quick',
    async play(lab) {
      const before = running(lab);
      const where = engineHost(lab);
      await where.killWorker();
      await pause(2000);
      where.startWorker();
      return nothingHappened(lab, before, where);
    },
  },
  {
    name: 'global-maintenance',
    title: 'global maintenance is set on one host, then the engine VM dies',
    bounded: 'all hosts honour it (2 beats + read)',
    boundMs: fixed(3000),
    reference: '≤ 20 s, sometimes lost',
    async play(lab) {
      const before = running(lab);
      const [, second] = lab.hosts;
      if (second === undefined) throw new Error('there is no second host');
      const since = Date.now();
      const set = command(second, { command: 'maintenance', mode: 'global', by: 'demo' });
      await Promise.all(lab.hosts.map((host) => settled(host, ['GlobalMaintenance'])));
      const ms = Date.now() - since;
      await set;
      process.kill(before.pid, 'SIGKILL');
      await pause(8000);
      if (lab.running() !== undefined) throw new Error('the engine VM was started in global maintenance');
      const cleared = Date.now();
      await command(second, { command: 'maintenance', mode: 'none', by: 'demo' });
      const run = await nextRun(lab, before);
      return {
        ms,
        detail: `nobody started it for 8 s; after clearing it ran in ${run.firstMs - cleared} ms on ${run.host}`,
      };
    },
  },
  {
    name: 'engine-hangs',
    title: 'the engine answers no more, its VM runs (after 30 s here, 300 s by default)',
    bounded: 'VM restarted (30 s + guest stop + 3 s)',
    boundMs: fixed(30_000 + 10_000 + 3000),
    reference: 'after 5 min',
    async play(lab) {
      const before = asItIs(lab);
      const since = Date.now();
      lab.sick(true);
      await until('the sick VM to stop', () => lab.running()?.boot !== before.run.boot, LIMIT_MS);
      lab.sick(false);
      return restarted(lab, before, since);
    },
  },
  {
    name: 'sanlock-dies',
    title: 'sanlock’s daemon dies under the engine VM and comes back',
    bounded: 'the VM without a lease is ended (2 beats)',
    boundMs: fixed(4000),
    reference: 'not seen: two VMs are possible',
    async play(lab) {
      const before = running(lab);
      const host = engineHost(lab);
      const since = Date.now();
      await host.restartSanlock();
      await until('the VM without a lease to end', () => lab.running()?.boot !== before.boot, LIMIT_MS);
      const ended = lab.runs().find((run) => run.boot === before.boot)?.lastMs ?? since;
      const run = await nextRun(lab, before);
      return {
        ms: ended - since,
        detail: `runs again on ${run.host} after ${((run.firstMs - since) / 1000).toFixed(1)} s`,
      };
    },
  },
  {
    name: 'storage-hangs-here',
    title: 'the storage hangs for the engine’s host alone',
    bounded: 'runs elsewhere (T_safe + 2 s)',
    boundMs: (lab) => safeMs(lab) + 2000,
    reference: '120–161 s at io 10 s',
    unable: (lab) =>
      lab.sanlock.kind === 'model' ? undefined : 'the real daemon’s files can’t be made to hang without FUSE',
    async play(lab) {
      const before = asItIs(lab);
      const since = Date.now();
      await engineHost(lab).hangStorage();
      return restarted(lab, before, since);
    },
  },
  {
    name: 'cold-start',
    title: 'power cut on all hosts, then all come back at once',
    bounded: 'runs, after the first host joined (45 s)',
    boundMs: fixed(45_000),
    reference: '≥ 60 s',
    async play(lab) {
      const before = asItIs(lab);
      await Promise.all(lab.hosts.map((host) => host.powerOff()));
      await pause(2000);
      const joined = await Promise.any(lab.hosts.map((host) => host.powerOn().then(() => Date.now())));
      return restarted(lab, before, joined);
    },
  },
];

export const FAILOVER_FAULTS: readonly FailoverFault[] = faults;
