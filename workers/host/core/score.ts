/** The score, by the reference's formula and weights (ha-agent.md 3), so that both kinds of agent agree. */
import { WEIGHTS, type Weights } from '../../../activities/storage/score-words.ts';
import type { HostFact, Penalty, Score, StateName } from './types.ts';

export { WEIGHTS };

export interface ScoreInputs {
  readonly host: HostFact | undefined;
  readonly vmMemoryMb: number;
  readonly failures: number;
  readonly state: StateName;
  readonly global: boolean;
  /** Why this host takes part with nothing; undefined when it does take part. */
  readonly outOfPlay: string | undefined;
}

const MEMORY_NOT_CHARGED: ReadonlySet<StateName> = new Set(['EngineUp', 'EngineUpBadHealth', 'GlobalMaintenance']);

/** Charged for the load itself: linear between the two marks, a step when they are equal. */
function cpuPoints(load: number, w: Weights): number {
  if (w.cpuLoadMax <= w.cpuLoadMin) return load >= w.cpuLoadMax ? w.cpuLoad : 0;
  const share = (load - w.cpuLoadMin) / (w.cpuLoadMax - w.cpuLoadMin);
  return Math.trunc(Math.min(1, Math.max(0, share)) * w.cpuLoad);
}

/** Points by name; truncated binary floats as in Python, so `(1 - 0.8) * 1600` is 319 (ha-agent.md 15). */
export function penalties(inputs: ScoreInputs, w: Weights = WEIGHTS): readonly Penalty[] {
  const found: Penalty[] = [];
  // The words are made only for what is charged: this runs in every turn.
  const charge = (name: string, points: number, why: () => string) => {
    if (points > 0) found.push({ name, points, why: why() });
  };
  const { host } = inputs;
  if (host === undefined) return found;
  if (!host.confUpToDate) charge('not-uptodate-config', w.confNotUpToDate, () => 'hosted-engine.conf is of before 3.6');
  charge(
    'network',
    Math.trunc((1 - host.network) * w.network),
    () => `${Math.round(host.network * 100)} % of probes answered`,
  );
  if (host.bridgeUp === false) charge('mgmt-bridge', w.bridge, () => 'the management bridge is down');
  charge('cpu-load', cpuPoints(host.cpuLoad, w), () => `load ${host.cpuLoad.toFixed(2)} over 15 minutes`);
  if (!MEMORY_NOT_CHARGED.has(inputs.state) && !inputs.global && (host.memFreeMb ?? 0) < inputs.vmMemoryMb) {
    charge('free-memory', w.memory, () => `${host.memFreeMb ?? 'unknown'} MiB free, ${inputs.vmMemoryMb} needed`);
  }
  charge('engine-retry', inputs.failures * w.failure, () => `${inputs.failures} failures here`);
  return found;
}

/** 0 to base, with the names of what was taken off. */
export function scoreOf(inputs: ScoreInputs, w: Weights = WEIGHTS): Score {
  const taken = penalties(inputs, w);
  const zeroBecause =
    inputs.outOfPlay ?? (inputs.failures > w.failuresMax ? `${inputs.failures} failures here` : undefined);
  const sum = taken.reduce((rest, penalty) => rest - penalty.points, w.base);
  return { value: zeroBecause === undefined ? Math.max(0, sum) : 0, penalties: taken, zeroBecause };
}
