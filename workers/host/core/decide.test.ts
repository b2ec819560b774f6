import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import { isAlive } from './peers.ts';
import { emptyMemory } from './remember.ts';
import { PROFILES, backOffMs, timingOf } from './timing.ts';
import type { Announcement, Memory, Observation, PeerReport, VmState } from './types.ts';

const timing = timingOf(PROFILES.default);
const settings = { hostId: 1, timing, vmMemoryMb: 16_384, priority: 0, canMigrate: true };

const said: Announcement = {
  intervalMs: 3000,
  network: 1,
  networkAgeMs: 0,
  ioSeconds: 10,
  watchdogSeconds: 60,
  claim: '',
  failures: 0,
  priority: 0,
  cannotRun: '',
  moves: [],
};

const peer = (change: Partial<PeerReport> = {}): PeerReport => ({
  id: 2,
  ts: 1,
  score: 3400,
  vm: 'down',
  health: 'bad',
  maintenance: false,
  stopped: false,
  hostname: 'host2',
  said,
  ...change,
});

function observation(nowMs: number, change: Partial<Observation> = {}, state: VmState = 'absent'): Observation {
  return {
    nowMs,
    settings,
    board: { readMs: nowMs, global: false, peers: [], unreadable: [] },
    vm: { atMs: nowMs, state, detail: state },
    health: { atMs: nowMs, engine: 'good', progress: 1 },
    host: {
      atMs: nowMs,
      network: 1,
      networkAtMs: nowMs,
      bridgeUp: true,
      cpuLoad: 0,
      memFreeMb: 65_536,
      confUpToDate: true,
      shuttingDown: false,
    },
    lease: {
      atMs: nowMs,
      connected: true,
      joined: true,
      owner: undefined,
      ownerSilentMs: undefined,
      ioSeconds: 10,
      watchdogSeconds: 60,
    },
    storage: { atMs: nowMs, ok: true },
    localMaintenance: false,
    done: [],
    ...change,
  };
}

/** Turns of one beat each; the last decision. */
function turns(count: number, at: (beat: number, nowMs: number) => Observation, memory: Memory = emptyMemory(0)) {
  let decision = decide(memory, at(0, 0));
  for (let beat = 1; beat < count; beat += 1) decision = decide(decision.memory, at(beat, beat * timing.beatMs));
  return decision;
}

