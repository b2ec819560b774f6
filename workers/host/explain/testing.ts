/** Snapshots for tests: the shipping loop on several hosts over scripted facts, one clock and one board in memory. */
import { extraText, formatGlobalBlock, formatHostBlock } from '../../../activities/storage/whiteboard.ts';
import { createAgent, type Agent } from '../agent.ts';
import { PROFILES, timingOf, type Timing } from '../core/timing.ts';
import type { ActionResult, Alert, HealthFact, Settings, VmAction, VmFact } from '../core/types.ts';
import type { BoardReading, Env, JournalEntry } from '../env.ts';
import type { Snapshot } from '../snapshot.ts';

const STEP_MS = 1000;
export const VM_MEMORY_MB = 16_384;

/** What a test sets; the loop sees it as facts. */
export interface ScriptedHost {
  readonly id: number;
  readonly ours: boolean;
  on: boolean;
  /** Power is there, but nothing of the loop runs. */
  stuck: boolean;
  storage: boolean;
  vdsm: boolean;
  sanlock: boolean;
  network: number;
  bridgeUp: boolean;
  cpuLoad: number;
  memFreeMb: number;
  localMaintenance: boolean;
  shuttingDown: boolean;
  migrates: boolean;
  vm: VmFact['state'];
  exit: VmFact['exit'];
  engine: HealthFact['engine'];
  progress: number;
  score: number;
  watchdogSeconds: number;
  readonly orders: VmAction[];
  readonly alerts: Alert[];
  readonly journal: JournalEntry[];
}

export interface Rig {
  readonly nowMs: () => number;
  readonly host: (id: number) => ScriptedHost;
  readonly run: (seconds: number) => void;
  readonly rule: (id: number) => string;
  readonly setGlobal: (on: boolean) => void;
  /** Whom the lease names; a host that is off stands still there. */
  readonly lease: { owner: number | undefined; silentSinceMs: number | undefined };
  readonly slots: ReadonlyMap<number, Buffer>;
  readonly snapshot: (id: number) => Snapshot;
}

function newHost(id: number, ours: boolean): ScriptedHost {
  return {
    id,
    ours,
    on: true,
    stuck: false,
    storage: true,
    vdsm: true,
    sanlock: true,
    network: 1,
    bridgeUp: true,
    cpuLoad: 0.1,
    memFreeMb: 65_536,
    localMaintenance: false,
    shuttingDown: false,
    migrates: true,
    vm: id === 1 ? 'up' : 'absent',
    exit: undefined,
    engine: 'good',
    progress: 0,
    score: 3400,
    watchdogSeconds: 60,
    orders: [],
    alerts: [],
    journal: [],
  };
}

class Scripted {
  nowMs = 1_000_000;
  readonly slots = new Map<number, Buffer>();
  readonly lease: Rig['lease'] = { owner: 1, silentSinceMs: undefined };
  global = formatGlobalBlock(false);
  readonly hosts: ScriptedHost[];
  readonly agents = new Map<number, Agent>();
  private readonly wakeAt = new Map<number, number>();
  private readonly boards = new Map<number, BoardReading>();
  private readonly done = new Map<number, ActionResult[]>();
  private readonly oldVm = new Map<number, VmFact>();
  private readonly timing: Timing;

  constructor(kinds: readonly ('ours' | 'reference')[], timing: Timing, settings: Partial<Settings>) {
    this.timing = timing;
    this.hosts = kinds.map((kind, index) => newHost(index + 1, kind === 'ours'));
    for (const host of this.hosts) {
      if (!host.ours) continue;
      const own = { hostId: host.id, timing, vmMemoryMb: VM_MEMORY_MB, priority: 0, canMigrate: true, ...settings };
      this.agents.set(host.id, createAgent({ env: this.env(host), settings: own, hostname: `host${host.id}` }));
    }
  }

  step(): void {
    this.nowMs += STEP_MS;
    for (const host of this.hosts) {
      if (!host.on || host.stuck) continue;
      if (!host.ours) this.writeReference(host);
      else if ((this.wakeAt.get(host.id) ?? 0) <= this.nowMs) this.wake(host);
    }
    const owner = this.hosts.find((host) => host.id === this.lease.owner);
    if (owner !== undefined && !(owner.on && owner.storage)) this.lease.silentSinceMs ??= this.nowMs;
    else this.lease.silentSinceMs = undefined;
  }

  /** Once to begin the reading, once more when it has ended. */
  private wake(host: ScriptedHost): void {
    const agent = this.agents.get(host.id);
    if (agent === undefined) return;
    const first = agent.wake();
    const next = host.storage ? agent.wake() : first;
    this.wakeAt.set(host.id, this.nowMs + Math.min(first, next));
  }

