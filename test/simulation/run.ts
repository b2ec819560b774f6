/** One seed: a cluster, a swarm of faults, then peace in which it must recover. The same seed gives the same run. */
import { decide } from '../../workers/host/core/decide.ts';
import { createCluster, type Cluster, type Leaps, type Mutant } from './cluster.ts';
import { FAULTS } from './faults/all.ts';
import type { Fault } from './faults/fault.ts';
import type { Violation } from './invariants.ts';
import { createRandom, type Random } from './random.ts';
import { runsHealed, type Outcome } from './liveness.ts';
import type { SimHost, Totals } from './world/world.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly hosts: readonly [number, number];
  /** Hours of trouble. */
  readonly hours?: number;
  readonly story?: (text: string) => void;
  /** Is handed the virtual clock, for a story with times. */
  readonly clock?: (read: () => number) => void;
  readonly mutant?: Mutant;
  readonly leaps?: Leaps;
  /** All wall clocks go wild; nothing else may change (I10). */
  readonly wildWallClocks?: boolean;
  /** Numbers of the faults that shall strike (from 0, in order); all when left out. Shrinking uses it. */
  readonly only?: ReadonlySet<number>;
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
  /** What struck, in order, with its number. */
  readonly struck: readonly { readonly number: number; readonly atMs: number; readonly name: string }[];
  /** Sums up every order and end: equal for equal runs. */
  readonly trace: number;
  /** Beats passed over in leaps. */
  readonly leapt: number;
}

interface Plan {
  readonly profile: 'default' | 'fast' | 'lab';
  readonly kinds: readonly SimHost['kind'][];
  readonly faults: readonly Fault[];
  readonly meanMs: number;
  readonly hours: number;
}

function planOf(random: Random, options: SeedOptions): Plan {
  const count = random.integer(options.hosts[0], options.hosts[1]);
  const profile = random.pick(['default', 'default', 'fast', 'lab'] as const) ?? 'default';
  const mixed = random.chance(0.25);
  const kinds = Array.from({ length: count }, (_, index): SimHost['kind'] =>
    mixed && random.chance(0.5) && index > 0 ? 'reference' : 'bellwether',
  );
  const chosen = FAULTS.filter(() => random.chance(0.5));
  const faults = chosen.length === 0 ? FAULTS : chosen;
  const meanMs = random.pick([30_000, 120_000, 300_000, 600_000, 1_200_000]) ?? 300_000;
  return { profile, kinds, faults, meanMs, hours: options.hours ?? 6 };
}

export function describePlan(plan: Plan): string {
  const ours = plan.kinds.filter((kind) => kind === 'bellwether').length;
  return `${plan.kinds.length} hosts (${ours} ours), profile ${plan.profile}, ${plan.faults.length} kinds of fault, one each ${plan.meanMs / 1000} s, ${plan.hours} h`;
}

function scheduleFaults(
  cluster: Cluster,
  plan: Plan,
  options: SeedOptions,
  struck: SeedResult['struck'][number][],
): void {
  const { world, machines, invariants } = cluster;
  // A stream of its own: leaving a fault out must not move the others.
  const random = createRandom(options.seed ^ 0x5eed);
  let at = 300_000;
  for (let number = 0; at < plan.hours * 3_600_000; number += 1) {
    const fault = random.pick(plan.faults);
    at += Math.max(50, random.exponential(plan.meanMs));
    if (fault === undefined || at > plan.hours * 3_600_000 || options.only?.has(number) === false) continue;
    const atMs = at;
    world.line.at(atMs, () => {
      struck.push({ number, atMs, name: fault.name });
      world.totals.faults += 1;
      invariants.disturbed();
      world.faultsBy.set(fault.name, (world.faultsBy.get(fault.name) ?? 0) + 1);
      fault.strike(world, machines);
    });
  }
}

function traceOf(cluster: Cluster): number {
  let sum = 17;
  for (const order of cluster.invariants.orders) {
    sum = (Math.imul(sum, 31) + Math.round(order.atMs) + order.host * 7 + order.kind.length + order.rule.length) | 0;
  }
  for (const alert of cluster.invariants.alerts) sum = (Math.imul(sum, 31) + Math.round(alert.atMs) + alert.host) | 0;
  for (const outage of cluster.invariants.outages) sum = (Math.imul(sum, 31) + Math.round(outage.at)) | 0;
  return (Math.imul(sum, 31) + cluster.world.totals.failovers) | 0;
}

export function runSeed(options: SeedOptions): SeedResult {
  const random = createRandom(options.seed);
  const plan = planOf(random, options);
  const cluster = createCluster(
    {
      random,
      profile: plan.profile,
      kinds: plan.kinds,
      mutant: options.mutant,
      story: options.story,
      leaps: options.leaps ?? 'made',
    },
    decide,
  );
  const { world, machines, invariants } = cluster;
  options.clock?.(() => world.now);
  options.story?.(describePlan(plan));
  world.wildWallClocks = options.wildWallClocks ?? false;
  for (const host of world.hosts) world.line.after(random.between(0, 20_000), () => machines.powerOn(host));
  const struck: SeedResult['struck'][number][] = [];
  scheduleFaults(cluster, plan, options, struck);
  const each = () => invariants.check();
  const safe = world.line.run(plan.hours * 3_600_000, each);
  let outcome: Outcome | undefined;
  if (safe) {
    outcome = runsHealed(cluster);
  }
  return {
    seed: options.seed,
    plan: describePlan(plan),
    violations: invariants.violations,
    totals: world.totals,
    events: world.line.events,
    virtualMs: world.now,
    faultsBy: world.faultsBy,
    outcome,
    struck,
    trace: traceOf(cluster),
    leapt: world.leapt,
  };
}