describe('decide', () => {
  it('starts the VM on an only host once it has listened for four beats', () => {
    expect(turns(4, (_, now) => observation(now)).reasons[0]?.rule).toBe('listening');
    expect(turns(5, (_, now) => observation(now)).action?.action).toEqual({ kind: 'start' });
  });

  it.each([
    ['nothing was read from the board', { board: undefined }, 'board-unread'],
    ['VDSM never answered', { vm: undefined }, 'vm-unknown'],
    ['local maintenance', { localMaintenance: true }, 'in-local-maintenance'],
    [
      'the lockspace is not joined',
      {
        lease: {
          atMs: 1e6,
          connected: true,
          joined: false,
          owner: undefined,
          ownerSilentMs: undefined,
          ioSeconds: 10,
          watchdogSeconds: 60,
        },
      },
      'cannot-run-here',
    ],
    [
      'the owner renews',
      {
        lease: {
          atMs: 1e6,
          connected: true,
          joined: true,
          owner: 2,
          ownerSilentMs: 39_999,
          ioSeconds: 10,
          watchdogSeconds: 60,
        },
      },
      'owner-renews',
    ],
  ] as const)('orders nothing when %s', (_, change, rule) => {
    const decision = decide({ ...emptyMemory(0), boardSinceMs: 0 }, observation(1e6, change));
    expect(decision.action).toBeUndefined();
    expect(decision.reasons[0]?.rule).toBe(rule);
  });

  it('starts at the moment the owner was silent for 4 io, not before', () => {
    const lease = (ownerSilentMs: number) => ({
      atMs: 1e6,
      connected: true,
      joined: true,
      owner: 2,
      ownerSilentMs,
      ioSeconds: 10,
      watchdogSeconds: 60,
    });
    const memory = { ...emptyMemory(0), boardSinceMs: 0 };
    expect(decide(memory, observation(1e6, { lease: lease(39_999) })).action).toBeUndefined();
    expect(decide(memory, observation(1e6, { lease: lease(40_000) })).action?.action.kind).toBe('start');
  });

  it('keeps the last word on global maintenance while its block cannot be understood', () => {
    const global = (flag: boolean | undefined) => (_: number, now: number) =>
      observation(now, { board: { readMs: now, global: flag, peers: [], unreadable: [] } });
    const set = turns(10, global(true));
    const after = turns(10, (_, now) => global(undefined)(0, 100_000 + now), set.memory);
    expect(after.reasons[0]?.rule).toBe('global-maintenance');
  });

  it('gives no second order before the first is answered', () => {
    const first = turns(5, (_, now) => observation(now));
    expect(first.action).toBeDefined();
    const second = decide(first.memory, observation(13_000));
    expect(second.action).toBeUndefined();
    expect(second.reasons[0]?.rule).toBe('order-running');
  });

  it('leaves a living peer alone that says it starts the VM, and not one that fell silent', () => {
    const claiming = (ts: number, now: number) =>
      observation(now, {
        board: { readMs: now, global: false, peers: [peer({ ts, said: { ...said, claim: 'start' } })], unreadable: [] },
      });
    const living = turns(12, (beat, now) => claiming(beat, now));
    expect(living.reasons[0]?.rule).toBe('another-is-at-it');
    const silent = turns(12, (beat, now) => claiming(Math.min(beat, 3), now));
    expect(silent.memory.pending?.action).toEqual({ kind: 'start' });
    expect(living.memory.pending).toBeUndefined();
  });

  it('takes no old block for a sign of life: a host that is gone has to write twice', () => {
    const showing = (ts: number, now: number) =>
      observation(now, {
        board: { readMs: now, global: false, peers: [peer({ ts, vm: 'up' })], unreadable: [] },
      });
    const alive = (...stamps: readonly number[]) => {
      const { memory } = turns(stamps.length, (beat, now) => showing(stamps[beat] ?? 0, now));
      const known = memory.peers.get(2);
      return known !== undefined && isAlive(known, (stamps.length - 1) * timing.beatMs, timing);
    };
    const gone = [100, 101, 102, 103, 104, 104, 104, 104, 104, 104, 104];
    expect(alive(...gone)).toBe(false);
    // The block before the last, and the last again: a stale read.
    expect(alive(...gone, 103, 104)).toBe(false);
    expect(alive(...gone, 5, 8)).toBe(false);
    expect(alive(...gone, 5, 8, 11)).toBe(true);
    expect(alive(100, 101, 102, 101)).toBe(true);
    expect(alive(...gone.slice(0, 9), 103, 104, 103, 104)).toBe(false);
    // 18 s silent: a decision of back then, written now, and a block of another time put back; then it goes on.
    expect(alive(...gone, 105)).toBe(false);
    expect(alive(...gone, 900)).toBe(false);
    expect(alive(...gone, 105, 108)).toBe(true);
    // Its own clock went on with ours: it was only not heard.
    expect(alive(...gone, 125)).toBe(true);
  });

  it('counts no time in which it did not look: a condition begins anew after a gap', () => {
    const cutOff = (now: number) => {
      const whole = observation(now, {}, 'up');
      return { ...whole, host: whole.host && { ...whole.host, network: 0 } };
    };
    const { memory } = turns(4, (_, now) => cutOff(now));
    const since = (now: number) => decide(memory, cutOff(now)).memory.windows['network-lost'];
    // Three beats, as where a reading hangs; then one more.
    expect(since(6 * timing.beatMs)).toBe(0);
    expect(since(7 * timing.beatMs)).toBe(7 * timing.beatMs);
  });

  it('waits longer after each failure: none, 10 s, doubling to 300 s', () => {
    expect([0, 1, 2, 3, 4, 20].map(backOffMs)).toEqual([0, 0, 10_000, 20_000, 40_000, 300_000]);
  });

  it('is pure: the same input gives the same answer and stays as it was', () => {
    const states = fc.constantFrom<VmState>(
      'absent',
      'launching',
      'up',
      'paused',
      'stopping',
      'leaving',
      'arriving',
      'down',
    );
    const step = fc.record({
      state: states,
      network: fc.double({ min: 0, max: 1, noNaN: true }),
      bridgeUp: fc.boolean(),
      engine: fc.constantFrom('good', 'bad', 'unknown'),
      ok: fc.boolean(),
      global: fc.option(fc.boolean(), { nil: undefined }),
      maintenance: fc.boolean(),
      peerVm: fc.constantFrom('up', 'down', 'unknown'),
      gapMs: fc.nat(400_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let memory = emptyMemory(0);
        let now = 0;
        for (const [index, s] of steps.entries()) {
          now += s.gapMs;
          const base = observation(now, {}, s.state);
          const input: Observation = {
            ...base,
            host: base.host && { ...base.host, network: s.network, bridgeUp: s.bridgeUp },
            health: { atMs: now, engine: s.engine, progress: index },
            storage: { atMs: now, ok: s.ok },
            localMaintenance: s.maintenance,
            board: { readMs: now, global: s.global, peers: [peer({ ts: index, vm: s.peerVm })], unreadable: [] },
          };
          const before = structuredClone({ memory, input });
          const decision = decide(memory, input);
          expect(decide(memory, input)).toEqual(decision);
          expect({ memory, input }).toEqual(before);
          expect(decision.reasons.length).toBeGreaterThan(0);
          if (decision.memory.global) expect(decision.action).toBeUndefined();
          expect(decision.score.value).toBeGreaterThanOrEqual(0);
          memory = decision.memory;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a host that is better by 800 points', () => {
  /** 200 beats are the ten minutes of residence; the forty beats pass meanwhile. */
  const RESIDENCE_BEATS = 200;
  const here = (score: number, change: Partial<Observation> = {}, host: Partial<Observation['host'] & object> = {}) => {
    return (beat: number, now: number): Observation => {
      const seen = observation(now, change, 'up');
      const peers = [peer({ ts: beat + 1, score })];
      return {
        ...seen,
        ...(seen.host === undefined ? {} : { host: { ...seen.host, ...host } }),
        board: { readMs: now, global: false, peers, unreadable: [] },
      };
    };
  };
  // An old configuration takes 1000 points.
  const old = { confUpToDate: false };

  it('gets the VM by migration, after ten minutes here, and not before', () => {
    expect(turns(RESIDENCE_BEATS, here(3400, {}, old)).action).toBeUndefined();
    const decision = turns(RESIDENCE_BEATS + 1, here(3400, {}, old));
    expect(decision.reasons[0]?.rule).toBe('better-host');
    expect(decision.action?.action).toEqual({ kind: 'migrate', to: 2 });
  });

  it('is one by 800, not by 799', () => {
    const rule = (score: number) => turns(RESIDENCE_BEATS + 1, here(score, {}, old)).reasons[0]?.rule;
    expect([rule(3199), rule(3200)]).toEqual(['engine-up', 'better-host']);
  });

  it('is none for the load of this host', () => {
    expect(turns(RESIDENCE_BEATS + 1, here(3400, {}, { cpuLoad: 1 })).reasons[0]?.rule).toBe('engine-up');
  });

  it('gets nothing where migration is not possible: a healthy engine is never stopped for points', () => {
    const cannot = { settings: { ...settings, canMigrate: false } };
    expect(turns(RESIDENCE_BEATS + 1, here(3400, cannot, old)).reasons[0]?.rule).toBe('engine-up');
  });
});

it('waits for a guest that somebody else stops', () => {
  const decision = turns(40, (beat, now) => observation(now, {}, beat < 20 ? 'up' : 'stopping'));
  expect(decision.reasons[0]?.rule).toBe('guest-stops-by-itself');
  expect(decision.action).toBeUndefined();
});

describe('a VM without its lease', () => {
  const lease = (owner: number, connected = true) => ({
    atMs: 0,
    connected,
    joined: true,
    owner,
    ownerSilentMs: 0,
    ioSeconds: 10,
    watchdogSeconds: 60,
  });
  const here = (beats: number, owner: (beat: number) => number, state: VmState = 'up') =>
    turns(beats, (beat, now) => observation(now, { lease: { ...lease(owner(beat)), atMs: now } }, state));

  it('is destroyed when the lease names another host for two beats', () => {
    expect(here(10, (beat) => (beat < 8 ? 1 : 2)).action).toBeUndefined();
    const decision = here(11, (beat) => (beat < 8 ? 1 : 2));
    expect(decision.reasons[0]?.rule).toBe('lease-lost');
    expect(decision.action?.action).toEqual({ kind: 'destroy' });
  });

  it('is left alone while the lease is its own, or the VM is on its way in', () => {
    expect(here(20, () => 1).action).toBeUndefined();
    expect(here(20, () => 2, 'arriving').action).toBeUndefined();
  });
});
