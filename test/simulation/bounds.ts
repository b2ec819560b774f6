/**
 * Times to recovery (issue's table of bounds) over many repeats, in virtual time, with the shipping worker: one trouble on a
 * healthy cluster, nothing else. A repeat that never got there counts as infinite.
 */
import { decide } from '../../workers/host/core/decide.ts';
import type { PROFILES, Timing } from '../../workers/host/core/timing.ts';
import { createCluster, type Cluster } from './cluster.ts';
import { createRandom } from './random.ts';
import { endVm } from './world/vm.ts';

export type ProfileName = keyof typeof PROFILES;

export interface Bound {
  readonly event: string;
  readonly hosts: number;
  /** Seconds. */
  readonly bound: (timing: Timing) => number;
  readonly strike: (cluster: Cluster) => void;
  /** Milliseconds that it took, `sinceMs` being the moment of the strike. */
  readonly took: (cluster: Cluster, sinceMs: number) => number;
}

export interface Measured {
  readonly event: string;
  readonly boundSeconds: number;
  /** Sorted. */
  readonly seconds: readonly number[];
  readonly violations: readonly string[];
}

const NEVER = Number.POSITIVE_INFINITY;

const killVm = ({ world, machines }: Cluster) => {
  for (const host of world.executing()) endVm(world, host, 'crashed', machines.notify);
};

const ordered =
  (kind: string) =>
  ({ invariants }: Cluster, sinceMs: number) =>
    (invariants.orders.find((order) => order.kind === kind && order.atMs >= sinceMs)?.atMs ?? NEVER) - sinceMs;

/** From the end of the VM until it runs again; 0 when it never ended. */
const outage = ({ world, invariants }: Cluster, sinceMs: number) => {
  if (world.executing().length !== 1) return NEVER;
  return invariants.outages.filter(({ at }) => at >= sinceMs).reduce((sum, { ms }) => sum + ms, 0);
};

const sealed = (cluster: Cluster) => {
  cluster.world.migrationNetworkUp = false;
};

const loseNetwork = ({ world, machines }: Cluster) => {
  for (const host of world.executing()) machines.setLoss(host, 1);
};

/** Sampling of the network every 2 s, with its answers: up to 5 s until a host can know of its loss. */
const NOTICED_SECONDS = 5;

export const BOUNDS: readonly Bound[] = [
  { event: 'engine VM dies: start ordered', hosts: 3, bound: () => 3, strike: killVm, took: ordered('start') },
  {
    event: 'engine VM dies on the only host: start ordered',
    hosts: 1,
    bound: () => 3,
    strike: killVm,
    took: ordered('start'),
  },
  {
    event: 'host dies: VM runs elsewhere (T_safe + 2 s)',
    hosts: 3,
    bound: ({ profile }) => 10 * profile.ioSeconds + profile.watchdogSeconds + 1 + 2,
    strike: ({ world, machines }) => {
      for (const host of world.executing()) machines.powerOff(host);
    },
    took: outage,
  },
  {
    event: 'clean shutdown, no migration: VM ended until it runs',
    hosts: 3,
    bound: () => 10,
    strike: (cluster) => {
      sealed(cluster);
      cluster.world.guestObeys = true;
      for (const host of cluster.world.executing()) {
        if (host.vm !== undefined) host.vm.obeys = true;
        cluster.machines.shutDown(host, 600_000);
      }
    },
    took: outage,
  },
  {
    event: 'local maintenance: outage, migration order',
    hosts: 3,
    bound: () => 0,
    strike: ({ world }) => {
      for (const host of world.executing()) host.localMaintenance = true;
    },
    took: outage,
  },
  {
    event: 'network of its host lost: migration ordered',
    hosts: 3,
    bound: ({ confirmMs, beatMs }) => NOTICED_SECONDS + (confirmMs + beatMs) / 1000 + 1,
    strike: loseNetwork,
    took: ordered('migrate'),
  },
  {
    event: 'network of its host lost, no migration: outage',
    hosts: 3,
    bound: () => 45,
    strike: (cluster) => {
      sealed(cluster);
      loseNetwork(cluster);
    },
    took: outage,
  },
  {
    event: 'every host loses the network: orders (none is meant)',
    hosts: 3,
    bound: () => 0,
    strike: ({ world, machines }) => {
      for (const host of world.hosts) machines.setLoss(host, 1);
    },
    took: ({ invariants }, sinceMs) => 1000 * invariants.orders.filter((order) => order.atMs >= sinceMs).length,
  },
  {
    event: 'cold start: start ordered, first host joined',
    hosts: 4,
    bound: () => 45,
    strike: ({ world, machines }) => {
      for (const host of world.hosts) machines.powerOff(host);
      for (const host of world.hosts)
        world.line.after(world.random.between(0, 30_000), () => machines.powerOn(host, true));
    },
    took: (cluster, sinceMs) =>
      sinceMs + ordered('start')(cluster, sinceMs) - (cluster.invariants.firstJoinMs(sinceMs) ?? NEVER),
  },
  {
    event: 'global maintenance set: honoured by every host',
    hosts: 4,
    bound: ({ beatMs }) => (2 * beatMs) / 1000 + 1,
    strike: ({ world }) => world.random.pick(world.hosts)?.main.worker?.setGlobal(true),
    took: ({ world, invariants }, sinceMs) =>
      Math.max(
        ...world.hosts.map(({ id }) => {
          const state = invariants.states.get(id);
          return state?.state === 'GlobalMaintenance' ? state.atMs - sinceMs : NEVER;
        }),
      ),
  },
];

