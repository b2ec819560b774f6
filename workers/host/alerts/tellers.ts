/**
 * Which host tells. What happens on one host is told by that host; what all hosts see at once (nobody can run the engine VM,
 * time-outs differ, global maintenance) by the lowest id among the living hosts that see it too and have our worker.
 *
 * "Sees it too" is worked out from the board: a host that would stay silent must not be waited for.
 */
import { isAlive } from '../core/peers.ts';
import type { AlertKind, Announcement, LeaseFact, PeerReport } from '../core/types.ts';
import type { Round } from './message.ts';

/** With this hindrance (core/situation.ts) a host stops at an earlier rule, and raises no alert about starting. */
export const STOPS_EARLIER: ReadonlySet<string> = new Set(['VDSM does not answer', 'storage does not answer']);

interface Peer {
  readonly report: PeerReport;
  readonly said: Announcement;
}

function living({ observation, decision }: Round): readonly Peer[] {
  const found: Peer[] = [];
  for (const peer of decision.memory.peers.values()) {
    const { said } = peer.report;
    if (said === undefined || !isAlive(peer, observation.nowMs, observation.settings.timing)) continue;
    found.push({ report: peer.report, said });
  }
  return found;
}

type Times = Pick<LeaseFact, 'ioSeconds' | 'watchdogSeconds'>;
const differ = (a: Times, b: Times) => a.ioSeconds !== b.ioSeconds || a.watchdogSeconds !== b.watchdogSeconds;

/** Would that host see another whose time-outs differ from its own? (the same test as core/situation.ts, from its seat) */
function seesDifference(peer: Peer, { observation, decision }: Round): boolean {
  const own: Times = observation.lease ?? observation.settings.timing.profile;
  if (!observation.localMaintenance && differ(own, peer.said)) return true;
  for (const { report } of decision.memory.peers.values()) {
    if (report.id === peer.report.id || report.said === undefined || report.maintenance) continue;
    if (differ(report.said, peer.said)) return true;
  }
  return false;
}

const cannotStart = ({ report, said }: Peer) =>
  !report.maintenance && said.cannotRun !== '' && !STOPS_EARLIER.has(said.cannotRun);

function isLowest(round: Round, sees: (peer: Peer) => boolean): boolean {
  const me = round.observation.settings.hostId;
  return living(round).every((peer) => peer.report.id > me || !sees(peer));
}

/** Does this host tell of the alert? */
export function tellsAlert(kind: AlertKind, round: Round): boolean {
  if (kind === 'nobody-can-run') return isLowest(round, cannotStart);
  return kind === 'timeouts-differ' ? isLowest(round, (peer) => seesDifference(peer, round)) : true;
}

/** Does this host tell of the change of state? A state that has an alert of its own is told by that. */
export function tellsTransition(from: string, to: string, round: Round): boolean {
  if (to === 'Refusing') return false;
  return from === 'GlobalMaintenance' || to === 'GlobalMaintenance' ? isLowest(round, () => true) : true;
}