  private writeReference(host: ScriptedHost): void {
    if (this.nowMs % 10_000 !== 0 || !host.storage) return;
    const hostTs = this.nowMs / 1000;
    const common = { hostTs, hostId: host.id, score: host.score, localConfTimestamp: 0, confOnSharedStorage: true };
    const up = host.vm === 'up';
    const at = new Date(0);
    const block = formatHostBlock({
      ...common,
      engineStatus: { vm: up ? 'up' : 'down', health: up ? host.engine : 'bad', detail: up ? 'Up' : 'Down' },
      hostname: `host${host.id}`,
      localMaintenance: host.localMaintenance,
      stopped: false,
      extra: extraText({ ...common, at, confRefreshedAt: at, state: { state: up ? 'EngineUp' : 'EngineDown' } }),
    });
    if (block.ok) this.slots.set(host.id, block.bytes);
  }

  private vmFact(host: ScriptedHost): VmFact | undefined {
    if (!host.vdsm) return this.oldVm.get(host.id);
    const exit = host.exit === undefined ? {} : { exit: host.exit };
    const fact: VmFact = { atMs: this.nowMs, state: host.vm, detail: host.vm, ...exit };
    this.oldVm.set(host.id, fact);
    return fact;
  }

  private facts(host: ScriptedHost) {
    const atMs = this.nowMs;
    const { owner, silentSinceMs } = this.lease;
    const named = owner !== undefined && host.storage;
    const done = this.done.get(host.id) ?? [];
    this.done.delete(host.id);
    return {
      vm: this.vmFact(host),
      health: host.vm === 'absent' ? undefined : { atMs, engine: host.engine, progress: host.progress },
      host: {
        atMs,
        network: host.network,
        networkAtMs: atMs,
        bridgeUp: host.bridgeUp,
        cpuLoad: host.cpuLoad,
        memFreeMb: host.memFreeMb,
        confUpToDate: true,
        shuttingDown: host.shuttingDown,
      },
      lease: {
        atMs,
        connected: host.sanlock,
        joined: host.sanlock,
        owner: named ? owner : undefined,
        ownerSilentMs: named ? atMs - (silentSinceMs ?? atMs - (atMs % 20_000)) : undefined,
        ioSeconds: this.timing.profile.ioSeconds,
        watchdogSeconds: host.watchdogSeconds,
      },
      storage: { atMs, ok: host.storage },
      localMaintenance: host.localMaintenance,
      done,
    };
  }

  private env(host: ScriptedHost): Env {
    return {
      bootMs: () => this.nowMs,
      wallMs: () => 1_700_000_000_000,
      facts: () => this.facts(host),
      readBoard: () => {
        const { nowMs, global } = this;
        if (host.storage)
          this.boards.set(host.id, { startedMs: nowMs, whole: true, global, slots: new Map(this.slots) });
      },
      board: () => this.boards.get(host.id),
      writeSlot: (bytes) => {
        if (host.storage) this.slots.set(host.id, bytes);
      },
      writeGlobal: (bytes) => {
        this.global = bytes;
      },
      order: (id, action) => {
        host.orders.push(action);
        const ok = action.kind !== 'migrate' || host.migrates;
        this.done.set(host.id, [...(this.done.get(host.id) ?? []), { id, ok, why: ok ? '' : 'Migration failed' }]);
        if (!ok) return;
        if (action.kind === 'start') host.vm = 'launching';
        else if (action.kind === 'migrate') host.vm = 'leaving';
        else host.vm = action.kind === 'shutdown' ? 'stopping' : 'absent';
      },
      journal: (entry) => {
        host.journal.push(entry);
        return true;
      },
      alert: (alert) => void host.alerts.push(alert),
      load: () => undefined,
      keep: () => undefined,
    };
  }
}

/** Hosts 1 to N of these kinds; the engine VM is on host 1, found there at the start, and healthy for ten minutes. */
export function createRig(
  kinds: readonly ('ours' | 'reference')[],
  options: { profile?: keyof typeof PROFILES; settings?: Partial<Settings>; off?: boolean } = {},
): Rig {
  const world = new Scripted(kinds, timingOf(PROFILES[options.profile ?? 'default']), options.settings ?? {});
  const startedMs = world.nowMs;
  const run = (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) world.step();
  };
  if (options.off !== true) run(600);
  const host = (id: number) => {
    const found = world.hosts[id - 1];
    if (found === undefined) throw new Error(`no host ${id}`);
    return found;
  };
  return {
    nowMs: () => world.nowMs,
    host,
    run,
    lease: world.lease,
    slots: world.slots,
    rule: (id) => world.agents.get(id)?.last()?.decision.reasons[0]?.rule ?? '',
    setGlobal: (on) => {
      world.global = formatGlobalBlock(on);
    },
    snapshot: (id) => ({
      version: '1.0.0',
      hostname: `host${id}`,
      pid: 4242,
      nowMs: world.nowMs,
      startedMs,
      round: world.agents.get(id)?.last(),
      recent: host(id).journal.slice(-50),
      storage: { atMs: world.nowMs, ok: host(id).storage },
      definition: { source: 'OVF_STORE 8fcc3bda, written 2026-11-20 03:10 UTC', notes: [] },
      journalFile: '/var/lib/bellwether-host/journal.jsonl',
    }),
  };
}
