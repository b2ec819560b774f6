/** The worker's `Env` in the simulated world: the same seam that `env-linux` fills on a real host. */
import { BLOCK_BYTES } from '../../activities/storage/whiteboard.ts';
import type { HealthFact, HostFact, LeaseFact, VmFact } from '../../workers/host/core/types.ts';
import type { BoardReading, Env } from '../../workers/host/env.ts';
import type { Machines } from './world/machine.ts';
import { frozen, type SimHost, type World } from './world/world.ts';
import { ownerGone } from './world/sanlock.ts';
import { vdsmOrder } from './world/vm.ts';

const PROBE_MS = 2000;

export interface SimEnvOptions {
  readonly world: World;
  readonly machines: Machines;
  readonly host: SimHost;
  /** What the worker goes by, for the invariants. */
  readonly ruleNow: () => string;
  readonly onWrite: (host: SimHost, bytes: Buffer) => void;
}

function vmFact(world: World, host: SimHost, nowMs: number): VmFact | undefined {
  if (host.vdsm !== 'ok') return host.staleVm;
  const { vm } = host;
  const fact: VmFact =
    vm === undefined
      ? { atMs: nowMs, state: 'absent', detail: 'Down' }
      : { atMs: nowMs, state: vm.state, detail: vm.state, ...(vm.exit === undefined ? {} : { exit: vm.exit }) };
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

function hostFact(world: World, host: SimHost, nowMs: number, bootMsOf: (at: number) => number): HostFact {
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
    networkAtMs: bootMsOf(probedMs),
    bridgeUp: host.bridgeUp,
    cpuLoad: host.cpu,
    memFreeMb: host.vdsm === 'ok' ? host.memFreeMb : undefined,
    confUpToDate: true,
    shuttingDown: host.shuttingDown,
  };
}

function leaseFact(world: World, host: SimHost, nowMs: number): LeaseFact | undefined {
  const { sanlock } = host;
  const { owner, free } = world.lease;
  const seen = sanlock.seen.get(owner);
  const readable = host.path === 'ok' || host.path === 'readonly';
  const named = !free && readable && owner !== 0 && (owner === host.id || !ownerGone(world));
  const ownerSilentMs = seen === undefined || !named ? undefined : world.now - seen.changedMs;
  return {
    atMs: sanlock.hung ? Number.NEGATIVE_INFINITY : nowMs,
    connected: sanlock.running,
    joined: sanlock.joined,
    owner: named ? owner : undefined,
    ownerSilentMs,
    ioSeconds: world.timing.profile.ioSeconds,
    watchdogSeconds: sanlock.watchdogSeconds,
  };
}

/** Completes a reading when the path lets it; a hung one completes after the path is back, with the data of then. */
function read(options: SimEnvOptions, ids: readonly number[] | undefined, startedMs: number, life: number): void {
  const { world, host, machines } = options;
  world.line.after(host.latencyMs * (0.5 + world.random.next()), () => {
    if (host.life !== life || !host.reading) return;
    if (host.path === 'eio') {
      host.reading = false;
      return;
    }
    if (host.path === 'hang' || frozen(world, host)) {
      world.later(host, 500, () => read(options, ids, startedMs, life));
      return;
    }
    host.reading = false;
    const source = host.staleReads ? world.oldSlots : world.slots;
    const slots = new Map<number, Buffer>();
    for (const id of ids ?? source.keys()) {
      const slot = source.get(id);
      if (slot !== undefined) slots.set(id, slot);
    }
    const board: BoardReading = { startedMs, whole: ids === undefined, global: world.global, slots };
    host.board = board;
    machines.poke(host, 1);
  });
}

function write(options: SimEnvOptions, life: number): void {
  const { world, host } = options;
  world.line.after(host.latencyMs * (0.5 + world.random.next()), () => {
    const bytes = host.writing;
    if (host.life !== life || bytes === undefined) return;
    if (host.path === 'hang' || frozen(world, host)) {
      world.later(host, 500, () => write(options, life));
      return;
    }
    host.writing = undefined;
    if (host.path !== 'ok' || world.random.chance(host.loseWrites)) return;
    const before = world.slots.get(host.id);
    if (before !== undefined && !host.staleReads) world.oldSlots.set(host.id, before);
    world.slots.set(host.id, bytes);
  });
}

/** `Env` of one life of one worker. What it asked for is lost with its host's power. */
export function createSimEnv(options: SimEnvOptions): Env {
  const { world, host, machines } = options;
  const bootMsOf = (at: number) => (at - host.bootedMs) * (1 + host.drift) + 1000;
  const bootMs = () => bootMsOf(world.now);
  const { life } = host;
  return {
    bootMs,
    wallMs: () => 1_700_000_000_000 + world.now + host.wallOffsetMs,
    facts() {
      const now = bootMs();
      const done = host.done;
      if (done.length > 0) host.done = [];
      return {
        vm: vmFact(world, host, now),
        health: healthFact(world, host, now),
        host: hostFact(world, host, now, bootMsOf),
        lease: leaseFact(world, host, now),
        storage: { atMs: now, ok: host.path === 'ok' },
        localMaintenance: host.localMaintenance,
        done,
      };
    },
    readBoard(ids) {
      if (host.reading) return;
      host.reading = true;
      read(options, ids, bootMs(), life);
    },
    board: () => host.board,
    writeSlot(bytes) {
      if (bytes.length !== BLOCK_BYTES) world.watcher?.violated('I7', `host ${host.id} writes ${bytes.length} bytes`);
      options.onWrite(host, bytes);
      const waiting = host.writing !== undefined;
      host.writing = bytes;
      if (!waiting) write(options, life);
    },
    writeGlobal(bytes) {
      world.later(host, host.latencyMs * (0.5 + world.random.next()), () => {
        if (host.path === 'ok' && !world.random.chance(host.loseWrites)) world.global = bytes;
      });
    },
    order(id, action) {
      world.say(
        `host ${host.id}: orders ${action.kind}${action.kind === 'migrate' ? ` to ${action.to}` : ''} (${options.ruleNow()})`,
      );
      world.watcher?.ordered({ host, action, rule: options.ruleNow() });
      vdsmOrder(
        world,
        host,
        action,
        (ok, why) => {
          host.done.push({ id, ok, why });
          machines.poke(host, 5);
        },
        machines.notify,
      );
    },
    journal(entry) {
      host.journal.push(entry);
      if (host.journal.length > 64) host.journal.splice(0, 32);
      return true;
    },
    alert(alert) {
      world.say(`host ${host.id}: alert, ${alert.text}`);
      world.watcher?.alerted(host, alert);
    },
    load: () => host.kept,
    keep(kept) {
      host.kept = kept;
    },
  };
}
