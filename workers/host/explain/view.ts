/** A snapshot as the screens look at it: the situation that was decided on, names, ages by the clock of now. Pure. */
import { look, type Situation } from '../core/situation.ts';
import { whyNot } from '../../../activities/storage/score-words.ts';
import { isAlive } from '../core/peers.ts';
import { isHere } from '../core/remember.ts';
import type { Timing } from '../core/timing.ts';
import type { Decision, Memory, Observation, PeerMemory, Reason } from '../core/types.ts';
import type { Snapshot } from '../snapshot.ts';
import { hostName, span } from './words.ts';

export interface View {
  readonly snapshot: Snapshot;
  /** The clock of now, not that of the round. */
  readonly now: number;
  readonly o: Observation;
  readonly decision: Decision;
  /** After the decision. */
  readonly m: Memory;
  readonly t: Timing;
  /** As it was at the round. */
  readonly s: Situation;
  readonly reason: Reason;
  readonly rule: string;
  readonly hosting: boolean;
}

/** undefined before the first round. */
export function viewOf(snapshot: Snapshot): View | undefined {
  const { round } = snapshot;
  if (round === undefined) return undefined;
  const { observation: o, decision } = round;
  const m = decision.memory;
  const reason = decision.reasons[0] ?? { rule: m.rule, inputs: {}, sinceMs: m.sinceMs };
  return {
    snapshot,
    now: Math.max(snapshot.nowMs, o.nowMs),
    o,
    decision,
    m,
    t: o.settings.timing,
    s: look(m, o),
    reason,
    rule: reason.rule,
    hosting: isHere(m.vmState),
  };
}

export function nameOf(v: View, id: number): string {
  if (id === v.o.settings.hostId) return hostName(id, v.snapshot.hostname);
  return hostName(id, v.m.peers.get(id)?.report.hostname ?? '');
}

/** Known hosts but this one, by id. */
export function peersOf(v: View): readonly PeerMemory[] {
  return [...v.m.peers.values()].sort((a, b) => a.report.id - b.report.id);
}

/** The loop has stood still: what the screens say is of then. */
export function isStuck(v: View): boolean {
  return v.now - v.o.nowMs > Math.max(10_000, 3 * v.t.beatMs);
}

/** How long the board was not read, when that is too long to decide on it; else 0. */
export function boardAgeMs(v: View): number {
  return v.s.boardFresh || v.o.board === undefined ? 0 : v.now - v.o.board.readMs;
}

/** The moment for which the life of others can be told: not later than the last reading, or the last round. */
function heardMs(v: View): number {
  if (boardAgeMs(v) > 0) return v.o.board?.readMs ?? v.now;
  return isStuck(v) ? v.o.nowMs : v.now;
}

/** A peer's life by this host's clock: its slot changes. */
export function lives(v: View, peer: PeerMemory): boolean {
  return isAlive(peer, heardMs(v), v.t);
}

/** Why a host could not start the engine VM now; empty when it could. Silence and an ended worker count. */
export function peerHindrance(v: View, peer: PeerMemory): string {
  if (peer.report.stopped) return 'its worker was stopped';
  if (peer.changes === 0) return 'not yet seen to live (its notes have not changed since this worker began)';
  if (!lives(v, peer)) return `silent for ${span(heardMs(v) - peer.changedMs)}`;
  return whyNot(peer.report);
}
