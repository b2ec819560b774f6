/**
 * What must never happen (peers-ha.md 3.3), checked against the world's truth: I1 and I2 after every event, the others
 * at the moment of the order, the writing or the alert they speak of.
 */
import { parseHostBlock, parseGlobalBlock } from '../../activities/storage/whiteboard.ts';
import type { Alert } from '../../workers/host/core/types.ts';
import type { JournalEntry } from '../../workers/host/env.ts';
import type { Machines } from './world/machine.ts';
import { frozen, type Order, type SimHost, type Watcher, type World } from './world/world.ts';

export interface Violation {
  readonly id: string;
  readonly atMs: number;
  readonly text: string;
}

const MOVES = new Set(['network-lost-here', 'better-host']);
/** Reasons that have nothing to do with the network or the engine's looks. */
const EXEMPT_I4 = new Set(['lease-lost', 'hand-over', 'paused', 'guest-stopping', 'launching']);
const HOUR_MS = 3_600_000;

export class Invariants implements Watcher {
  readonly violations: Violation[] = [];
  readonly outages: { cause: string; ms: number; at: number }[] = [];
  readonly alerts: { atMs: number; host: number; kind: string }[] = [];
  readonly orders: { atMs: number; host: number; kind: string; rule: string }[] = [];
  private readonly moves: number[] = [];
  private readonly restarts = new Map<number, number[]>();
  private readonly journals = new Map<number, JournalEntry>();
  private globalSinceMs: number | undefined;
  private globalBytes: Buffer | undefined;
  private readonly localSinceMs = new Map<number, number>();
  private allLostSinceMs: number | undefined;
  private downSinceMs: number | undefined;
  private downCause = '';
  /** Set by the administrator's doing: moves on his account do not count. */
  private readonly world: World;
  private readonly machines: Machines;

  constructor(world: World, machines: Machines) {
    this.world = world;
    this.machines = machines;
  }

  violated(id: string, text: string): void {
    if (this.violations.length >= 20) return;
    this.violations.push({ id, atMs: this.world.now, text });
    this.world.say(`VIOLATION ${id}: ${text}`);
  }

  /** After every event. */
  check(): boolean {
    const { world } = this;
    let running: SimHost | undefined;
    let lost = true;
    let on = 0;
    for (const host of world.hosts) {
      const { vm } = host;
      if (vm?.executing === true) {
        if (running !== undefined) this.violated('I1', `hosts ${running.id} and ${host.id} both run the engine VM`);
        running = host;
        const { lease } = world;
        const owns = !lease.free && lease.owner === host.id && lease.generation === host.sanlock.generation;
        // sanlock itself needs up to 3 s to end a VM of an older generation.
        if (!owns && vm.holds && lease.owner !== host.id)
          this.violated('I2', `host ${host.id} runs it, host ${lease.owner} has the lease`);
      }
      if (host.localMaintenance) {
        if (!this.localSinceMs.has(host.id)) this.localSinceMs.set(host.id, world.now);
      } else this.localSinceMs.delete(host.id);
      if (!host.on) continue;
      on += 1;
      if (host.loss < 1 && host.bridgeUp) lost = false;
    }
    if (!lost || on === 0) this.allLostSinceMs = undefined;
    else this.allLostSinceMs ??= world.now;
    if (world.global !== this.globalBytes) {
      this.globalBytes = world.global;
      const set = parseGlobalBlock(world.global).maintenance === true;
      this.globalSinceMs = set ? (this.globalSinceMs ?? world.now) : undefined;
    }
    return this.violations.length === 0;
  }

  journalled(host: SimHost, entry: JournalEntry): void {
    this.journals.set(host.id, entry);
  }

  wrote(host: SimHost, bytes: Buffer): void {
    const reading = parseHostBlock(bytes);
    if (reading.kind !== 'host' || reading.block.hostId !== host.id)
      this.violated(
        'I7',
        `host ${host.id} writes a block that says ${reading.kind === 'host' ? reading.block.hostId : reading.kind}`,
      );
  }

