/**
 * The shapes of the core's words, for reading them back. Strict: a field that one of the types has and its schema has not
 * is refused instead of lost; a field that the schema forgot is a compile error.
 */
import { z } from 'zod';
import type {
  Announcement,
  BoardFact,
  Decision,
  Memory,
  Observation,
  PeerMemory,
  PeerReport,
  Reason,
  Settings,
  VmAction,
} from '../core/types.ts';
import type { Timing } from '../core/timing.ts';
import type { JournalEntry } from '../env.ts';
import type { Snapshot } from '../snapshot.ts';

const odd = z
  .strictObject({ $: z.enum(['Infinity', '-Infinity', 'NaN', '-0']) })
  .transform(({ $: word }) => (word === '-0' ? -0 : Number(word)));
const num = z.union([z.number(), odd]);
const text = z.string();
const flag = z.boolean();

/** There, and perhaps undefined: `null` on the wire. */
const maybe = <T>(schema: z.ZodType<T>) => z.union([schema, z.null().transform(() => undefined)]);

const vmState = z.enum(['absent', 'launching', 'up', 'paused', 'stopping', 'leaving', 'arriving', 'down']);
const stateName = z.enum([
  'StartState',
  'GlobalMaintenance',
  'LocalMaintenance',
  'UnknownLocalVmState',
  'EngineUp',
  'EngineUpBadHealth',
  'EngineDown',
  'EngineStart',
  'EngineStarting',
  'EngineStop',
  'EngineForceStop',
  'EngineMigrating',
  'StorageLost',
  'Refusing',
]);
const alertKind = z.enum([
  'timeouts-differ',
  'engine-unhealthy',
  'nobody-can-run',
  'cannot-hand-over',
  'failures-here',
]);
const windowName = z.enum([
  'network-lost',
  'engine-bad',
  'storage-ok',
  'better-host',
  'leave',
  'lease-elsewhere',
  'start-open',
  'given',
]);

const action: z.ZodType<VmAction> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start') }),
  z.strictObject({ kind: z.literal('shutdown') }),
  z.strictObject({ kind: z.literal('destroy') }),
  z.strictObject({ kind: z.literal('migrate'), to: num }),
]);

const announcement: z.ZodType<Announcement> = z.strictObject({
  intervalMs: num,
  network: num,
  networkAgeMs: num,
  ioSeconds: num,
  watchdogSeconds: num,
  claim: text,
  failures: num,
  priority: num,
  cannotRun: text,
  moves: z.array(num),
});

const report: z.ZodType<PeerReport> = z.strictObject({
  id: num,
  ts: num,
  score: num,
  vm: text,
  health: text,
  maintenance: flag,
  stopped: flag,
  hostname: text,
  said: maybe(announcement),
});

const board: z.ZodType<BoardFact> = z.strictObject({
  readMs: num,
  global: maybe(flag),
  peers: z.array(report),
  unreadable: z.array(z.strictObject({ id: num, why: text })),
});

const timing: z.ZodType<Timing> = z.strictObject({
  profile: z.strictObject({ name: text, ioSeconds: num, watchdogSeconds: num }),
  badHealthMs: num,
  bootMs: num,
  guestStopMs: num,
  beatMs: num,
  freshMs: num,
  peerDeadBeats: num,
  referenceDeadMs: num,
  listenMs: num,
  listenReferenceMs: num,
  ownerSilentMs: num,
  hostDeadMs: num,
  launchMs: num,
  confirmMs: num,
  confirmReferenceMs: num,
  holdMs: num,
  residenceMs: num,
  turnMs: num,
  actionMs: num,
  pausedMs: num,
  givenMs: num,
  failureFadeMs: num,
  failuresHere: num,
  engineRestartsPerWindow: num,
  engineRestartWindowMs: num,
  movesPerHour: num,
  threshold: num,
});

const settings: z.ZodType<Settings> = z.strictObject({
  hostId: num,
  timing,
  vmMemoryMb: num,
  priority: num,
  canMigrate: flag,
});

