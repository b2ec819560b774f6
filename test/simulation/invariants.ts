/**
 * What must never happen (peers-ha.md 3.3), checked against the world's truth: I1 and I2 after everything that may change it,
 * the others at the moment of the order, the block or the alert they speak of. Moves are in moves.ts, starts in starts.ts,
 * explanations in explanations.ts, what must happen after all is healed in liveness.ts.
 *
 * I10 (wall clocks) is no check at a moment: a twin run with other wall clocks must go the same to the millisecond (run.ts).
 */
import { parseHostBlock, parseGlobalBlock } from '../../activities/storage/whiteboard.ts';
import { isPredicted } from './blocks.ts';
import { Explanations } from './explanations.ts';
import { Moves } from './moves.ts';
import { Starts } from './starts.ts';
import type { Alert } from '../../workers/host/core/types.ts';
import type { JournalEntry } from '../../workers/host/env.ts';
import type { Machines } from './world/machine.ts';
import { frozen, type Order, type SimHost, type SimProcess, type Watcher, type World } from './world/world.ts';

export interface Violation {
  readonly id: string;
  readonly atMs: number;
  readonly text: string;
}

/** Reasons that have nothing to do with the network or the engine's looks. */
const EXEMPT_I4 = new Set(['lease-lost', 'hand-over', 'paused', 'guest-stopping', 'launching']);
/** By the fastest of the hosts' clocks. */
const HOUR_MS = 3_600_000 * 0.98;
/** Its loop, and the time after which it counts as gone. */
const REFERENCE_TELLS_MS = 20_000 + 60_000;
/** A host that was frozen in the middle of a turn may give its order so much later than it decided (agent.ts). */
const SLACK_MS = 100;

/** The host for which this one shuts the VM down, if it does. */
const stopsFor = (process: SimProcess) => process.worker?.agent?.last()?.decision.memory.stopping?.to;

export class Invariants implements Watcher {
  readonly violations: Violation[] = [];
  readonly outages: { cause: string; ms: number; at: number }[] = [];
  readonly alerts: { atMs: number; host: number; kind: string }[] = [];
  readonly orders: { atMs: number; host: number; kind: string; rule: string }[] = [];
  /** Each host's state, since when. */
  readonly states = new Map<number, { readonly state: string; readonly atMs: number }>();
  readonly joins: number[] = [];
  readonly explanations: Explanations;
  readonly moves: Moves;
  private readonly starts: Starts;
  private readonly restarts = new Map<number, number[]>();
  private readonly journals = new Map<SimProcess, JournalEntry>();
  private globalSinceMs: number | undefined;
  private globalBytes: Buffer | undefined;
  private readonly localSinceMs = new Map<number, number>();
  private allLostSinceMs: number | undefined;
  private downSinceMs: number | undefined;
  private downCause = '';
  private readonly world: World;
  private readonly machines: Machines;

  constructor(world: World, machines: Machines) {
    this.world = world;
    this.machines = machines;
    const violated = (id: string, text: string) => this.violated(id, text);
    this.explanations = new Explanations(world, violated);
    this.moves = new Moves(world, violated);
    this.starts = new Starts(world, violated);
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
    this.starts.check();
    this.explanations.look();
    if (world.global !== this.globalBytes) {
      this.globalBytes = world.global;
      const set = parseGlobalBlock(world.global).maintenance === true;
      this.globalSinceMs = set ? (this.globalSinceMs ?? world.now) : undefined;
    }
    return this.violations.length === 0;
  }

  journalled(host: SimHost, process: SimProcess, entry: JournalEntry): void {
    this.journals.set(process, entry);
    const { state } = entry;
    if (this.states.get(host.id)?.state !== state) this.states.set(host.id, { state, atMs: this.world.now });
    this.explanations.journalled(host, entry);
  }

  disturbed(): void {
    this.starts.disturbed();
  }

  published(host: SimHost, bytes: Buffer): void {
    this.moves.published(host, bytes);
  }

  wrote(host: SimHost, bytes: Buffer): void {
    if (isPredicted(bytes)) return;
    const reading = parseHostBlock(bytes);
    if (reading.kind !== 'host' || reading.block.hostId !== host.id)
      this.violated(
        'I7',
        `host ${host.id} writes a block that says ${reading.kind === 'host' ? reading.block.hostId : reading.kind}`,
      );
  }

  joined(): void {
    if (this.joins.length < 5000) this.joins.push(this.world.now);
  }

  firstJoinMs(sinceMs: number): number | undefined {
    return this.joins.find((atMs) => atMs >= sinceMs);
  }

  ordered(order: Order): void {
    const { world } = this;
    const { host, action, rule } = order;
    if (this.orders.length < 5000) this.orders.push({ atMs: world.now, host: host.id, kind: action.kind, rule });
    this.explanations.ordered(order);
    if (host.kind === 'reference') return;
    this.checkMaintenance(order);
    this.checkNetwork(order);
    this.checkInputs(order);
    this.checkJournal(order);
    this.moves.ordered(order);
    this.starts.ordered(order);
    this.countRestarts(order);
  }

