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
import { draftOf } from '../../workers/host/core/remember.ts';
import type { Decision, Memory, Observation, PeerReport } from '../../workers/host/core/types.ts';
import { aged, readBlock } from './blocks.ts';
import { factsAt } from './sim-env.ts';
import { bootMsAt } from './world/clock.ts';
import { io } from './world/sanlock.ts';
import { AGAIN_MS } from './world/storage.ts';
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

/** Its storage does not answer: its worker waits, its lockspace runs out. A leap may go on until it does. */
const isAway = (host: SimHost) => host.path === 'hang' || host.path === 'eio';

/** Its sanlock renews, time after time. */
const isLive = (host: SimHost) => host.on && host.sanlock.joined && !isAway(host);

/** In whole milliseconds of the world, as the timeline has it; so is `period`. */
const renewalMs = (world: World, host: SimHost) => Math.ceil((2 * io(world)) / (1 + host.clock.drift));

/** Anything about a host that may come out differently in each beat, or is not yet what it is going to be. */
function restless(world: World, host: SimHost): boolean {
  const { main, sanlock } = host;
  if (!host.on) return false;
  if (frozen(world, host) || host.path === 'readonly' || host.latencyMs > 20 || host.newsEveryMs > 0) return true;
  if (host.loseWrites > 0 || host.staleReads || host.shuttingDown) return true;
  if (host.loss !== host.sampledLoss || (host.loss > 0 && host.loss < 1)) return true;
  if (!sanlock.running || sanlock.hung || sanlock.slow !== 0 || (!sanlock.joined && !isAway(host))) return true;
  // The next renewal is late still, or a moment ago this daemon was in trouble.
  const due = world.line.dueAt(sanlock.renewTimer);
  if (isLive(host) && Math.abs(due - sanlock.renewedMs - renewalMs(world, host)) > 1) return true;
  if (host.extra?.worker !== undefined) return true;
  if (main.worker === undefined) return false;
  if (main.stoppedUntilMs > world.now || main.factsFromMs > world.now || world.now - main.wishedMs < 90_000)
    return true;
  if (main.done.length > 0) return true;
  return !isAway(host) && (main.written === undefined || world.slots.get(host.id) !== main.written);
}

function busy(world: World): boolean {
  for (const { main, extra, path } of world.hosts) {
    if (path === 'hang') continue;
    if (main.reading !== undefined || main.writing !== undefined || extra?.reading !== undefined) return true;
  }
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
    if (!isAway(host)) {
      for (const id of world.slots.keys()) if (id !== host.id && !board.slots.has(id)) return undefined;
      if (board.global !== world.global) return undefined;
    }
    found.push({ host, observation, decision });
  }
  return found;
}

const period = (host: SimHost) => Math.ceil((host.main.worker?.rest.periodMs ?? 0) / (1 + host.clock.drift));

/** When this host will have seen the owner's renewal move last, at that time. */
function ownerMovedMs(world: World, host: SimHost, atMs: number): number | undefined {
  const seen = host.sanlock.seen.get(world.lease.owner);
  const owner = world.host(world.lease.owner);
  if (seen === undefined || owner === undefined || !isLive(host)) return seen?.changedMs;
  if (isLive(owner)) return lastMoveMs(world, host, owner, renewalBefore(world, host, atMs));
  const due = world.line.dueAt(host.sanlock.renewTimer);
  return seen.stamp !== owner.sanlock.stamp && due <= atMs ? due : seen.changedMs;
}

function renewalBefore(world: World, host: SimHost, atMs: number): number {
  const due = world.line.dueAt(host.sanlock.renewTimer);
  const every = renewalMs(world, host);
  return due - every * Math.max(1, Math.ceil((due - atMs) / every));
}

/** Another's last renewal that a look of this host at that time sees; of two in one millisecond the lower id's comes first. */
function seenRenewal(world: World, host: SimHost, other: SimHost, lookMs: number): number {
  return renewalBefore(world, other, other.id < host.id ? lookMs : lookMs - 1);
}

