/** Where the engine could go from here, and how (peers-ha.md 2.4, F2 and F3). */
import { whyNot } from '../../../activities/storage/score-words.ts';
import { byTurn, candidateOf, movesLastHour } from './peers.ts';
import { NETWORK_QUORUM, type Situation } from './situation.ts';
import { WEIGHTS } from './score.ts';
import type { Match } from './rule.ts';
import type { PeerMemory } from './types.ts';

/** A move to a host that just failed is not tried again for this long. */
const FAILED_MOVE_MS = 600_000;

/** The reference writes its block this often (ha-agent.md 2.4). */
const REFERENCE_BEAT_MS = 10_000;

/** A peer whose network was seen to work after this host's was lost: only then is it this host that is cut off. */
function seesNetwork(s: Situation, peer: PeerMemory, lostMs: number): boolean {
  const { said } = peer.report;
  // A change over a gap in this host's own readings says that the peer wrote at some time, not that it lives.
  const watchedMs = s.m.windows['storage-ok'];
  if (watchedMs === undefined || peer.changedMs <= watchedMs) return false;
  if (said === undefined) {
    // The reference says no more than its score, up to a minute late, after a sleep as it was before: this much it can only
    // have with its network and bridge.
    const without = Math.min(WEIGHTS.network / 2, WEIGHTS.bridge);
    const steady = peer.changes > s.t.confirmReferenceMs / REFERENCE_BEAT_MS;
    return steady && peer.changedMs - lostMs >= s.t.confirmReferenceMs && peer.report.score > WEIGHTS.base - without;
  }
  return said.network >= NETWORK_QUORUM && peer.changedMs - said.networkAgeMs > lostMs + s.t.freshMs;
}

/** The best living host that could run the VM, has the network after `lostMs` (if given) and did not just refuse it. */
export function targetOf(s: Situation, lostMs: number | undefined): PeerMemory | undefined {
  const able = s.alive.filter(
    (peer) => whyNot(peer.report) === '' && (lostMs === undefined || seesNetwork(s, peer, lostMs)),
  );
  const recent = s.m.failedMoves.filter((move) => s.now - move.atMs < FAILED_MOVE_MS);
  return able
    .map((peer) => ({ peer, failed: recent.filter((move) => move.to === peer.report.id).length }))
    .sort((a, b) => a.failed - b.failed || byTurn(candidateOf(a.peer.report, s.t), candidateOf(b.peer.report, s.t)))[0]
    ?.peer;
}

export function migrationMayWork(s: Situation): boolean {
  return (
    s.o.settings.canMigrate &&
    s.m.vmState === 'up' &&
    !s.m.failedMoves.some((move) => s.now - move.atMs < FAILED_MOVE_MS)
  );
}

export function budgetLeft(s: Situation): number {
  return s.t.movesPerHour - movesLastHour(s.m, s.now);
}

/** Migrate if that can be, else shut down here so that `target` starts it. */
export function leaveTo(
  s: Situation,
  target: PeerMemory,
  inputs: Match['inputs'],
  counts: Match['counts'] | undefined,
): Match {
  const to = target.report.id;
  const counted = counts === undefined ? {} : { counts };
  if (migrationMayWork(s)) {
    return { state: 'EngineMigrating', inputs: { ...inputs, to }, action: { kind: 'migrate', to }, ...counted };
  }
  return {
    state: 'EngineStop',
    inputs: { ...inputs, to, migration: false },
    action: { kind: 'shutdown' },
    stopping: { sinceMs: s.now, why: 'move', to },
    ...counted,
  };
}
