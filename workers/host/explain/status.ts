/** `bellwether-host status` of the running worker: everything that it knows of all hosts, with the age of each fact. Pure. */
import type { FaultyReport, HostReport } from '../cli/board-report.ts';
import { engineStatus } from '../announce.ts';
import { deadAfterMs } from '../core/peers.ts';
import type { Penalty, PeerMemory } from '../core/types.ts';
import type { Snapshot } from '../snapshot.ts';
import { capacity, type CapacityReport } from './capacity.ts';
import { factsOf, type FactReport } from './facts.ts';
import { guessPenalties } from '../../../activities/storage/score-words.ts';
import { derivedTimes, type DerivedTime } from './times.ts';
import { peerHindrance, lives, nameOf, peersOf, viewOf, type View } from './view.ts';
import { seconds } from './words.ts';

/** The offline report's host, with what only a running worker knows. */
export interface HostStatus extends Omit<HostReport, 'heartbeatAgeSeconds' | 'extra' | 'state' | 'announcement'> {
  readonly self: boolean;
  /** null: its block does not say, or its bytes were not at hand. */
  readonly state: string | null;
  /** By this host's own clock: how long ago its block was last seen to change. null for this host before its first round. */
  readonly heartbeatAgeSeconds: number | null;
  /** After this much silence it counts as gone. */
  readonly goneAfterSeconds: number | null;
  readonly lives: boolean;
  /** Exact for this host (where a state overrides the sum: what it would lose without that); for others what follows from what they announce, the rest as `not announced`. */
  readonly penalties: readonly Penalty[];
  /** A state or count that overrides the sum. */
  readonly zeroBecause: string | null;
  /** Empty: it could start the engine VM now. */
  readonly cannotRun: string;
  readonly claim: string;
  readonly failures: number;
  readonly priority: number;
  readonly network: { readonly share: number; readonly ageSeconds: number } | null;
  readonly sanlock: { readonly ioSeconds: number; readonly watchdogSeconds: number } | null;
}

/** The shape of `status --json`. Times in seconds; null where nothing is known. */
export interface StatusReport {
  readonly version: string;
  readonly hostname: string;
  readonly hostId: number | null;
  readonly pid: number;
  readonly runsForSeconds: number;
  /** null before the first round of the worker. */
  readonly round: {
    readonly ageSeconds: number;
    readonly state: string;
    readonly rule: string;
    readonly sinceSeconds: number;
    readonly inputs: Readonly<Record<string, string | number | boolean>>;
    readonly orderRunning: string | null;
  } | null;
  /** `fault`: the flag cannot be read, the last word stands. */
  readonly globalMaintenance: { readonly on: boolean | null; readonly fault?: string };
  readonly localMaintenance: boolean | null;
  /** Living hosts that say that they have the engine VM. */
  readonly engine: readonly { readonly id: number; readonly hostname: string; readonly health: string }[];
  readonly lease: {
    readonly ownerId: number | null;
    readonly ownerName: string | null;
    /** How long ago the owner's renewal was last seen to move. */
    readonly silentSeconds: number | null;
    /** When sanlock would give it to another host, if the owner stays silent. */
    readonly freeInSeconds: number | null;
  } | null;
  readonly definition: { readonly source: string; readonly notes: readonly string[] };
  readonly timing: { readonly profile: string; readonly times: readonly DerivedTime[] } | null;
  readonly facts: readonly FactReport[];
  readonly hosts: readonly HostStatus[];
  readonly faulty: readonly Pick<FaultyReport, 'id' | 'why'>[];
  readonly capacity: CapacityReport;
  readonly journalFile: string;
}

/** State and detail stand only in a block's bytes: whoever has them hands them in, by host id. */
export type BlockFields = ReadonlyMap<
  number,
  { readonly state: string; readonly detail: string; readonly reason?: string }
>;

function own(v: View): HostStatus {
  const { settings, host } = v.o;
  return {
    id: settings.hostId,
    hostname: v.snapshot.hostname,
    self: true,
    agent: 'bellwether',
    state: v.m.state,
    score: v.decision.score.value,
    engine: engineStatus(v.o, v.decision),
    localMaintenance: v.o.localMaintenance,
    stopped: false,
    hostTs: Math.floor(v.o.nowMs / 1000),
    heartbeatAgeSeconds: seconds(v.now - v.o.nowMs),
    goneAfterSeconds: seconds(v.t.peerDeadBeats * v.t.beatMs),
    lives: true,
    penalties: v.decision.score.penalties,
    zeroBecause: v.decision.score.zeroBecause ?? null,
    cannotRun: v.s.cannotRun,
    claim: v.m.claim,
    failures: v.m.failures.length,
    priority: settings.priority,
    network: host === undefined ? null : { share: host.network, ageSeconds: seconds(v.now - host.networkAtMs) },
    sanlock:
      v.o.lease === undefined ? null : { ioSeconds: v.o.lease.ioSeconds, watchdogSeconds: v.o.lease.watchdogSeconds },
  };
}

