/** What a slot's score says of its host, and whether the host could run the engine VM (ha-agent.md 3). Pure. */
import type { Announcement } from './announcement.ts';

export interface Weights {
  readonly base: number;
  readonly confNotUpToDate: number;
  readonly network: number;
  readonly bridge: number;
  readonly cpuLoad: number;
  readonly cpuLoadMin: number;
  readonly cpuLoadMax: number;
  readonly memory: number;
  readonly failure: number;
  readonly failuresMax: number;
}

export const WEIGHTS: Weights = {
  base: 3400,
  confNotUpToDate: 1000,
  network: 1600,
  bridge: 600,
  cpuLoad: 1000,
  cpuLoadMin: 0.4,
  cpuLoadMax: 0.9,
  memory: 400,
  failure: 50,
  failuresMax: 3,
};

/** Points taken off the score. */
export interface Penalty {
  readonly name: string;
  readonly points: number;
  readonly why: string;
}

/** As much of a slot as is judged here. */
export interface SlotWords {
  readonly score: number;
  readonly maintenance: boolean;
  readonly stopped: boolean;
  /** undefined: the reference’s agent wrote this block. */
  readonly said: Announcement | undefined;
}

/** Why a peer could not start the engine VM now; empty when it could. */
export function whyNot(report: SlotWords): string {
  if (report.maintenance) return 'in local maintenance';
  if (report.score <= 0) return 'score 0';
  if (report.said !== undefined && report.said.cannotRun !== '') return report.said.cannotRun;
  return '';
}

/**
 * A block says a score, not how it came about. Failures and network are announced by our kind; what is missing beyond them
 * is named as such, never guessed.
 */
export function guessPenalties(report: SlotWords): {
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

function zeroBecause(report: SlotWords): string {
  if (report.stopped) return 'its worker was stopped';
  const why = whyNot(report);
  if (report.said !== undefined && report.said.cannotRun !== '') return report.said.cannotRun;
  return why === 'score 0' ? 'not announced' : why;
}