/** The last of a host's looks, up to that one, at which the other's renewals had moved: clocks that drift miss each other at times. */
function lastMoveMs(world: World, host: SimHost, other: SimHost, lookMs: number): number {
  const every = renewalMs(world, host);
  for (let at = lookMs; ; at -= every)
    if (seenRenewal(world, host, other, at) !== seenRenewal(world, host, other, at - every)) return at;
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
    if (report === undefined || isAway(host)) continue;
    const nowMs = bootMsAt(host, atMs) - period(host) / 2;
    const movedMs = nowMs - observation.nowMs;
    const then = observation.host && { ...observation.host, networkAtMs: observation.host.networkAtMs + movedMs };
    const cannotRun = report.said?.cannotRun ?? '';
    reports.set(host.id, aged(report, { ...observation, nowMs, host: then }, decision, cannotRun));
  }
  for (const host of world.hosts) {
    const report = reports.get(host.id);
    const writes = host.kind === 'reference' && host.on && host.main.worker !== undefined && !isAway(host);
    if (writes && report !== undefined)
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
    board: isAway(host) ? before : before && { ...before, readMs: nowMs - READING_MS, peers },
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

/** The beats leapt over are turns that were taken, and in each of them who lives was heard. `toMs`: the last of them, by this host's clock. */
export function leaptOver(world: World, memory: Memory, toMs: number): Memory {
  const leaptMs = toMs - memory.lookedMs;
  if (leaptMs <= 0) return memory;
  const next = draftOf(memory);
  next.lookedMs = toMs;
  next.peers = new Map(
    [...memory.peers].map(([id, peer]) => {
      const host = world.host(id);
      const writes = host?.on === true && host.main.worker !== undefined && !isAway(host);
      return [id, writes ? { ...peer, changedMs: peer.changedMs + leaptMs } : peer];
    }),
  );
  return next;
}

/** Whether every worker would still decide what it decided last. */
function sameAt(world: World, resting: readonly Resting[], atMs: number, decide: Decide): boolean {
  const { line } = world;
  const nowMs = line.now;
  line.now = atMs;
  const board = boardAt(world, resting, atMs);
  const same = resting.every((one) => {
    const { decision } = one;
    const then = observationAt(world, one, atMs, board);
    const memory = leaptOver(world, decision.memory, then.nowMs - then.settings.timing.beatMs);
    return decidesTheSame(decision, decide(memory, then));
  });
  line.now = nowMs;
  return same;
}

/** The last moment at which nothing has happened, by what the world and the reference's agents know of themselves. */
function limitOf(world: World, untilMs: number): number {
  let limit = untilMs - 1;
  for (const host of world.hosts) {
    if (!host.on) continue;
    const { vm, sanlock } = host;
    if (isAway(host) && sanlock.joined) limit = Math.min(limit, world.line.dueAt(sanlock.deadlineTimer) - 1);
    if (vm !== undefined)
      for (const at of [vm.healthyFromMs, vm.sickUntilMs]) if (at > world.now) limit = Math.min(limit, at - 1);
    const { worker } = host.main;
    if (worker === undefined || host.kind !== 'reference') continue;
    const rests = worker.rest.untilMs();
    limit = rests === undefined ? world.now : Math.min(limit, rests, untilMs - 2 * worker.rest.periodMs);
  }
  return limit;
}

/** Everything that goes on by itself is where it would be; the story goes on at `toMs`. */
function land(world: World, toMs: number): void {
  const { line } = world;
  landSanlock(world, toMs);
  for (const host of world.hosts) {
    const { main } = host;
    if (!host.on || main.worker === undefined) continue;
    for (const timer of [main.readTimer, main.writeTimer]) {
      const due = line.dueAt(timer);
      if (due < toMs) line.arm(timer, due + AGAIN_MS * Math.ceil((toMs - due) / AGAIN_MS));
    }
    const step = period(host);
    const wakes = line.dueAt(main.wakeTimer);
    const beats = Math.max(0, Math.ceil((toMs - wakes) / step));
    if (beats === 0) continue;
    world.leapt += beats;
    line.arm(main.wakeTimer, wakes + beats * step);
    const lastMs = line.dueAt(main.wakeTimer) - step + READING_MS;
    const block = main.worker.rest.skip(beats * main.worker.rest.periodMs, lastMs);
    if (block === undefined || isAway(host)) continue;
    main.written = block;
    world.slots.set(host.id, block);
  }
  line.now = toMs;
}

function landSanlock(world: World, toMs: number): void {
  const { line } = world;
  const renewals = new Map<SimHost, { readonly firstMs: number; readonly count: number }>();
  for (const host of world.hosts) {
    const { sanlock } = host;
    const firstMs = line.dueAt(sanlock.renewTimer);
    if (!host.on || firstMs === Number.POSITIVE_INFINITY) continue;
    const every = renewalMs(world, host);
    const count = Math.max(0, Math.ceil((toMs - firstMs) / every));
    line.arm(sanlock.renewTimer, firstMs + every * count);
    if (!isLive(host) || count === 0) continue;
    renewals.set(host, { firstMs, count });
    sanlock.renewedMs = line.dueAt(sanlock.renewTimer) - every;
    sanlock.stamp = Math.max(1, sanlock.renewedMs);
    line.arm(sanlock.deadlineTimer, sanlock.renewedMs + 8 * io(world));
  }
  for (const [host, { firstMs, count }] of renewals) {
    for (const other of world.hosts) {
      const seen = host.sanlock.seen.get(other.id);
      if (seen === undefined) continue;
      if (isLive(other)) {
        seen.changedMs = lastMoveMs(world, host, other, host.sanlock.renewedMs);
        seen.movedLastLook = seen.changedMs === host.sanlock.renewedMs;
        seen.stamp = seenRenewal(world, host, other, host.sanlock.renewedMs);
      } else {
        const moved = seen.stamp !== other.sanlock.stamp;
        if (moved) seen.changedMs = firstMs;
        seen.movedLastLook = moved && count === 1;
        seen.stamp = other.sanlock.stamp;
      }
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
    let same = limitOf(world, untilMs);
    const landingMs = LANDING_BEATS * beat;
    if (!(same - nowMs >= landingMs + SHORTEST_BEATS * beat) || same === Number.POSITIVE_INFINITY) return;
    const resting = allResting(world);
    if (resting === undefined) return;
    if (!sameAt(world, resting, same, options.decide)) {
      let other = same;
      same = nowMs;
      while (other - same > beat) {
        const middle = (same + other) / 2;
        if (sameAt(world, resting, middle, options.decide)) same = middle;
        else other = middle;
      }
    }
    // The last beats before anything happens, or is decided otherwise, are run.
    const toMs = Math.floor(same - landingMs);
    if (toMs - nowMs < SHORTEST_BEATS * beat) return;
    if (options.prove === true)
      for (let at = nowMs + beat; at < toMs; at += beat)
        if (!sameAt(world, resting, at, options.decide))
          world.watcher?.violated('leap', `a beat at ${at} would have decided otherwise`);
    land(world, toMs);
    line.leapFromMs = toMs + beat;
  };
}