function other(v: View, peer: PeerMemory, fields: BlockFields): HostStatus {
  const { report, changedMs } = peer;
  const { said } = report;
  const block = fields.get(report.id);
  return {
    id: report.id,
    hostname: report.hostname,
    self: false,
    agent: said === undefined ? 'reference' : 'bellwether',
    state: block?.state ?? null,
    score: report.score,
    engine: {
      vm: report.vm,
      health: report.health,
      detail: block?.detail ?? 'unknown',
      ...(block?.reason === undefined ? {} : { reason: block.reason }),
    },
    localMaintenance: report.maintenance,
    stopped: report.stopped,
    hostTs: report.ts,
    heartbeatAgeSeconds: seconds(v.now - changedMs),
    goneAfterSeconds: seconds(deadAfterMs(report, v.t)),
    lives: lives(v, peer),
    ...guessPenalties(report),
    cannotRun: peerHindrance(v, peer),
    claim: said?.claim ?? '',
    failures: said?.failures ?? 0,
    priority: said?.priority ?? 0,
    network:
      said === undefined ? null : { share: said.network, ageSeconds: seconds(v.now - changedMs + said.networkAgeMs) },
    sanlock: said === undefined ? null : { ioSeconds: said.ioSeconds, watchdogSeconds: said.watchdogSeconds },
  };
}

function leaseOf(v: View): StatusReport['lease'] {
  const { lease, settings } = v.o;
  if (lease === undefined) return null;
  const { owner, ownerSilentMs } = lease;
  const sinceMs = ownerSilentMs === undefined ? undefined : lease.atMs - ownerSilentMs;
  const another = owner !== undefined && owner !== settings.hostId;
  return {
    ownerId: owner ?? null,
    ownerName: owner === undefined ? null : nameOf(v, owner),
    silentSeconds: sinceMs === undefined ? null : seconds(v.now - sinceMs),
    freeInSeconds: another && sinceMs !== undefined ? seconds(sinceMs + v.t.hostDeadMs - v.now) : null,
  };
}

function roundOf(v: View): StatusReport['round'] {
  return {
    ageSeconds: seconds(v.now - v.o.nowMs),
    state: v.m.state,
    rule: v.rule,
    sinceSeconds: seconds(v.now - v.reason.sinceMs),
    inputs: v.reason.inputs,
    orderRunning: v.m.pending?.action.kind ?? null,
  };
}

function globalOf(v: View | undefined): StatusReport['globalMaintenance'] {
  if (v?.o.board === undefined) return { on: null, fault: 'the board was never read' };
  if (v.o.board.global !== undefined) return { on: v.m.global };
  return { on: v.m.global, fault: 'the flag cannot be understood; the last word stands' };
}

/** Everything that the running worker knows. Never throws; before the first round it says so and little else. */
export function explainStatus(snapshot: Snapshot, fields: BlockFields = new Map()): StatusReport {
  const v = viewOf(snapshot);
  const hosts =
    v === undefined ? [] : [own(v), ...peersOf(v).map((peer) => other(v, peer, fields))].sort((a, b) => a.id - b.id);
  return {
    version: snapshot.version,
    hostname: snapshot.hostname,
    hostId: v?.o.settings.hostId ?? null,
    pid: snapshot.pid,
    runsForSeconds: seconds(snapshot.nowMs - snapshot.startedMs),
    round: v === undefined ? null : roundOf(v),
    globalMaintenance: globalOf(v),
    localMaintenance: v?.o.localMaintenance ?? null,
    engine: hosts
      .filter((host) => host.engine.vm === 'up' && host.lives)
      .map(({ id, hostname, engine }) => ({ id, hostname, health: engine.health })),
    lease: v === undefined ? null : leaseOf(v),
    definition: snapshot.definition,
    timing: v === undefined ? null : { profile: v.t.profile.name, times: derivedTimes(v.t) },
    facts: v === undefined ? [] : factsOf(v),
    hosts,
    faulty: v?.o.board?.unreadable ?? [],
    capacity: capacity(snapshot),
    journalFile: snapshot.journalFile,
  };
}
