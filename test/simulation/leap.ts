/**
 * Leaps: time that passes over beats which are known to come to nothing.
 *
 * Most of a cluster's life is the same beat again and again. When nothing of the world has moved for some beats, no reading
 * or writing is under way, every path, clock and daemon is in order, and every host last decided to do nothing, the next
 * beats can differ from the last ones only in their times. How far that holds is not guessed: the *shipping* `decide` is asked, for
 * each host, what it would decide at the end of the leap, with its own memory and with the facts and the board of then. The
 * leap is made only where every decision is the last one to the field (rule, state, score, claim, windows, counters); where
 * it is not, halving finds the longest leap where it is. The leap ends well before the next thing that happens to the world,
 * and the beats that follow are run in full.
 *
 * Why that hides nothing. The worker changes its memory in turns only, so a beat that would have decided the same leaves
 * nothing behind but times, which the first beats after the leap refresh. Between its ends a leap could hide only a
 * decision that comes and goes again by the clock alone: all of the core's times are `now - since >= limit` with `since`
 * fixed while nothing happens, so each of its conditions changes at most once. Both claims are tested, not trusted: `prove`
 * asks `decide` at *every* beat leapt over, and a run without leaps must tell the same story to the millisecond
 * (`simulation.test.ts`; `npm run simulate -- --every-beat`).
 *
 * What no leap is made over: a path, a network or a daemon that is in trouble by chance (each beat then draws anew), hosts that
 * stand still, a second worker, wishes for global maintenance not yet confirmed, slots that a host has not heard of.
 */
import type { Decision, Memory, Observation, PeerReport } from '../../workers/host/core/types.ts';
import { aged, readBlock } from './blocks.ts';
import { factsAt } from './sim-env.ts';
import { bootMsAt, wallMsAt } from './world/clock.ts';
import { io } from './world/sanlock.ts';
import { frozen, type SimHost, type World } from './world/world.ts';

/** A reading is this much older than the turn that takes it. */
const READING_MS = 11;
const REST_BEATS = 2;
/** Run in full at the end of a leap, before anything happens to the world. */
const LANDING_BEATS = 2;
const SHORTEST_BEATS = 2;
/** Nothing that the reference remembers of the world is older. */
const REFERENCE_REST_MS = 100_000;

/** Asks `decide`; a mutant has its own. */
export type Decide = (memory: Memory, observation: Observation) => Decision;

export interface LeapOptions {
  readonly decide: Decide;
  /** Asks at every beat leapt over, not only at the end. */
  readonly prove?: boolean;
}

interface Resting {
  readonly host: SimHost;
  readonly observation: Observation;
  readonly decision: Decision;
}

/** Anything about a host that may come out differently in each beat, or is not yet what it is going to be. */
function restless(world: World, host: SimHost): boolean {
  const { main, sanlock } = host;
  if (!host.on) return false;
  if (
    frozen(world, host) ||
    host.path !== 'ok' ||
    host.latencyMs > 20 ||
    host.newsEveryMs > 0 ||
    host.loseWrites > 0 ||
    host.staleReads
  )
    return true;
  if (host.loss !== host.sampledLoss || (host.loss > 0 && host.loss < 1) || host.shuttingDown) return true;
  if (!sanlock.running || !sanlock.joined || sanlock.hung || sanlock.slow !== 0) return true;
  // The next renewal is late still, or a moment ago this daemon was in trouble.
  if (Math.abs(world.line.dueAt(sanlock.renewTimer) - sanlock.renewedMs - 2 * io(world)) > 1) return true;
  if (host.extra?.worker !== undefined) return true;
  if (main.worker === undefined) return false;
  if (main.stoppedUntilMs > world.now || main.factsFromMs > world.now || world.now - main.wishedMs < 90_000)
    return true;
  return main.done.length > 0 || main.written === undefined || world.slots.get(host.id) !== main.written;
}

function busy(world: World): boolean {
  for (const { main, extra } of world.hosts)
    if (main.reading !== undefined || main.writing !== undefined || extra?.reading !== undefined) return true;
  return false;
}

/** All workers of our kind with what they last decided; undefined when one of them does not rest. */
function allResting(world: World): readonly Resting[] | undefined {
  const found: Resting[] = [];
  for (const host of world.hosts) {
    if (restless(world, host)) return undefined;
    const { worker, board } = host.main;
    if (!host.on || worker === undefined || host.kind === 'reference') continue;
    const last = worker.agent?.last();
    if (last === undefined || board === undefined) return undefined;
    const { observation, decision } = last;
    if (decision.action !== undefined || decision.alerts.length > 0 || decision.memory.pending !== undefined)
      return undefined;
    for (const id of world.slots.keys()) if (id !== host.id && !board.slots.has(id)) return undefined;
    if (board.global !== world.global) return undefined;
    found.push({ host, observation, decision });
  }
  return found;
}

