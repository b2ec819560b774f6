/** The other hosts: who is alive, who could run the engine VM, and in which order hosts try (peers-ha.md 2.4, 6.2). */
import type { Memory, Observation, PeerMemory, PeerReport } from './types.ts';
import type { Timing } from './timing.ts';

/**
 * A timestamp went back. By a little: an old block is read again (a stale read, a restored volume), and what is newer is known.
 * By more: the host booted anew. For a host that was gone neither that block nor the next is a sign of life: it has to go on.
 */
function wentBack(before: PeerMemory, report: PeerReport, nowMs: number, timing: Timing): PeerMemory {
  if ((before.ts - report.ts) * 1000 <= timing.referenceDeadMs) return before;
  const changes = isAlive(before, nowMs, timing) ? before.changes : -1;
  return { ts: report.ts, changedMs: before.changedMs, changes, report };
}

/** Clocks of two hosts drift apart, and a reading comes a beat late. */
const DRIFT = 0.02;

/**
 * A host that was gone is heard again. Its timestamp rises with time as this host's clock does: one that rose by much less is
 * an old decision written late (a worker that stood still), one that rose by much more an old block put back. Neither says
 * that the host lives, or what it sees now: it has to go on.
 */
function isLateNews(before: PeerMemory, report: PeerReport, nowMs: number, timing: Timing): boolean {
  if (before.changes <= 0 || isAlive(before, nowMs, timing)) return false;
  const silentMs = nowMs - before.changedMs;
  const roseMs = (report.ts - before.ts) * 1000;
  return Math.abs(silentMs - roseMs) > deadAfterMs(report, timing) + DRIFT * silentMs;
}

/** Of its writings, one each 10 s, the reference may miss this much before what it says counts as said anew. */
const REFERENCE_GAP_MS = 30_000;

/** How often it was heard without a gap: a host that slept says at first what it saw before. */
function changesAfter(before: PeerMemory, report: PeerReport, nowMs: number): number {
  const gap = report.said === undefined && before.changes > 0 && nowMs - before.changedMs > REFERENCE_GAP_MS;
  return gap ? 1 : before.changes + 1;
}

/** Takes a reading in: a peer's life is that its timestamp rises, by this host's clock. */
export function hearPeers(memory: Memory, observation: Observation): ReadonlyMap<number, PeerMemory> {
  const { board, settings } = observation;
  if (board === undefined) return memory.peers;
  const heard = new Map<number, PeerMemory>();
  for (const report of board.peers) {
    if (report.id === settings.hostId) continue;
    const before = memory.peers.get(report.id);
    if (before === undefined) heard.set(report.id, { ts: report.ts, changedMs: board.readMs, changes: 0, report });
    else if (before.report === report) heard.set(report.id, before);
    else if (report.ts < before.ts) heard.set(report.id, wentBack(before, report, board.readMs, settings.timing));
    else {
      const moved = before.ts !== report.ts;
      const late = moved && isLateNews(before, report, board.readMs, settings.timing);
      heard.set(report.id, {
        ts: report.ts,
        changedMs: moved ? board.readMs : before.changedMs,
        changes: late ? 0 : moved ? changesAfter(before, report, board.readMs) : before.changes,
        report,
      });
    }
  }
  // A slot that cannot be read for the moment is no proof that its host is gone: its silence is counted from the last change.
  for (const { id } of board.unreadable) {
    const before = memory.peers.get(id);
    if (before !== undefined) heard.set(id, before);
  }
  return heard;
}

/** Milliseconds of silence after which a peer counts as gone. */
export function deadAfterMs(report: PeerReport, timing: Timing): number {
  if (report.said === undefined) return timing.referenceDeadMs;
  return Math.min(timing.referenceDeadMs, timing.peerDeadBeats * Math.max(timing.beatMs, report.said.intervalMs));
}

export function isAlive(peer: PeerMemory, nowMs: number, timing: Timing): boolean {
  return peer.changes > 0 && !peer.report.stopped && nowMs - peer.changedMs <= deadAfterMs(peer.report, timing);
}

export interface Candidate {
  readonly id: number;
  readonly score: number;
  readonly priority: number;
  readonly exhausted: boolean;
}

export function candidateOf(report: PeerReport, timing: Timing): Candidate {
  return {
    id: report.id,
    score: report.score,
    priority: report.said?.priority ?? 0,
    exhausted: (report.said?.failures ?? 0) >= timing.failuresHere,
  };
}

/** Negative when `a` goes first. The same on every host that has read the same board. */
export function byTurn(a: Candidate, b: Candidate): number {
  if (a.exhausted !== b.exhausted) return a.exhausted ? 1 : -1;
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.score === b.score ? a.id - b.id : b.score - a.score;
}

/** Own and announced moves of the last hour: the budget is the cluster's, as a move hands it to another host. */
export function movesLastHour(memory: Memory, nowMs: number): number {
  const hourMs = 3_600_000;
  let count = memory.moves.filter((at) => nowMs - at < hourMs).length;
  for (const peer of memory.peers.values()) {
    const sinceSaidMs = nowMs - peer.changedMs;
    for (const age of peer.report.said?.moves ?? []) if (age * 1000 + sinceSaidMs < hourMs) count += 1;
  }
  return count;
}
