import { describe, expect, it } from 'vitest';
import { decide } from '../core/decide.ts';
import { emptyMemory } from '../core/remember.ts';
import { calm, timing } from '../journal/testing.ts';
import { tellsAlert, tellsTransition } from './tellers.ts';
import type { Announcement, AlertKind, Observation, PeerReport } from '../core/types.ts';
import type { Round } from './message.ts';

interface Seat {
  readonly cannotRun?: string;
  readonly io?: number;
  readonly maintenance?: boolean;
  readonly dead?: boolean;
  readonly reference?: boolean;
}

const [template] = calm(0).board?.peers ?? [];

function report(id: number, ts: number, seat: Seat): PeerReport {
  if (template?.said === undefined) throw new Error('no template');
  const said: Announcement = { ...template.said, cannotRun: seat.cannotRun ?? '', ioSeconds: seat.io ?? 10 };
  return {
    ...template,
    id,
    ts: seat.dead === true ? 1 : ts,
    maintenance: seat.maintenance ?? false,
    said: seat.reference === true ? undefined : said,
  };
}

/** What host `me` sees of the others after a minute beside them. */
function seenBy(me: number, seats: readonly Seat[]): Round {
  const own = seats[me - 1] ?? {};
  let memory = emptyMemory(0);
  let round: Round | undefined;
  for (let beat = 0; beat < 30; beat += 1) {
    const nowMs = beat * timing.beatMs;
    const base = calm(nowMs);
    const peers = seats.map((seat, at) => report(at + 1, nowMs, seat)).filter((peer) => peer.id !== me);
    const observation: Observation = {
      ...base,
      settings: { ...base.settings, hostId: me },
      board: { readMs: nowMs, global: false, peers, unreadable: [] },
      localMaintenance: own.maintenance ?? false,
      lease: base.lease && { ...base.lease, ioSeconds: own.io ?? 10 },
      ...(own.cannotRun === 'VDSM does not answer' ? { vm: undefined } : {}),
      ...(own.cannotRun === 'not enough memory' ? { host: base.host && { ...base.host, memFreeMb: 1 } } : {}),
    };
    const decision = decide(memory, observation);
    round = { observation, decision };
    memory = decision.memory;
  }
  if (round === undefined) throw new Error('no round');
  return round;
}

/** Hosts that raise the alert, and those of them that tell of it. */
function who(kind: AlertKind, seats: readonly Seat[]) {
  const raised: number[] = [];
  const tell: number[] = [];
  for (const [at, seat] of seats.entries()) {
    if (seat.dead === true || seat.reference === true) continue;
    const round = seenBy(at + 1, seats);
    if (!round.decision.memory.alerted.includes(kind)) continue;
    raised.push(at + 1);
    if (tellsAlert(kind, round)) tell.push(at + 1);
  }
  return { raised, tell };
}

const poor = { cannotRun: 'not enough memory' };

describe('of what all hosts see, exactly one tells', () => {
  it.each([
    ['all alike', [poor, poor, poor], [1, 2, 3], [1]],
    ['the lowest is dead', [{ ...poor, dead: true }, poor, poor], [2, 3], [2]],
    [
      'the lowest is in maintenance and silent',
      [{ maintenance: true, cannotRun: 'in local maintenance' }, poor, poor],
      [2, 3],
      [2],
    ],
    ['the lowest has no VDSM and is silent', [{ cannotRun: 'VDSM does not answer' }, poor, poor], [2, 3], [2]],
  ])('when nobody can run the engine VM: %s', (_, seats, raised, tell) => {
    expect(who('nobody-can-run', seats)).toEqual({ raised, tell });
  });

  it.each([
    ['the lowest differs', [{ io: 5 }, {}, {}], [1, 2, 3], [1]],
    ['another differs', [{}, { io: 5 }, {}], [1, 2, 3], [1]],
    ['the lowest runs the reference and says nothing', [{ reference: true }, { io: 5 }, {}], [2, 3], [2]],
    ['the lowest is dead', [{ dead: true }, { io: 5 }, {}], [2, 3], [2]],
    ['the one that differs is in maintenance: it alone sees it', [{}, {}, { io: 5, maintenance: true }], [3], [3]],
  ])('when time-outs differ: %s', (_, seats, raised, tell) => {
    expect(who('timeouts-differ', seats)).toEqual({ raised, tell });
  });
});

describe('of what happens on one host', () => {
  it('that host tells', () => {
    expect(tellsAlert('engine-unhealthy', seenBy(3, [{}, {}, {}]))).toBe(true);
    expect(tellsTransition('EngineDown', 'EngineStart', seenBy(3, [{}, {}, {}]))).toBe(true);
  });

  it('but of global maintenance only the lowest living host, and of differing time-outs the alert', () => {
    expect(tellsTransition('EngineDown', 'GlobalMaintenance', seenBy(1, [{}, {}]))).toBe(true);
    expect(tellsTransition('EngineUp', 'GlobalMaintenance', seenBy(2, [{}, {}]))).toBe(false);
    expect(tellsTransition('GlobalMaintenance', 'EngineUp', seenBy(2, [{ dead: true }, {}]))).toBe(true);
    expect(tellsTransition('EngineDown', 'Refusing', seenBy(1, [{}, {}]))).toBe(false);
  });
});
