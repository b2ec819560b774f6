import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHostBlock } from '../../activities/storage/whiteboard.ts';
import { parseAnnouncement } from '../../activities/storage/announcement.ts';
import { readSlot, slotOf } from './announce.ts';
import { decide } from './core/decide.ts';
import { emptyMemory } from './core/remember.ts';
import { PROFILES, timingOf } from './core/timing.ts';
import type { Observation } from './core/types.ts';

const observation: Observation = {
  nowMs: 5_021_400,
  settings: { hostId: 2, timing: timingOf(PROFILES.fast), vmMemoryMb: 16_384, priority: 7, canMigrate: true },
  board: { readMs: 5_021_300, global: false, peers: [], unreadable: [] },
  vm: { atMs: 5_021_400, state: 'absent', detail: 'Down' },
  health: undefined,
  host: {
    atMs: 5_021_400,
    network: 0.8,
    networkAtMs: 5_020_000,
    bridgeUp: true,
    cpuLoad: 0,
    memFreeMb: 65_536,
    confUpToDate: true,
    shuttingDown: false,
  },
  lease: {
    atMs: 5_021_400,
    connected: true,
    joined: true,
    owner: undefined,
    ownerSilentMs: undefined,
    ioSeconds: 5,
    watchdogSeconds: 30,
  },
  storage: { atMs: 5_021_400, ok: true },
  localMaintenance: false,
  done: [],
};

const facts = {
  hostname: 'node-b.example.test',
  wallMs: 1_700_000_000_000,
  stopped: false,
  confMs: 5_020_000,
  cannotRun: '',
};

function slot(stopped = false, seen = observation) {
  const formatted = slotOf(seen, decide(emptyMemory(0), seen), { ...facts, stopped });
  if (!formatted.ok) throw new Error(formatted.why);
  return formatted.bytes;
}

describe('a slot of ours', () => {
  it('is one that the reference can read', () => {
    const reading = parseHostBlock(slot());
    expect(reading).toMatchObject({
      kind: 'host',
      block: {
        hostId: 2,
        hostTs: 5021,
        score: 3081,
        hostname: 'node-b.example.test',
        stopped: false,
        engineStatus: { vm: 'down', health: 'bad' },
      },
    });
  });

  it('says nothing of another host whose slot it lies in: a write that went astray', () => {
    expect(readSlot(3, slot())).toEqual({ kind: 'unreadable', why: 'the block of host 2' });
  });

  it('says more to our own kind', () => {
    expect(readSlot(2, slot())).toMatchObject({
      kind: 'host',
      report: {
        said: {
          intervalMs: 1500,
          network: 0.8,
          networkAgeMs: 1400,
          ioSeconds: 5,
          watchdogSeconds: 30,
          priority: 7,
          claim: '',
          cannotRun: '',
        },
      },
    });
  });

  it('says it still when the network was looked at last two days ago', () => {
    const seen: Observation = { ...observation, nowMs: observation.nowMs + 2 * 86_400_000 };
    expect(readSlot(2, slot(false, seen))).toMatchObject({
      kind: 'host',
      report: { said: { networkAgeMs: 86_400_000 } },
    });
  });

  it('of a worker that stopped has score 0', () => {
    expect(readSlot(2, slot(true))).toMatchObject({ kind: 'host', report: { score: 0, stopped: true } });
  });

  it('without our lines, or with nonsense in them, is the reference’s kind', () => {
    expect(parseAnnouncement('state=EngineUp\n')).toBeUndefined();
    expect(parseAnnouncement('bellwether=1\ninterval-ms=soon\nnetwork=1\n')).toBeUndefined();
    expect(parseAnnouncement('bellwether=2\ninterval-ms=3000\n')).toBeUndefined();
  });

  it('never makes a reader throw, whatever lies there', () => {
    const own = slot();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4095), fc.nat(255)), { maxLength: 40 }), (changes) => {
        const bytes = Buffer.from(own);
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
        expect(['empty', 'host', 'unreadable']).toContain(readSlot(2, bytes).kind);
      }),
      { numRuns: 500 },
    );
  });
});
