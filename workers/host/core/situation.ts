/** What the rules look at: memory and observation boiled down to named facts. Everything here is derived, nothing is kept. */
import { whyNot } from '../../../activities/storage/score-words.ts';
import { byTurn, candidateOf, isAlive, type Candidate } from './peers.ts';
import { isHere } from './remember.ts';
import type { HostFact, LeaseFact, Memory, Observation, PeerMemory, VmFact, WindowName } from './types.ts';
import type { Timing } from './timing.ts';

export interface Situation {
  readonly now: number;
  readonly me: number;
  readonly t: Timing;
  readonly o: Observation;
  readonly m: Memory;
  /** Facts young enough to act on. */
  readonly vm: VmFact | undefined;
  readonly host: HostFact | undefined;
  readonly lease: LeaseFact | undefined;
  readonly boardFresh: boolean;
  readonly hosting: boolean;
  readonly alive: readonly PeerMemory[];
  /** A living peer that has the VM, or has said that it is about to. */
  readonly elsewhere: PeerMemory | undefined;
  readonly claimant: PeerMemory | undefined;
  /** Why this host could not start the VM now; empty when it could. */
  readonly cannotRun: string;
  readonly networkLost: boolean;
  readonly disagreeing: PeerMemory | undefined;
  /** This host among them when it can; first turn first. */
  readonly candidates: readonly Candidate[];
}

/** Below half of its targets, or without its bridge, a host counts as cut off. */
export const NETWORK_QUORUM = 0.5;

export function isCutOff(host: HostFact): boolean {
  return host.network < NETWORK_QUORUM || host.bridgeUp === false;
}

function ownHindrance(o: Observation, s: Own): string {
  if (o.localMaintenance) return 'in local maintenance';
  if (s.host === undefined) return 'own state unknown';
  if (s.host.shuttingDown) return 'shutting down';
  if (s.vm === undefined) return 'VDSM does not answer';
  if (!s.boardFresh || o.storage?.ok !== true) return 'storage does not answer';
  if (s.lease === undefined || !s.lease.connected) return 'sanlock does not answer';
  if (!s.lease.joined) return 'not in the lockspace';
  if (!s.hosting && (s.host.memFreeMb ?? 0) < o.settings.vmMemoryMb) return 'not enough memory';
  return '';
}

/** A host whose lease timing differs voids sanlock's promise for all (`sanlock.8`); also one that is silent now. */
function disagreeing(m: Memory, o: Observation): PeerMemory | undefined {
  const { ioSeconds, watchdogSeconds } = o.lease ?? o.settings.timing.profile;
  for (const peer of m.peers.values()) {
    const { said } = peer.report;
    if (said === undefined || peer.report.maintenance) continue;
    if (said.ioSeconds !== ioSeconds || said.watchdogSeconds !== watchdogSeconds) return peer;
  }
  return undefined;
}

const AT_IT = new Set(['start', 'restart', 'moving']);

type Own = Pick<Situation, 'vm' | 'host' | 'lease' | 'hosting' | 'boardFresh'>;

/** Facts of this host that are young enough to act on. */
function ownFacts(m: Memory, o: Observation): Own {
  const { freshMs } = o.settings.timing;
  const now = o.nowMs;
  const { vm, host, lease, board } = o;
  return {
    vm: vm !== undefined && now - vm.atMs <= freshMs ? vm : undefined,
    host: host !== undefined && now - host.atMs <= freshMs ? host : undefined,
    lease: lease !== undefined && now - lease.atMs <= freshMs ? lease : undefined,
    hosting: isHere(m.vmState),
    boardFresh: board !== undefined && now - board.readMs <= freshMs,
  };
}

/** Why this host could not start the VM now; empty when it could. What it tells the others. */
export function hindranceOf(m: Memory, o: Observation): string {
  return ownHindrance(o, ownFacts(m, o));
}

function candidatesOf(m: Memory, o: Observation, alive: readonly PeerMemory[], cannotRun: string): Candidate[] {
  const t = o.settings.timing;
  const candidates: Candidate[] = [];
  for (const peer of alive) if (whyNot(peer.report) === '') candidates.push(candidateOf(peer.report, t));
  if (cannotRun === '') {
    candidates.push({
      id: o.settings.hostId,
      score: m.score,
      priority: o.settings.priority,
      exhausted: m.failures.length >= t.failuresHere,
    });
  }
  return candidates.sort(byTurn);
}

/** A class for the sake of `candidates`: most turns need no order of turns, and a getter of each object's own is dear. */
class Looked implements Situation {
  readonly now: number;
  readonly me: number;
  readonly t: Timing;
  readonly o: Observation;
  m: Memory;
  readonly vm: VmFact | undefined;
  readonly host: HostFact | undefined;
  readonly lease: LeaseFact | undefined;
  readonly boardFresh: boolean;
  readonly hosting: boolean;
  readonly alive: readonly PeerMemory[];
  readonly elsewhere: PeerMemory | undefined;
  readonly claimant: PeerMemory | undefined;
  readonly cannotRun: string;
  readonly networkLost: boolean;
  readonly disagreeing: PeerMemory | undefined;
  private inTurn: readonly Candidate[] | undefined;