const period = (world: World, host: SimHost) => (host.main.worker?.rest.periodMs ?? 0) / (1 + host.clock.drift);

/** The owner's renewals as this host will have seen them at that time. */
function ownerMovedMs(world: World, host: SimHost, atMs: number): number | undefined {
  const seen = host.sanlock.seen.get(world.lease.owner);
  const owner = world.host(world.lease.owner);
  if (seen === undefined || owner === undefined || !owner.on) return seen?.changedMs;
  return renewalBefore(world, host, atMs);
}

function renewalBefore(world: World, host: SimHost, atMs: number): number {
  const due = world.line.dueAt(host.sanlock.renewTimer);
  const every = 2 * io(world);
  return due - every * Math.max(1, Math.ceil((due - atMs) / every));
}

/** The board at that time: who lives has written again what he wrote last. */
function boardAt(world: World, resting: readonly Resting[], atMs: number): ReadonlyMap<number, PeerReport> {
  const reports = new Map<number, PeerReport>();
  for (const [id, bytes] of world.slots) {
    const slot = readBlock(id, bytes);
    if (slot.kind === 'host') reports.set(id, slot.report);
  }
  for (const { host, observation, decision } of resting) {
    const report = reports.get(host.id);
    if (report === undefined) continue;
    const nowMs = bootMsAt(host, atMs) - period(world, host) / 2;
    const movedMs = nowMs - observation.nowMs;
    const then = observation.host && { ...observation.host, networkAtMs: observation.host.networkAtMs + movedMs };
    const cannotRun = report.said?.cannotRun ?? '';
    reports.set(host.id, aged(report, { ...observation, nowMs, host: then }, decision, cannotRun));
  }
  for (const host of world.hosts) {
    const report = reports.get(host.id);
    if (host.kind === 'reference' && host.on && host.main.worker !== undefined && report !== undefined)
      reports.set(host.id, { ...report, ts: Math.floor(bootMsAt(host, atMs) / 1000) });
  }
  return reports;
}

function observationAt(
  world: World,
  { host, observation }: Resting,
  atMs: number,
  board: ReadonlyMap<number, PeerReport>,
): Observation {
  const nowMs = bootMsAt(host, atMs);
  const before = observation.board;
  const peers: PeerReport[] = [];
  for (const id of host.main.board?.slots.keys() ?? []) {
    const report = board.get(id);
    if (report !== undefined) peers.push(report);
  }
  const stale = host.staleVm;
  const facts = factsAt(world, host, nowMs, ownerMovedMs(world, host, atMs));
  host.staleVm = stale;
  return {
    nowMs,
    settings: observation.settings,
    board: before && { ...before, readMs: nowMs - READING_MS, peers },
    vm: facts.vm,
    health: facts.health,
    host: facts.host,
    lease: facts.lease,
    storage: facts.storage,
    localMaintenance: facts.localMaintenance,
    done: facts.done,
  };
}

/** To the field; only when each peer was last heard of is left out. */
function decidesTheSame(before: Decision, after: Decision): boolean {
  const a = before.memory;
  const b = after.memory;
  return (
    after.action === undefined &&
    after.alerts.length === 0 &&
    a.rule === b.rule &&
    a.sinceMs === b.sinceMs &&
    a.state === b.state &&
    a.score === b.score &&
    a.claim === b.claim &&
    a.windows === b.windows &&
    a.failures === b.failures &&
    a.moves === b.moves &&
    a.engineRestarts === b.engineRestarts &&
    a.failedMoves === b.failedMoves &&
    a.mine === b.mine &&
    a.progress === b.progress &&
    a.vmState === b.vmState &&
    a.vmChangedMs === b.vmChangedMs &&
    a.global === b.global &&
    a.stopping === b.stopping &&
    a.pending === b.pending &&
    a.movingTo === b.movingTo &&
    a.alerted === b.alerted &&
    a.actedMs === b.actedMs &&
    a.boardSinceMs === b.boardSinceMs
  );
}