function once(bound: Bound, profile: ProfileName, repeat: number): { seconds: number; violations: readonly string[] } {
  const random = createRandom(900 + repeat);
  const kinds = Array.from({ length: bound.hosts }, () => 'bellwether' as const);
  const cluster = createCluster({ random, profile, kinds, leaps: 'made' }, decide);
  const { world, machines, invariants } = cluster;
  for (const host of world.hosts) world.line.after(random.between(0, 5000), () => machines.powerOn(host, true));
  world.line.run(420_000 + random.between(0, 30_000), () => invariants.check());
  const sinceMs = world.now;
  bound.strike(cluster);
  invariants.check();
  world.line.run(sinceMs + 400_000, () => invariants.check());
  const seconds = bound.took(cluster, sinceMs) / 1000;
  return { seconds, violations: invariants.violations.map(({ id, text }) => `${id}: ${text}`) };
}

/** One row of the table. */
export function measure(bound: Bound, profile: ProfileName, repeats: number): Measured {
  const all = Array.from({ length: repeats }, (_, repeat) => once(bound, profile, repeat));
  return {
    event: bound.event,
    boundSeconds: bound.bound(timingIn(profile)),
    seconds: all.map(({ seconds }) => seconds).toSorted((a, b) => a - b),
    violations: all.flatMap(({ violations }) => violations),
  };
}

function timingIn(profile: ProfileName): Timing {
  return createCluster({ random: createRandom(1), profile, kinds: [], leaps: 'none' }, decide).world.timing;
}

/** The value below which that share of a sorted list lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The whole table as text. */
export function boundsTable(profile: ProfileName, repeats: number): { readonly text: string; readonly kept: boolean } {
  const rows = BOUNDS.map((bound) => measure(bound, profile, repeats));
  const figure = (value: number) => value.toFixed(2).padStart(8);
  const lines = rows.map(({ event, boundSeconds, seconds }) => {
    const p99 = percentile(seconds, 0.99);
    const figures = [percentile(seconds, 0.5), p99, seconds.at(-1) ?? Number.NaN, boundSeconds].map(figure).join('');
    return `  ${event.padEnd(56)}${figures}  ${p99 <= boundSeconds ? '' : 'MISSED'}`.trimEnd();
  });
  const head = `  ${`seconds, profile ${profile}, ${repeats} repeats each`.padEnd(56)}${['p50', 'p99', 'max', 'bound'].map((word) => word.padStart(8)).join('')}`;
  const kept = rows.every(
    ({ seconds, boundSeconds, violations }) => percentile(seconds, 0.99) <= boundSeconds && violations.length === 0,
  );
  return { text: ['bounds:', head, ...lines].join('\n'), kept };
}
