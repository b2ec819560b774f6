/** One seed: a cluster, a swarm of faults, then peace in which it must recover. The same seed gives the same run. */
import { decide } from '../../workers/host/core/decide.ts';
import type { PROFILES } from '../../workers/host/core/timing.ts';
import { createCluster, type Cluster, type Leaps, type Mutant } from './cluster.ts';
import { FAULTS } from './faults/all.ts';
import type { Violation } from './invariants.ts';
import { createRandom, type Random } from './random.ts';
import { runsHealed, type Outcome } from './liveness.ts';
import type { SimHost, Totals } from './world/world.ts';

const HOUR_MS = 3_600_000;

export interface SeedOptions {
  readonly seed: number;
  readonly hosts: readonly [number, number];
  /** Hours of trouble; without it, what goes with the seed's density of faults (`TEMPOS`). */
  readonly hours?: number | undefined;
  readonly leaps?: Leaps;
  readonly wildWallClocks?: boolean;
}

export interface RunOptions {
  readonly story?: ((text: string) => void) | undefined;
  /** Is handed the virtual clock, for a story with times. */
  readonly clock?: (read: () => number) => void;
  readonly mutant?: Mutant | undefined;
  readonly leaps?: Leaps;
  /** All wall clocks go wild; nothing else may change (I10). */
  readonly wildWallClocks?: boolean;
}

export interface Struck {
  /** Its place in the seed's list, which gives it random numbers of its own. */
  readonly number: number;
  readonly atMs: number;
  readonly name: string;
}

/** Everything that makes a run; a shrunk one is written down as a scenario (shrink.ts). */
export interface Script {
  readonly seed: number;
  /** Other random numbers for the world, the same for the faults. */
  readonly variation: number;
  readonly profile: keyof typeof PROFILES;
  readonly kinds: readonly SimHost['kind'][];
  readonly priorities: readonly number[];
  readonly faults: readonly Struck[];
  /** Of the trouble. */
  readonly endMs: number;
  /** Whether it is healed then, and must recover. */
  readonly heals: boolean;
  readonly about: string;
}

export interface SeedResult {
  readonly seed: number;
  readonly plan: string;
  readonly violations: readonly Violation[];
  readonly totals: Totals;
  readonly events: number;
  readonly virtualMs: number;
  readonly faultsBy: ReadonlyMap<string, number>;
  readonly outcome: Outcome | undefined;
  /** Sums up every order, alert and end of an outage, to the millisecond: equal for equal runs. */
  readonly trace: number;
  /** Beats passed over in leaps. */
  readonly leapt: number;
}

interface Tempo {
  readonly meanMs: number;
  readonly hours: number;
}

/**
 * From troubles on top of each other to troubles that each meet a settled cluster. The calmer, the longer: otherwise
 * nearly all of the work went into the few dense ones.
 */
const TEMPOS: readonly Tempo[] = [
  { meanMs: 30_000, hours: 5 },
  { meanMs: 120_000, hours: 4 },
  { meanMs: 300_000, hours: 6 },
  { meanMs: 1_200_000, hours: 24 },
  { meanMs: 3_600_000, hours: 144 },
];

function faultsOf(
  seed: number,
  random: Random,
  wanted: number | undefined,
): { faults: readonly Struck[]; endMs: number; about: string } {
  const chosen = FAULTS.filter(() => random.chance(0.5));
  const kinds = chosen.length === 0 ? FAULTS : chosen;
  const tempo = random.pick(TEMPOS);
  if (tempo === undefined) throw new Error('there is no tempo');
  const { meanMs } = tempo;
  const hours = wanted ?? tempo.hours;
  const endMs = hours * HOUR_MS;
  // A stream of its own: leaving a fault out must not move the others.
  const own = createRandom(seed ^ 0x5eed);
  const faults: Struck[] = [];
  let at = 300_000;
  for (let number = 0; at < endMs; number += 1) {
    const fault = own.pick(kinds);
    at += Math.max(50, own.exponential(meanMs));
    if (fault !== undefined && at <= endMs) faults.push({ number, atMs: Math.ceil(at), name: fault.name });
  }
  return { faults, endMs, about: `${kinds.length} kinds of fault, one each ${meanMs / 1000} s, ${hours} h` };
}