/** Whether every worker would still decide what it decided last. */
function sameAt(world: World, resting: readonly Resting[], atMs: number, decide: Decide): boolean {
  const { line } = world;
  const nowMs = line.now;
  line.now = atMs;
  const board = boardAt(world, resting, atMs);
  const same = resting.every((one) => {
    const { decision } = one;
    return decidesTheSame(decision, decide(decision.memory, observationAt(world, one, atMs, board)));
  });
  line.now = nowMs;
  return same;
}

/** The end of rest by what the world and the reference's agents know of themselves. */
function limitOf(world: World, untilMs: number): number {
  const beat = world.timing.beatMs;
  let limit = untilMs - LANDING_BEATS * beat;
  for (const host of world.hosts) {
    if (!host.on) continue;
    const { vm } = host;
    if (vm !== undefined)
      for (const at of [vm.healthyFromMs, vm.sickUntilMs]) if (at > world.now) limit = Math.min(limit, at - 2 * beat);
    const { worker } = host.main;
    if (worker === undefined || host.kind !== 'reference') continue;
    const rests = worker.rest.untilMs();
    limit = rests === undefined ? world.now : Math.min(limit, rests, untilMs - 2 * worker.rest.periodMs);
  }
  return limit;
}

/** Everything that goes on by itself is where it would be; the story goes on at `toMs`. */
function land(world: World, resting: readonly Resting[], toMs: number): void {
  const { line } = world;
  for (const host of world.hosts) {
    const { main, sanlock } = host;
    if (!host.on) continue;
    const every = 2 * io(world);
    const due = line.dueAt(sanlock.renewTimer);
    line.arm(sanlock.renewTimer, due + every * Math.max(0, Math.ceil((toMs - due) / every)));
    if (main.worker === undefined) continue;
    const step = period(world, host);
    const wakes = line.dueAt(main.wakeTimer);
    const beats = Math.max(0, Math.ceil((toMs - wakes) / step));
    if (beats === 0) continue;
    world.leapt += beats;
    line.arm(main.wakeTimer, wakes + beats * step);
    const lastMs = line.dueAt(main.wakeTimer) - step + READING_MS;
    const block = main.worker.rest.skip(beats * main.worker.rest.periodMs, lastMs);
    if (block === undefined) continue;
    main.written = block;
    world.slots.set(host.id, block);
  }
  landSanlock(world, toMs);
  line.now = toMs;
}

function landSanlock(world: World, toMs: number): void {
  const { line } = world;
  const live = world.hosts.filter((host) => host.on);
  for (const { sanlock } of live) {
    sanlock.renewedMs = line.dueAt(sanlock.renewTimer) - 2 * io(world);
    sanlock.stamp = Math.max(1, sanlock.renewedMs);
    line.arm(sanlock.deadlineTimer, sanlock.renewedMs + 8 * io(world));
  }
  for (const host of live) {
    for (const other of live) {
      const seen = host.sanlock.seen.get(other.id);
      if (seen === undefined) continue;
      seen.changedMs = host.sanlock.renewedMs;
      seen.movedLastLook = true;
      seen.stamp = renewalBefore(world, other, host.sanlock.renewedMs);
    }
  }
}

/** Puts leaps into a world's timeline. */
export function withLeaps(world: World, options: LeapOptions): void {
  const { line } = world;
  const beat = world.timing.beatMs;
  const referenceTakesPart = world.hosts.some((host) => host.kind === 'reference');
  line.restMs = referenceTakesPart ? REFERENCE_REST_MS : REST_BEATS * beat;
  line.leap = (untilMs) => {
    if (busy(world)) return;
    line.leapFromMs = world.now + beat;
    const nowMs = world.now;
    let toMs = limitOf(world, untilMs);
    if (!(toMs - nowMs >= SHORTEST_BEATS * beat) || toMs === Number.POSITIVE_INFINITY) return;
    const resting = allResting(world);
    if (resting === undefined) return;
    if (!sameAt(world, resting, toMs, options.decide)) {
      let [same, other] = [nowMs, toMs];
      while (other - same > 2 * beat) {
        const middle = (same + other) / 2;
        if (sameAt(world, resting, middle, options.decide)) same = middle;
        else other = middle;
      }
      toMs = same - 2 * beat;
      if (toMs - nowMs < SHORTEST_BEATS * beat) return;
    }
    toMs = Math.floor(toMs);
    if (options.prove === true)
      for (let at = nowMs + beat; at < toMs; at += beat)
        if (!sameAt(world, resting, at, options.decide))
          world.watcher?.violated('leap', `a beat at ${at} would have decided otherwise`);
    land(world, resting, toMs);
    line.leapFromMs = toMs + beat;
  };
}