  constructor(m: Memory, o: Observation) {
    this.now = o.nowMs;
    this.me = o.settings.hostId;
    this.t = o.settings.timing;
    this.o = o;
    this.m = m;
    const own = ownFacts(m, o);
    this.vm = own.vm;
    this.host = own.host;
    this.lease = own.lease;
    this.boardFresh = own.boardFresh;
    this.hosting = own.hosting;
    const alive: PeerMemory[] = [];
    // The VM is somebody else's: it runs there, or that host has said it is about to.
    let elsewhere: PeerMemory | undefined;
    let claimant: PeerMemory | undefined;
    for (const peer of m.peers.values()) {
      if (!isAlive(peer, o.nowMs, this.t)) continue;
      alive.push(peer);
      if (peer.report.vm === 'up') elsewhere ??= peer;
      else if (AT_IT.has(peer.report.said?.claim ?? '')) claimant ??= peer;
    }
    this.alive = alive;
    this.elsewhere = elsewhere;
    this.claimant = claimant;
    this.cannotRun = ownHindrance(o, own);
    this.networkLost = own.host !== undefined && isCutOff(own.host);
    this.disagreeing = disagreeing(m, o);
    this.inTurn = undefined;
  }

  get candidates(): readonly Candidate[] {
    this.inTurn ??= candidatesOf(this.m, this.o, this.alive, this.cannotRun);
    return this.inTurn;
  }
}

/** `m` stays writable: the windows are looked at with the rest, and then part of it. */
export function look(m: Memory, o: Observation): Situation & { m: Memory } {
  return new Looked(m, o);
}

function bestGap(s: Situation): number {
  let best = 0;
  const cpu = 1000;
  for (const peer of s.alive) {
    if (whyNot(peer.report) !== '') continue;
    // CPU load is taken out: it alone never moves a running engine.
    best = Math.max(best, peer.report.score - s.m.score);
  }
  return s.host !== undefined && s.host.cpuLoad > 0.4
    ? best - Math.min(cpu, Math.trunc((s.host.cpuLoad - 0.4) * 2000))
    : best;
}

/** Owner's renewals, if the lease names another host, move or moved a moment ago. */
export function ownerRenews(s: Situation): boolean {
  const { lease } = s;
  if (lease === undefined || lease.owner === undefined || lease.owner === s.me) return false;
  return (lease.ownerSilentMs ?? 0) < s.t.ownerSilentMs;
}

function listenMs(s: Situation): number {
  for (const peer of s.m.peers.values()) {
    if (peer.report.said === undefined && !peer.report.stopped) return s.t.listenReferenceMs;
  }
  return s.t.listenMs;
}

export function listening(s: Situation): boolean {
  return s.m.boardSinceMs === undefined || s.now - s.m.boardSinceMs < listenMs(s);
}

const isElsewhere = (lease: LeaseFact | undefined, me: number) => lease?.owner !== undefined && lease.owner !== me;

/** Turns come each beat, one later where a reading hangs. After a longer gap this worker stood still, or its host slept. */
function watched(s: Situation): boolean {
  return s.now - s.m.lookedMs <= s.t.freshMs + s.t.beatMs;
}

/** Which named conditions hold now. A condition keeps the moment it began, but over a gap in this worker's own turns. */
export function windowsOf(s: Situation): Memory['windows'] {
  const { m, now, host } = s;
  const before = m.windows;
  const known = watched(s);
  const since = (name: WindowName, holds: boolean, fromMs = now) => {
    if (!holds) return undefined;
    return known ? (before[name] ?? fromMs) : now;
  };
  const engine = s.o.health !== undefined && now - s.o.health.atMs <= 4 * s.t.freshMs ? s.o.health.engine : 'unknown';
  // A score of the turn before that VDSM's silence set to 0 is no comparison.
  const comparable = s.hosting && s.host !== undefined && s.vm !== undefined && m.state !== 'UnknownLocalVmState';
  // No condition, a term that was set: it runs on.
  const given = before.given !== undefined && now - before.given < s.t.givenMs ? before.given : undefined;
  const open =
    !s.hosting &&
    !m.global &&
    s.elsewhere === undefined &&
    s.claimant === undefined &&
    !listening(s) &&
    !ownerRenews(s);
  const found: readonly (readonly [WindowName, number | undefined])[] = [
    ['network-lost', since('network-lost', s.networkLost, host?.networkAtMs ?? now)],
    ['engine-bad', since('engine-bad', s.hosting && engine === 'bad' && !s.networkLost && m.vmState === 'up')],
    ['storage-ok', since('storage-ok', s.boardFresh && s.o.storage?.ok === true)],
    ['leave', since('leave', s.hosting && (s.o.localMaintenance || host?.shuttingDown === true))],
    ['lease-elsewhere', since('lease-elsewhere', m.vmState === 'up' && isElsewhere(s.lease, s.me))],
    ['better-host', since('better-host', comparable && bestGap(s) >= s.t.threshold)],
    ['given', given],
    ['start-open', since('start-open', open && s.boardFresh && given === undefined)],
  ];
  if (found.every(([name, at]) => before[name] === at)) return before;
  const next: Partial<Record<WindowName, number>> = {};
  for (const [name, at] of found) if (at !== undefined) next[name] = at;
  return next;
}