/** What a seed stands for. */
export function scriptOf(options: SeedOptions): Script {
  const { seed } = options;
  const random = createRandom(seed);
  const count = random.integer(options.hosts[0], options.hosts[1]);
  const profile = random.pick(['default', 'default', 'fast', 'lab'] as const) ?? 'default';
  const mixed = random.chance(0.25);
  const kinds = Array.from({ length: count }, (_, index): SimHost['kind'] =>
    mixed && random.chance(0.5) && index > 0 ? 'reference' : 'bellwether',
  );
  const preferred = random.chance(0.25);
  const priorities = kinds.map(() => (preferred ? random.integer(-2, 2) : 0));
  const { faults, endMs, about } = faultsOf(seed, random, options.hours);
  const ours = kinds.filter((kind) => kind === 'bellwether').length;
  const host = `${count} ${count === 1 ? 'host' : 'hosts'} (${ours} ours), profile ${profile}`;
  return {
    seed,
    variation: 0,
    profile,
    kinds,
    priorities,
    faults,
    endMs,
    heals: true,
    about: `${host}, ${about}`,
  };
}

export type Opening = Pick<Script, 'seed' | 'variation' | 'profile' | 'kinds' | 'priorities'>;

/** The cluster of a script, off; its hosts are switched on within 20 s. */
export function openCluster(script: Opening, options: RunOptions): Cluster {
  const random = createRandom(script.seed ^ 0xc1a5 ^ (script.variation << 20));
  const { profile, kinds } = script;
  const { mutant, story, leaps = 'made' } = options;
  const cluster = createCluster({ random, profile, kinds, mutant, story, leaps }, decide);
  const { world, machines } = cluster;
  world.wildWallClocks = options.wildWallClocks ?? false;
  for (const host of world.hosts) {
    host.priority = script.priorities[host.id - 1] ?? 0;
    world.line.after(random.between(0, 20_000), () => machines.powerOn(host));
  }
  return cluster;
}

/** A fault strikes, with random numbers of its own: they are the same whatever else strikes. */
export function strike(cluster: Cluster, seed: number, number: number, name: string): void {
  const fault = FAULTS.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`there is no fault of the name ${JSON.stringify(name)}`);
  const { world, machines, invariants } = cluster;
  world.totals.faults += 1;
  world.faultsBy.set(name, (world.faultsBy.get(name) ?? 0) + 1);
  invariants.disturbed();
  const { random } = world;
  world.random = createRandom(Math.imul(seed, 0x9e3779b1) ^ number);
  fault.strike(world, machines);
  world.random = random;
}

function traceOf({ invariants, world }: Cluster): number {
  let sum = 17;
  const add = (value: number) => {
    sum = (Math.imul(sum, 31) + Math.round(value)) | 0;
  };
  for (const order of invariants.orders) add(order.atMs + order.host * 7 + order.kind.length + order.rule.length * 3);
  for (const alert of invariants.alerts) add(alert.atMs + alert.host);
  for (const outage of invariants.outages) add(outage.at);
  add(world.totals.failovers);
  return sum;
}

export function runScript(script: Script, options: RunOptions): SeedResult {
  const cluster = openCluster(script, options);
  const { world, invariants } = cluster;
  options.clock?.(() => world.now);
  options.story?.(script.about);
  for (const { number, atMs, name } of script.faults)
    world.line.at(atMs, () => strike(cluster, script.seed, number, name));
  const safe = world.line.run(script.endMs, () => invariants.check());
  const outcome = safe && script.heals ? runsHealed(cluster) : undefined;
  return {
    seed: script.seed,
    plan: script.about,
    violations: invariants.violations,
    totals: world.totals,
    events: world.line.events,
    virtualMs: world.now,
    faultsBy: world.faultsBy,
    outcome,
    trace: traceOf(cluster),
    leapt: world.leapt,
  };
}

export function runSeed(options: SeedOptions & RunOptions): SeedResult {
  return runScript(scriptOf(options), options);
}
