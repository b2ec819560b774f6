/** The forecast against the simulation, which knows what-if's simplifications nothing of. */
import { describe, expect, it } from 'vitest';
import { createCluster } from '../../../../test/simulation/cluster.ts';
import { createRandom } from '../../../../test/simulation/random.ts';
import { commands } from '../../../../test/simulation/scenario-commands.ts';
import { decide } from '../../core/decide.ts';
import type { Snapshot } from '../../snapshot.ts';
import { whatIf } from './what-if.ts';

function running(seed: number, profile: 'default' | 'lab') {
  const kinds = ['bellwether', 'bellwether', 'bellwether'] as const;
  const cluster = createCluster({ random: createRandom(seed), profile, kinds, leaps: 'none' }, decide);
  const { world, machines } = cluster;
  for (const host of world.hosts) world.line.after(host.id === 1 ? 0 : 100_000, () => machines.powerOn(host, true));
  world.line.run(600_000, () => true);
  expect(world.executing().map((host) => host.id)).toEqual([1]);
  return cluster;
}

function snapshotOf(cluster: ReturnType<typeof running>, id: number): Snapshot {
  const round = cluster.world.host(id)?.main.worker?.agent?.last();
  if (round === undefined) throw new Error('no round');
  return {
    version: '1.0.0',
    hostname: `host${id}`,
    pid: 1,
    nowMs: round.observation.nowMs,
    startedMs: round.decision.memory.startedMs,
    round,
    recent: [],
    storage: round.observation.storage,
    definition: { source: '', notes: [] },
    journalFile: '',
  };
}

describe('the forecast is what then happens', () => {
  it.each([
    ['host1 lost', 'power-off 1', 2],
    ['engine vm dies', 'vm kill', 1],
    ['network of host1 cut', 'network 1 lost', 2],
    ['network of all cut', 'network all lost', 1],
    ['host1 into maintenance', 'maintenance 1 on', 2],
    ['storage hangs on host1', 'storage 1 hang', 2],
    ['storage hangs', 'storage all hang', 0],
    ['host2 lost', 'power-off 2', 1],
    // One spare: no race.
    ['host1 lost and host3 lost', 'power-off 1, power-off 3', 2],
  ] as const)('%s', (event, line, endsOn) => {
    for (const [seed, profile, from] of [
      [3, 'default', 1],
      [4, 'default', 3],
      [5, 'lab', 2],
    ] as const) {
      const cluster = running(seed, profile);
      const { world, invariants } = cluster;
      const forecast = whatIf(snapshotOf(cluster, from), event);
      const zeroMs = world.now;
      for (const each of line.split(', ')) {
        const [word = '', ...words] = each.split(' ');
        commands[word]?.(cluster, words);
      }
      world.line.run(zeroMs + 600_000, () => true);
      const given = invariants.orders.filter((order) => order.atMs >= zeroMs);
      const expected = forecast.steps.filter((step) => step.kind === 'order');
      const [first] = given;
      const about = `seed ${seed}: ${given.map((order) => `${order.kind} on ${order.host} at ${(order.atMs - zeroMs) / 1000}`).join()}`;
      // Who of several notices a dead host's silence first is a race of some seconds, and the forecast says so.
      const able = [forecast.engineEnds.hostId ?? 0, ...forecast.orElse.map(({ hostId }) => hostId)];
      const raced = able.length > 1;
      expect(
        expected.map((step) => [raced ? 0 : step.hostId, step.rule]),
        about,
      ).toEqual(given.map((order) => [raced ? 0 : order.host, order.rule]));
      // Renewals are 2 I/O time-outs apart, probes and beats some seconds: nobody can know it closer.
      const slackSeconds = 2 * world.timing.profile.ioSeconds + 6;
      if (first !== undefined)
        expect(Math.abs((first.atMs - zeroMs) / 1000 - (expected[0]?.atSeconds ?? 0)), about).toBeLessThan(
          slackSeconds,
        );
      expect(able, about).toContain(world.executing()[0]?.id ?? 0);
      expect(raced, about).toBe(forecast.plusMinusSeconds > 0 && !event.includes('and'));
      expect(forecast.engineEnds.hostId ?? 0).toBe(endsOn);
    }
  });
});