  ordered(order: Order): void {
    const { world } = this;
    const { host, action, rule } = order;
    if (this.orders.length < 5000) this.orders.push({ atMs: world.now, host: host.id, kind: action.kind, rule });
    if (host.kind === 'reference') return;
    const beat = world.timing.beatMs;
    const visibleMs = 2 * beat + 1000 + 4 * host.latencyMs;
    const readable = host.path === 'ok' && !frozen(world, host);
    if (this.globalSinceMs !== undefined && readable && world.now - this.globalSinceMs > visibleMs)
      this.violated(
        'I3',
        `host ${host.id} orders ${action.kind} ${Math.round((world.now - this.globalSinceMs) / 1000)} s into global maintenance`,
      );
    if (
      action.kind === 'start' &&
      host.localMaintenance &&
      world.now - (this.localSinceMs.get(host.id) ?? world.now) > beat
    )
      this.violated('I3', `host ${host.id} starts the VM in local maintenance`);
    if (action.kind === 'migrate') {
      const since = this.localSinceMs.get(action.to);
      if (since !== undefined && world.now - since > 3 * visibleMs && world.host(action.to)?.path === 'ok')
        this.violated('I3', `host ${host.id} migrates to host ${action.to}, which is in local maintenance`);
    }
    this.checkNetwork(order);
    this.checkInputs(order);
    this.checkJournal(order);
    this.countMoves(order);
  }

  private checkNetwork({ host, action, rule }: Order): void {
    const since = this.allLostSinceMs;
    if (since === undefined || action.kind === 'start' || host.vm?.executing !== true || EXEMPT_I4.has(rule)) return;
    // A host needs this long to know of its own loss and to have told the others.
    if (this.world.now - since > this.world.timing.confirmMs)
      this.violated('I4', `host ${host.id} orders ${action.kind} (${rule}) while no host has the network`);
  }

  private checkInputs({ host, action, rule }: Order): void {
    // Whether sanlock is there is a fact of this host; no board is needed to know it.
    if (rule === 'lease-lost') return;
    const last = host.worker?.agent?.last();
    const board = last?.observation.board;
    // The very first order of a worker is given inside its first turn, before `last` can be asked.
    if (board === undefined || last === undefined) return;
    const ageMs = last.observation.nowMs - board.readMs;
    if (last.decision.action?.action === action && ageMs > 2 * this.world.timing.beatMs + 100)
      this.violated('I6', `host ${host.id} orders ${action.kind} on a board of ${Math.round(ageMs / 1000)} s ago`);
  }

  private checkJournal({ host, action }: Order): void {
    const entry = this.journals.get(host.id);
    if (entry?.order !== action || entry.reasons.length === 0)
      this.violated('I5', `host ${host.id} orders ${action.kind} without a record of it`);
  }

  private countMoves({ host, action, rule }: Order): void {
    const { now } = this.world;
    if (MOVES.has(rule) && (action.kind === 'migrate' || action.kind === 'shutdown')) {
      this.moves.push(now);
      const recent = this.moves.filter((at) => now - at < HOUR_MS);
      const told = this.world.hosts.every((other) => other.path === 'ok' && other.on && other.kind === 'bellwether');
      // What a host that is gone had announced is not known to a newcomer: the budget is then per host.
      if (recent.length > (told ? 4 : 2 * this.world.hosts.length))
        this.violated('L3', `${recent.length} moves within an hour`);
    }
    if (rule === 'engine-unhealthy') {
      const list = [...(this.restarts.get(host.id) ?? []), now].filter((at) => now - at < 2 * HOUR_MS);
      this.restarts.set(host.id, list);
      if (list.length > 2)
        this.violated('L7', `host ${host.id} restarts a sick engine ${list.length} times within two hours`);
    }
  }

  started(_host: SimHost): void {
    if (this.downSinceMs !== undefined) {
      this.outages.push({ cause: this.downCause, ms: this.world.now - this.downSinceMs, at: this.world.now });
      this.world.totals.failovers += 1;
    }
    this.downSinceMs = undefined;
  }

  ended(host: SimHost, why: string): void {
    if (why === 'migrated') return;
    this.downSinceMs = this.world.now;
    this.downCause = `${host.id}: ${why}`;
  }

  alerted(host: SimHost, alert: Alert): void {
    if (this.alerts.length < 5000) this.alerts.push({ atMs: this.world.now, host: host.id, kind: alert.kind });
  }
}
