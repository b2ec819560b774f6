/** What takes points off another host's score, as far as it follows from what it announces. Pure. */
import { WEIGHTS } from '../core/score.ts';
import type { Penalty, PeerReport } from '../core/types.ts';
import { whyNot } from '../core/peers.ts';

/**
 * A block says a score, not how it came about. Failures and network are announced by our kind; what is missing beyond them
 * is named as such, never guessed.
 */
export function guessPenalties(report: PeerReport): {
  readonly penalties: readonly Penalty[];
  readonly zeroBecause: string | null;
} {
  const { said } = report;
  if (report.score <= 0) return { penalties: [], zeroBecause: zeroBecause(report) };
  const found: Penalty[] = [];
  let missing = WEIGHTS.base - report.score;
  const charge = (name: string, points: number, why: string) => {
    if (points <= 0 || points > missing) return;
    found.push({ name, points, why });
    missing -= points;
  };
  if (said !== undefined) {
    charge('engine-retry', said.failures * WEIGHTS.failure, `${said.failures} failures there`);
    const network = Math.trunc((1 - said.network) * WEIGHTS.network);
    // A host without its bridge announces no network, and is charged for the bridge alone.
    if (said.network === 0 && network > missing) charge('mgmt-bridge', WEIGHTS.bridge, 'the management bridge is down');
    else charge('network', network, `${Math.round(said.network * 100)} % of probes answered`);
  }
  const rest = said === undefined ? 'the reference’s agent does not announce why' : 'CPU load, memory or configuration';
  charge('not announced', missing, rest);
  return { penalties: found, zeroBecause: null };
}

function zeroBecause(report: PeerReport): string {
  if (report.stopped) return 'its worker was stopped';
  const why = whyNot(report);
  if (report.said !== undefined && report.said.cannotRun !== '') return report.said.cannotRun;
  return why === 'score 0' ? 'not announced' : why;
}
