/** For tests: any value of the core's words, and rounds as a worker really decides them. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { decide } from '../core/decide.ts';
import { emptyMemory } from '../core/remember.ts';
import { PROFILES, timingOf } from '../core/timing.ts';
import type { Announcement, Decision, Memory, Observation, PeerReport, Reason, VmAction } from '../core/types.ts';
import type { JournalEntry } from '../env.ts';
import type { Snapshot } from '../snapshot.ts';

export const timing = timingOf(PROFILES.default);

const num = fc.oneof(fc.integer(), fc.double());
/** As plain as parsed ones. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(model, { noNullPrototype: true });
const text = fc.string({ unit: 'binary' });
const flag = fc.boolean();
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 3 });

const vmState = fc.constantFrom(
  ...(['absent', 'launching', 'up', 'paused', 'stopping', 'leaving', 'arriving', 'down'] as const),
);
const alertKind = fc.constantFrom(...(['timeouts-differ', 'engine-unhealthy', 'nobody-can-run'] as const));

const action: fc.Arbitrary<VmAction> = fc.oneof(
  fc.constantFrom<VmAction>({ kind: 'start' }, { kind: 'shutdown' }, { kind: 'destroy' }),
  num.map((to): VmAction => ({ kind: 'migrate', to })),
);

const said: fc.Arbitrary<Announcement> = record({
  intervalMs: num,
  network: num,
  networkAgeMs: num,
  ioSeconds: num,
  watchdogSeconds: num,
  claim: text,
  failures: num,
  priority: num,
  cannotRun: text,
  moves: list(num),
});

const report: fc.Arbitrary<PeerReport> = record({
  id: num,
  ts: num,
  score: num,
  vm: text,
  health: text,
  maintenance: flag,
  stopped: flag,
  hostname: text,
  said: maybe(said),
});

const vm = fc.oneof(
  record({ atMs: num, state: vmState, detail: text }),
  record({
    atMs: num,
    state: vmState,
    exit: fc.constantFrom(...(['lock-held', 'migrated', 'failed', 'crashed', 'shutdown'] as const)),
    detail: text,
  }),
);

const storage = record({ atMs: num, ok: flag });

export const anyObservation: fc.Arbitrary<Observation> = record({
  nowMs: num,
  settings: record({
    hostId: num,
    timing: fc.constant(timing),
    vmMemoryMb: num,
    priority: num,
    canMigrate: flag,
  }),
  board: maybe(
    record({
      readMs: num,
      global: maybe(flag),
      peers: list(report),
      unreadable: list(record({ id: num, why: text })),
    }),
  ),
  vm: maybe(vm),
  health: maybe(
    record({ atMs: num, engine: fc.constantFrom(...(['good', 'bad', 'unknown'] as const)), progress: num }),
  ),
  host: maybe(
    record({
      atMs: num,
      network: num,
      networkAtMs: num,
      bridgeUp: maybe(flag),
      cpuLoad: num,
      memFreeMb: maybe(num),
      confUpToDate: flag,
      shuttingDown: flag,
    }),
  ),
  lease: maybe(
    record({
      atMs: num,
      connected: flag,
      joined: flag,
      owner: maybe(num),
      ownerSilentMs: maybe(num),
      ioSeconds: num,
      watchdogSeconds: num,
    }),
  ),
  storage: maybe(storage),
  localMaintenance: flag,
  done: list(record({ id: num, ok: flag, why: text })),
});

const windows = fc.record(
  { 'network-lost': num, 'engine-bad': num, 'storage-ok': num, leave: num, 'start-open': num },
  { requiredKeys: [], noNullPrototype: true },
);

export const anyMemory: fc.Arbitrary<Memory> = record({
  startedMs: num,
  lookedMs: num,
  boardSinceMs: maybe(num),
  state: fc.constantFrom(...(['StartState', 'EngineUp', 'EngineDown', 'Refusing', 'StorageLost'] as const)),
  rule: text,
  sinceMs: num,
  global: flag,
  peers: list(fc.tuple(num, record({ ts: num, changedMs: num, changes: num, report }))).map((pairs) => new Map(pairs)),
  mine: maybe(record({ sinceMs: num, healthyMs: maybe(num) })),
  progress: record({ value: num, changedMs: num }),
  vmState,
  vmChangedMs: num,
  failures: list(num),
  engineRestarts: list(num),
  moves: list(num),
  failedMoves: list(record({ to: num, atMs: num })),
  windows,
  stopping: maybe(record({ sinceMs: num, why: fc.constantFrom(...(['restart', 'move'] as const)), to: maybe(num) })),
  movingTo: maybe(num),
  pending: maybe(record({ id: num, action, sinceMs: num })),
  actedMs: num,
  nextActionId: num,
  claim: text,
  alerted: list(alertKind),
  score: num,
});

const reason: fc.Arbitrary<Reason> = record({
  rule: text,
  inputs: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(text, num, flag),
    { maxKeys: 3, noNullPrototype: true },
  ),
  sinceMs: num,
});

export const anyDecision: fc.Arbitrary<Decision> = record({
  memory: anyMemory,
  score: record({
    value: num,
    penalties: list(record({ name: text, points: num, why: text })),
    zeroBecause: maybe(text),
  }),
  action: maybe(record({ id: num, action })),
  alerts: list(record({ kind: alertKind, text })),
  reasons: list(reason),
});

export const anyEntry: fc.Arbitrary<JournalEntry> = record({
  atMs: num,
  hostId: num,
  before: anyMemory,
  observation: anyObservation,
  decision: anyDecision,
  state: text,
  score: num,
  order: maybe(action),
  reasons: list(reason),
});

export const anySnapshot: fc.Arbitrary<Snapshot> = record({
  version: text,
  hostname: text,
  pid: num,
  nowMs: num,
  startedMs: num,
  round: maybe(record({ observation: anyObservation, decision: anyDecision })),
  recent: list(anyEntry),
  storage: maybe(storage),
  definition: record({ source: text, notes: list(text) }),
  journalFile: text,
});

/** A healthy host 1 with host 2 beside it, where the engine VM is `state`. */
export function calm(nowMs: number, state: 'absent' | 'up' | 'down' = 'absent'): Observation {
  const peer: PeerReport = {
    id: 2,
    ts: nowMs,
    score: 3400,
    vm: 'down',
    health: 'bad',
    maintenance: false,
    stopped: false,
    hostname: 'node-b',
    said: {
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
    },
  };
  return {
    nowMs,
    settings: { hostId: 1, timing, vmMemoryMb: 16_384, priority: 0, canMigrate: true },
    board: { readMs: nowMs, global: false, peers: [peer], unreadable: [] },
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
  };
}

/** The record of one round as the agent makes it. */
export function entryOf(before: Memory, observation: Observation): JournalEntry {
  const decision = decide(before, observation);
  return {
    atMs: observation.nowMs,
    hostId: observation.settings.hostId,
    before,
    observation,
    decision,
    state: decision.memory.state,
    score: decision.score.value,
    order: decision.action?.action,
    reasons: decision.reasons,
  };
}

/** Rounds of one beat each, from a worker that knows nothing. */
export function rounds(observations: readonly Observation[]): readonly JournalEntry[] {
  let memory = emptyMemory(observations[0]?.nowMs ?? 0);
  return observations.map((observation) => {
    const entry = entryOf(memory, observation);
    memory = entry.decision.memory;
    return entry;
  });
}

/** A worker that listens, starts the engine VM, loses it and starts it again. */
export function story(): readonly JournalEntry[] {
  const states = ['absent', 'absent', 'absent', 'absent', 'absent', 'up', 'up', 'down', 'down', 'up'] as const;
  return rounds(states.map((state, beat) => calm(1_000_000 + beat * timing.beatMs, state)));
}

export function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'bellwether-journal-'));
}
