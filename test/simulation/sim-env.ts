/** The worker's `Env` in the simulated world: the same seam that `env-linux` fills on a real host. */
import { BLOCK_BYTES } from '../../activities/storage/whiteboard.ts';
import type { HealthFact, HostFact, LeaseFact, VmAction, VmFact } from '../../workers/host/core/types.ts';
import type { Env, LocalFacts } from '../../workers/host/env.ts';
import { bootMsAt, wallMsAt } from './world/clock.ts';
import type { Machines } from './world/machine.ts';
import { beginReading, beginWriting } from './world/storage.ts';
import type { SimHost, SimProcess, World } from './world/world.ts';
import { ownerGone } from './world/sanlock.ts';
import { vdsmOrder } from './world/vm.ts';

const PROBE_MS = 2000;
const NOTHING_DONE: LocalFacts['done'] = [];

export interface SimEnvOptions {
  readonly world: World;
  readonly machines: Machines;
  readonly host: SimHost;
  readonly process: SimProcess;
  /** What the worker goes by, for the invariants. */
  readonly ruleNow: () => string;
  readonly onWrite: (host: SimHost, bytes: Buffer) => void;
}

function vmFact(world: World, host: SimHost, nowMs: number): VmFact | undefined {
  const { staleVm } = host;
  if (host.vdsm !== 'ok' || (staleVm !== undefined && nowMs - staleVm.atMs < host.newsEveryMs)) return staleVm;
  const { vm } = host;
  let fact: VmFact;
  if (vm === undefined) fact = { atMs: nowMs, state: 'absent', detail: 'Down' };
  else if (vm.exit === undefined) fact = { atMs: nowMs, state: vm.state, detail: vm.state };
  else fact = { atMs: nowMs, state: vm.state, detail: vm.state, exit: vm.exit };
  host.staleVm = fact;
  return fact;
}

function healthFact(world: World, host: SimHost, nowMs: number): HealthFact | undefined {
  const { vm } = host;
  if (vm === undefined) return undefined;
  const progress =
    vm.executing && vm.healthyFromMs < Number.POSITIVE_INFINITY
      ? Math.floor(Math.min(world.now, vm.healthyFromMs) - vm.bornMs) / 30_000
      : 0;
  let engine: HealthFact['engine'] = 'bad';
  if (!host.dnsUp || host.loss >= 1) engine = 'unknown';
  else if (vm.executing && world.now >= vm.healthyFromMs) engine = world.now < vm.sickUntilMs ? vm.sickHow : 'good';
  return { atMs: nowMs, engine, progress: Math.floor(progress) };
}

function hostFact(world: World, host: SimHost, nowMs: number): HostFact {
  const loss = host.sampledLoss;
  let network = 1 - loss;
  if (loss > 0 && loss < 1) {
    let answered = 0;
    for (let probe = 0; probe < 5; probe += 1) if (!world.random.chance(loss)) answered += 1;
    network = answered / 5;
  }
  const pending = host.loss !== host.sampledLoss;
  const probedMs = pending ? host.sampledMs : Math.max(host.sampledMs, world.now - (world.now % PROBE_MS));
  return {
    atMs: nowMs,
    network,
    networkAtMs: bootMsAt(host, probedMs),
    bridgeUp: host.bridgeUp,
    cpuLoad: host.cpu,
    memFreeMb: host.vdsm === 'ok' ? host.memFreeMb : undefined,
    confUpToDate: true,
    shuttingDown: host.shuttingDown,
  };
}

function leaseFact(world: World, host: SimHost, nowMs: number, ownerMovedMs: number | undefined): LeaseFact {
  const { sanlock } = host;
  const { owner, free } = world.lease;
  const readable = host.path === 'ok' || host.path === 'readonly';
  const named = !free && readable && owner !== 0 && (owner === host.id || !ownerGone(world));
  return {
    atMs: sanlock.hung ? Number.NEGATIVE_INFINITY : nowMs,
    connected: sanlock.running,
    joined: sanlock.joined,
    owner: named ? owner : undefined,
    ownerSilentMs: ownerMovedMs === undefined || !named ? undefined : world.now - ownerMovedMs,
    ioSeconds: world.timing.profile.ioSeconds,
    watchdogSeconds: sanlock.watchdogSeconds,
  };
}