const vm = z.strictObject({
  atMs: num,
  state: vmState,
  exit: z.exactOptional(z.enum(['lock-held', 'migrated', 'failed', 'crashed', 'shutdown'])),
  detail: text,
});
const health = z.strictObject({ atMs: num, engine: z.enum(['good', 'bad', 'unknown']), progress: num });
const host = z.strictObject({
  atMs: num,
  network: num,
  networkAtMs: num,
  bridgeUp: maybe(flag),
  cpuLoad: num,
  memFreeMb: maybe(num),
  confUpToDate: flag,
  shuttingDown: flag,
});
const lease = z.strictObject({
  atMs: num,
  connected: flag,
  joined: flag,
  owner: maybe(num),
  ownerSilentMs: maybe(num),
  ioSeconds: num,
  watchdogSeconds: num,
});
const storage = z.strictObject({ atMs: num, ok: flag });

export const observationSchema: z.ZodType<Observation> = z.strictObject({
  nowMs: num,
  settings,
  board: maybe(board),
  vm: maybe(vm),
  health: maybe(health),
  host: maybe(host),
  lease: maybe(lease),
  storage: maybe(storage),
  localMaintenance: flag,
  done: z.array(z.strictObject({ id: num, ok: flag, why: text })),
});

const reason: z.ZodType<Reason> = z.strictObject({
  rule: text,
  inputs: z.record(text, z.union([text, num, flag])),
  sinceMs: num,
});

const peer: z.ZodType<PeerMemory> = z.strictObject({ ts: num, changedMs: num, changes: num, report });
const peers = z.array(z.tuple([num, peer])).transform((pairs) => new Map(pairs));

export const memorySchema: z.ZodType<Memory> = z.strictObject({
  startedMs: num,
  lookedMs: num,
  boardSinceMs: maybe(num),
  state: stateName,
  rule: text,
  sinceMs: num,
  global: flag,
  peers,
  mine: maybe(z.strictObject({ sinceMs: num, healthyMs: maybe(num) })),
  progress: z.strictObject({ value: num, changedMs: num }),
  vmState,
  vmChangedMs: num,
  failures: z.array(num),
  engineRestarts: z.array(num),
  moves: z.array(num),
  failedMoves: z.array(z.strictObject({ to: num, atMs: num })),
  windows: z.partialRecord(windowName, num),
  stopping: maybe(z.strictObject({ sinceMs: num, why: z.enum(['restart', 'move']), to: maybe(num) })),
  movingTo: maybe(num),
  pending: maybe(z.strictObject({ id: num, action, sinceMs: num })),
  actedMs: num,
  nextActionId: num,
  claim: text,
  alerted: z.array(alertKind),
  score: num,
});

export const decisionSchema: z.ZodType<Decision> = z.strictObject({
  memory: memorySchema,
  score: z.strictObject({
    value: num,
    penalties: z.array(z.strictObject({ name: text, points: num, why: text })),
    zeroBecause: maybe(text),
  }),
  action: maybe(z.strictObject({ id: num, action })),
  alerts: z.array(z.strictObject({ kind: alertKind, text })),
  reasons: z.array(reason),
});

export const entrySchema: z.ZodType<JournalEntry> = z.strictObject({
  atMs: num,
  hostId: num,
  before: memorySchema,
  observation: observationSchema,
  decision: decisionSchema,
  state: text,
  score: num,
  order: maybe(action),
  reasons: z.array(reason),
});

export const snapshotSchema: z.ZodType<Snapshot> = z.strictObject({
  version: text,
  hostname: text,
  pid: num,
  nowMs: num,
  startedMs: num,
  round: maybe(z.strictObject({ observation: observationSchema, decision: decisionSchema })),
  recent: z.array(entrySchema),
  storage: maybe(storage),
  definition: z.strictObject({ source: text, notes: z.array(text) }),
  journalFile: text,
});
