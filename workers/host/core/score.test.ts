import { describe, expect, it } from 'vitest';
import { scoreOf, type ScoreInputs } from './score.ts';
import type { HostFact } from './types.ts';

const host: HostFact = {
  atMs: 0,
  network: 1,
  networkAtMs: 0,
  bridgeUp: true,
  cpuLoad: 0,
  memFreeMb: 20_000,
  confUpToDate: true,
  shuttingDown: false,
};

function score(change: Partial<HostFact>, rest: Partial<ScoreInputs> = {}) {
  return scoreOf({
    host: { ...host, ...change },
    vmMemoryMb: 16_384,
    failures: 0,
    state: 'EngineDown',
    global: false,
    outOfPlay: undefined,
    ...rest,
  });
}

describe('score (ha-agent.md 3 and 15)', () => {
  it.each([
    ['nothing to complain of', {}, 3400],
    ['one of five probes lost: a truncated binary float, 319 not 320', { network: 0.8 }, 3081],
    ['all probes lost', { network: 0 }, 1800],
    ['bridge down', { bridgeUp: false }, 2800],
    ['bridge unknown counts as up', { bridgeUp: undefined }, 3400],
    ['load of 0.4 is free', { cpuLoad: 0.4 }, 3400],
    ['load of 0.9 costs all', { cpuLoad: 0.9 }, 2400],
    ['load above that costs no more', { cpuLoad: 1.7 }, 2400],
    ['memory short', { memFreeMb: 16_383 }, 3000],
    ['memory just enough', { memFreeMb: 16_384 }, 3400],
    ['memory unknown is none', { memFreeMb: undefined }, 3000],
    ['configuration of before 3.6', { confUpToDate: false }, 2400],
    [
      'everything at once stays at 0 or more',
      { network: 0, bridgeUp: false, cpuLoad: 1, memFreeMb: 0, confUpToDate: false },
      0,
    ],
  ])('%s', (_, change, value) => {
    expect(score(change).value).toBe(value);
  });

  it('charges failures, and is 0 from the fourth on', () => {
    expect([0, 1, 3, 4].map((failures) => score({}, { failures }).value)).toEqual([3400, 3350, 3250, 0]);
  });

  it('does not charge memory where the VM runs or under global maintenance', () => {
    expect(score({ memFreeMb: 0 }, { state: 'EngineUp' }).value).toBe(3400);
    expect(score({ memFreeMb: 0 }, { global: true }).value).toBe(3400);
  });

  it('names each penalty and the reason of a 0', () => {
    expect(score({ bridgeUp: false, network: 0 }).penalties.map((penalty) => penalty.name)).toEqual([
      'network',
      'mgmt-bridge',
    ]);
    expect(score({}, { outOfPlay: 'local maintenance' })).toMatchObject({ value: 0, zeroBecause: 'local maintenance' });
  });
});