/** What the monitors of a host would say now; `ownerMovedMs`: when the lease owner's renewal was last seen to move. */
export function factsAt(
  world: World,
  host: SimHost,
  nowMs: number,
  ownerMovedMs: number | undefined,
  done: LocalFacts['done'] = NOTHING_DONE,
): LocalFacts {
  return {
    vm: vmFact(world, host, nowMs),
    health: healthFact(world, host, nowMs),
    host: hostFact(world, host, nowMs),
    lease: leaseFact(world, host, nowMs, ownerMovedMs),
    storage: { atMs: nowMs, ok: host.path === 'ok' },
    localMaintenance: host.localMaintenance,
    done,
  };
}

/** The latest that the monitors have; none of them looks while the process or its host stands still. */
function factsOf(options: SimEnvOptions, now: number): LocalFacts {
  const { world, host, process } = options;
  const { done } = process;
  if (done.length > 0) process.done = [];
  const { lastFacts } = process;
  if (lastFacts !== undefined && world.now < process.factsFromMs) return { ...lastFacts, done };
  const facts = factsAt(world, host, now, host.sanlock.seen.get(world.lease.owner)?.changedMs, done);
  process.lastFacts = facts;
  return facts;
}

function giveOrder(options: SimEnvOptions, id: number, action: VmAction): void {
  const { world, machines, host, process } = options;
  const rule = options.ruleNow();
  world.line.touched = true;
  if (world.story !== undefined)
    world.say(`host ${host.id}: orders ${action.kind}${action.kind === 'migrate' ? ` to ${action.to}` : ''} (${rule})`);
  world.watcher?.ordered({ host, process, action, rule, bootMs: bootMsAt(host, world.now) });
  const answered = (ok: boolean, why: string) => {
    process.done.push({ id, ok, why });
    machines.pokeProcess(process, 5);
  };
  vdsmOrder(world, host, action, answered, machines.notify);
}

/** `Env` of one life of one worker. What it asked for is lost with its host's power. */
export function createSimEnv(options: SimEnvOptions): Env {
  const { world, host, process } = options;
  const bootMs = () => bootMsAt(host, world.now + process.aheadMs);
  const { life } = host;
  const globals = { asked: 0, written: 0 };
  return {
    bootMs,
    wallMs: () => wallMsAt(world, host),
    facts: () => factsOf(options, bootMs()),
    readBoard(ids) {
      if (process.reading === undefined) beginReading(world, host, process, { ids, startedMs: bootMs() });
    },
    board: () => process.board,
    writeSlot(bytes) {
      if (bytes.length !== BLOCK_BYTES) world.watcher?.violated('I7', `host ${host.id} writes ${bytes.length} bytes`);
      options.onWrite(host, bytes);
      beginWriting(world, host, process, bytes);
    },
    writeGlobal(bytes) {
      globals.asked += 1;
      const mine = globals.asked;
      world.later(host, host.latencyMs * (0.5 + world.random.next()), () => {
        // The newest word stands, also after a sleep that two of them waited out: the worker writes one after the other
        // (workers/host/env-linux/whiteboard-file.ts).
        if (mine < globals.written) return;
        globals.written = mine;
        if (host.path === 'ok' && !world.random.chance(host.loseWrites)) world.global = bytes;
      });
    },
    order(id, action) {
      const { worker, aheadMs } = process;
      if (aheadMs === 0) giveOrder(options, id, action);
      else
        world.line.after(aheadMs, () => {
          // Killed while it waited for its disk, it orders nothing any more.
          if (host.life === life && process.worker === worker) giveOrder(options, id, action);
        });
    },
    journal() {
      // A slow disk keeps the whole process waiting: the record must be on it before the act.
      if (host.disk === 'slow') process.aheadMs += world.random.between(0, 3 * world.timing.beatMs);
      return host.disk !== 'full';
    },
    alert(alert) {
      if (world.story !== undefined) world.say(`host ${host.id}: alert, ${alert.text}`);
      world.watcher?.alerted(host, alert);
    },
    load: () => host.kept,
    keep(kept) {
      if (host.disk === 'full') host.forgotMs = world.now;
      else host.kept = kept;
    },
  };
}
