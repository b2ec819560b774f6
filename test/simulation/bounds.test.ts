/** Times to recovery over many repeats (issue's table of bounds), in virtual time, with the shipping worker. */
import { describe, expect, it } from 'vitest';
import { decide } from '../../workers/host/core/decide.ts';
import { createCluster, type Cluster } from './cluster.ts';
import { createRandom } from './random.ts';
import { endVm } from './world/vm.ts';
import type { PROFILES } from '../../workers/host/core/timing.ts';

const REPEATS = 25;

/** Seconds from `strike` to what `reached` waits for, sorted; a repeat that never got there counts as infinite. */
function times(
  profile: keyof typeof PROFILES,
  hosts: number,
  strike: (cluster: Cluster) => void,
  reached: (cluster: Cluster, sinceMs: number) => boolean,
): readonly number[] {
  const found = Array.from({ length: REPEATS }, (_, repeat) => {
    const random = createRandom(900 + repeat);
    const kinds = Array.from({ length: hosts }, () => 'bellwether' as const);
    const cluster = createCluster({ random, profile, kinds, leaps: 'none' }, decide);
    const { world, machines, invariants } = cluster;
    for (const host of world.hosts) world.line.after(random.between(0, 5000), () => machines.powerOn(host, true));
    world.line.run(240_000 + random.between(0, 30_000), () => invariants.check());
    const since = world.now;
    strike(cluster);
    let at = Number.POSITIVE_INFINITY;
    world.line.run(since + 300_000, () => {
      if (!invariants.check()) return false;
      if (!reached(cluster, since)) return true;
      at = world.now;
      return false;
    });
    expect(invariants.violations).toEqual([]);
    return (at - since) / 1000;
  });
  return found.toSorted((a, b) => a - b);
}

const killVm = ({ world, machines }: Cluster) => {
  const host = world.executing()[0];
  if (host !== undefined) endVm(world, host, 'crashed', machines.notify);
};

const killHost = ({ world, machines }: Cluster) => {
  const host = world.executing()[0];
  if (host !== undefined) machines.powerOff(host);
};

const ordered = (kind: string) => (cluster: Cluster, since: number) =>
  cluster.invariants.orders.some((order) => order.kind === kind && order.atMs >= since);

const runs = ({ world }: Cluster) => world.executing().length === 1;

describe('times to recovery', { timeout: 60_000 }, () => {
  it.each([1, 3])('VM dies, %d hosts: start ordered within 3 s', (hosts) => {
    expect(times('default', hosts, killVm, ordered('start')).at(-1)).toBeLessThanOrEqual(3);
  });

  it.each([
    ['default', 10, 60],
    ['fast', 5, 30],
    ['lab', 2, 10],
  ] as const)(
    'host dies, profile %s: runs elsewhere within 10 io + watchdog + 1 s, and 2 s',
    (profile, io, watchdog) => {
      const all = times(profile, 3, killHost, runs);
      expect(all.at(-1)).toBeLessThanOrEqual(10 * io + watchdog + 1 + 2);
      // Sooner than this would be a lease that was given away too early.
      expect(all[0]).toBeGreaterThanOrEqual(6 * io + watchdog);
    },
  );

  it('network of the engine’s host lost: migration ordered within 15 s of noticing (5 s), and not before the confirmation', () => {
    const lose = ({ world, machines }: Cluster) => {
      const host = world.executing()[0];
      if (host !== undefined) machines.setLoss(host, 1);
    };
    const all = times('default', 3, lose, ordered('migrate'));
    expect(all.at(-1)).toBeLessThanOrEqual(25);
    expect(all[0]).toBeGreaterThanOrEqual(15);
  });

  it('all hosts start cold: start ordered within 45 s', () => {
    const all = times(
      'default',
      4,
      ({ world, machines }) => {
        for (const host of world.hosts) machines.powerOff(host);
        for (const host of world.hosts) machines.powerOn(host, true);
      },
      ordered('start'),
    );
    expect(all.at(-1)).toBeLessThanOrEqual(2 * 10 + 10 + 45);
  });
});
