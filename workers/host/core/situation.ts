/** What the rules look at: memory and observation boiled down to named facts. Everything here is derived, nothing is kept. */
import { byTurn, candidateOf, isAlive, whyNot, type Candidate } from './peers.ts';
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

function ownHindrance(o: Observation, s: Pick<Situation, 'vm' | 'host' | 'lease' | 'hosting' | 'boardFresh'>): string {
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

/** The VM is somebody else's: it runs there, or that host has said it is about to. */
function others(alive: readonly PeerMemory[]) {
  let elsewhere: PeerMemory | undefined;
  let claimant: PeerMemory | undefined;
  for (const peer of alive) {
    if (peer.report.vm === 'up') elsewhere ??= peer;
    else if (AT_IT.has(peer.report.said?.claim ?? '')) claimant ??= peer;
  }
  return { elsewhere, claimant };
}

export function look(m: Memory, o: Observation): Situation {
  const t = o.settings.timing;
  const now = o.nowMs;
  const young = <T extends { readonly atMs: number }>(fact: T | undefined) =>
    fact !== undefined && now - fact.atMs <= t.freshMs ? fact : undefined;
  const vm = young(o.vm);
  const host = young(o.host);
  const lease = young(o.lease);
  const boardFresh = o.board !== undefined && now - o.board.readMs <= t.freshMs;
  const hosting = isHere(m.vmState);
  const alive: PeerMemory[] = [];
  for (const peer of m.peers.values()) if (isAlive(peer, now, t)) alive.push(peer);
  const cannotRun = ownHindrance(o, { vm, host, lease, hosting, boardFresh });
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
  return {
    now,
    me: o.settings.hostId,
    t,
    o,
    m,
    vm,
    host,
    lease,
    boardFresh,
    hosting,
    alive,
    ...others(alive),
    cannotRun,
    networkLost: host !== undefined && isCutOff(host),
    disagreeing: disagreeing(m, o),
    candidates: candidates.sort(byTurn),
  };
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

/** Which named conditions hold now; a condition keeps the moment it began. */
export function windowsOf(s: Situation): Memory['windows'] {
  const { m, now, host } = s;
  const next: Partial<Record<WindowName, number>> = {};
  const hold = (name: WindowName, holds: boolean, fromMs = now) => {
    if (holds) next[name] = m.windows[name] ?? fromMs;
  };
  const engine = s.o.health !== undefined && now - s.o.health.atMs <= 4 * s.t.freshMs ? s.o.health.engine : 'unknown';
  hold('network-lost', s.networkLost, host?.networkAtMs ?? now);
  hold('engine-bad', s.hosting && engine === 'bad' && !s.networkLost && m.vmState === 'up');
  hold('storage-ok', s.boardFresh && s.o.storage?.ok === true);
  hold('leave', s.hosting && (s.o.localMaintenance || host?.shuttingDown === true));
  // A score of the turn before that VDSM's silence set to 0 is no comparison.
  const comparable = s.hosting && s.host !== undefined && s.vm !== undefined && m.state !== 'UnknownLocalVmState';
  hold('better-host', comparable && bestGap(s) >= s.t.threshold);
  hold('given', m.windows.given !== undefined && now - m.windows.given < s.t.givenMs);
  const open =
    !s.hosting &&
    !m.global &&
    s.elsewhere === undefined &&
    s.claimant === undefined &&
    !listening(s) &&
    !ownerRenews(s);
  hold('start-open', open && s.boardFresh && next.given === undefined);
  return next;
}