  /** I3, at the moment of the decision: how much later the order may be given is for I6. */
  private checkMaintenance({ host, process, action, bootMs }: Order): void {
    const { world } = this;
    const decidedMs = world.now - (bootMs - (process.worker?.agent?.last()?.observation.nowMs ?? bootMs));
    const beatsMs = 2 * world.timing.beatMs;
    const visibleMs = beatsMs + 1000 + 4 * host.latencyMs;
    const readable = host.path === 'ok' && !frozen(world, host);
    const globalMs = decidedMs - (this.globalSinceMs ?? decidedMs);
    if (readable && globalMs > visibleMs)
      this.violated(
        'I3',
        `host ${host.id} orders ${action.kind} ${Math.round(globalMs / 1000)} s into global maintenance`,
      );
    const ownMs = decidedMs - (this.localSinceMs.get(host.id) ?? decidedMs);
    if (action.kind === 'start' && host.localMaintenance && ownMs > beatsMs)
      this.violated('I3', `host ${host.id} starts the VM in local maintenance`);
    if (action.kind !== 'migrate') return;
    if (this.spoiltLately(action.to)) return;
    const theirsMs = decidedMs - (this.localSinceMs.get(action.to) ?? decidedMs);
    if (theirsMs > 3 * visibleMs && world.host(action.to)?.path === 'ok')
      this.violated('I3', `host ${host.id} migrates to host ${action.to}, which is in local maintenance`);
  }

  /** An old block of that host, written over its new one by a storage gone astray, looks like news until its next beat. */
  private spoiltLately(id: number): boolean {
    const { now, slotSpoiltMs, timing } = this.world;
    return now - (slotSpoiltMs.get(id) ?? Number.NEGATIVE_INFINITY) < timing.referenceDeadMs;
  }

  private checkNetwork({ host, process, action, rule }: Order): void {
    const since = this.allLostSinceMs;
    if (since === undefined || action.kind === 'start' || host.vm?.executing !== true || EXEMPT_I4.has(rule)) return;
    // What a host that is gone wrote last looks like news to who was shown the block before it until a moment ago.
    const { now, timing } = this.world;
    if (host.staleReads || now - host.staleEndedMs < timing.referenceDeadMs) return;
    if (this.spoiltLately(action.kind === 'migrate' ? action.to : (stopsFor(process) ?? 0))) return;
    // A host needs this long to know of its own loss and to have told the others; the reference looks every 10 s only.
    const target = this.world.host(action.kind === 'migrate' ? action.to : (stopsFor(process) ?? 0));
    const toldMs = timing.confirmMs + (target?.kind === 'reference' ? REFERENCE_TELLS_MS : 0);
    if (now - since > toldMs)
      this.violated('I4', `host ${host.id} orders ${action.kind} (${rule}) while no host has the network`);
  }

  /**
   * I6: inputs of at most two beats when the decision was made, and given at most two beats after it was made.
   *
   * lease-lost does not go by the board: whether its sanlock is there is a fact of the host itself, and that fact must be
   * fresh; the board is often out of reach at the same time, and a VM without its lease must not wait for it.
   */
  private checkInputs({ host, process, action, rule, bootMs }: Order): void {
    const last = process.worker?.agent?.last();
    if (last === undefined || last.decision.action?.action !== action) return;
    const { observation } = last;
    const { nowMs, vm, lease, board } = observation;
    const beatsMs = 2 * this.world.timing.beatMs + SLACK_MS;
    const inputs: (readonly [string, number | undefined])[] = [
      ['the VM', vm?.atMs],
      rule === 'lease-lost' ? ['sanlock', lease?.atMs] : ['the board', board?.readMs],
    ];
    if (action.kind === 'start') inputs.push(['sanlock', lease?.atMs], ['the host', observation.host?.atMs]);
    for (const [what, atMs] of inputs) {
      const ageMs = nowMs - (atMs ?? Number.NEGATIVE_INFINITY);
      if (ageMs > beatsMs)
        this.violated(
          'I6',
          `host ${host.id} orders ${action.kind} (${rule}) on what it knew of ${what} ${Math.round(ageMs / 1000)} s ago`,
        );
    }
    if (bootMs - nowMs > beatsMs)
      this.violated(
        'I6',
        `host ${host.id} orders ${action.kind} (${rule}) ${Math.round((bootMs - nowMs) / 1000)} s after it decided`,
      );
  }

  /** I5. A record that the disk does not take was still tried first: a full disk is no reason to leave the engine down. */
  private checkJournal({ host, process, action }: Order): void {
    const entry = this.journals.get(process);
    if (entry?.order !== action || entry.reasons.length === 0)
      this.violated('I5', `host ${host.id} orders ${action.kind} without a record of it`);
  }

  /** L7. A counter whose file was lost, or could not be written on a full disk, begins anew. */
  private countRestarts({ host, rule }: Order): void {
    if (rule !== 'engine-unhealthy') return;
    const { now } = this.world;
    const before = this.restarts.get(host.id) ?? [];
    const list = [...before, now].filter((at) => now - at < 2 * HOUR_MS && at > host.forgotMs);
    this.restarts.set(host.id, list);
    // Two workers on one host, by somebody's mistake, each know of their own restarts only.
    if (list.length > (host.extra === undefined ? 2 : 4))
      this.violated('L7', `host ${host.id} restarts a sick engine ${list.length} times within two hours`);
  }

  started(_host: SimHost): void {
    this.starts.started();
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
