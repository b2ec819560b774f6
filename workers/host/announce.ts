/**
 * A host's slot, both ways: the reference's block (ha-agent.md 1.3, 1.4) with our facts as further lines of the human part.
 *
 * The reference's readers hand the human part on untouched, so what stands there reaches people and our own kind only.
 */
import { ANNOUNCEMENT_FORMAT, NETWORK_AGE_MAX_MS, parseAnnouncement } from '../../activities/storage/announcement.ts';
import {
  extraText,
  formatHostBlock,
  parseHostBlock,
  type FormattedBlock,
} from '../../activities/storage/whiteboard.ts';
import type { Decision, Observation, PeerReport, VmState } from './core/types.ts';

export type SlotReport =
  | { readonly kind: 'empty' }
  | { readonly kind: 'host'; readonly report: PeerReport }
  | { readonly kind: 'unreadable'; readonly why: string };

/** How old this host's look at its network is, as it tells it, milliseconds. */
export function networkAgeMs(o: Observation): number {
  if (o.host === undefined) return NETWORK_AGE_MAX_MS;
  return Math.min(NETWORK_AGE_MAX_MS, Math.max(0, Math.round(o.nowMs - o.host.networkAtMs)));
}

/** One slot as the core wants it. Never throws. */
export function readSlot(id: number, bytes: Buffer): SlotReport {
  const reading = parseHostBlock(bytes);
  if (reading.kind === 'empty') return { kind: 'empty' };
  if (reading.kind === 'too-new')
    return { kind: 'unreadable', why: `written by a newer agent (${reading.parseVersion})` };
  if (reading.kind === 'too-old')
    return { kind: 'unreadable', why: `written by an older agent (${reading.featureVersion})` };
  if (reading.kind === 'bad') return { kind: 'unreadable', why: reading.why };
  const { block } = reading;
  // A write that went astray: what it says is true of another host, and no sign of life of this one.
  if (block.hostId !== id) return { kind: 'unreadable', why: `the block of host ${block.hostId}` };
  if (block.score < 0 || block.score > 10_000) return { kind: 'unreadable', why: `score ${block.score}` };
  return {
    kind: 'host',
    report: {
      id,
      ts: block.hostTs,
      score: block.score,
      vm: block.engineStatus.vm,
      health: block.engineStatus.health,
      maintenance: block.localMaintenance,
      stopped: block.stopped,
      hostname: block.hostname,
      said: parseAnnouncement(block.extra),
    },
  };
}

const SHOWN: Readonly<Record<VmState, string>> = {
  absent: 'down',
  down: 'down',
  arriving: 'down',
  launching: 'up',
  up: 'up',
  paused: 'up',
  stopping: 'up',
  leaving: 'up',
};

/** The engine VM on this host in the reference's words (ha-agent.md 4.4). */
export function engineStatus(o: Observation, decision: Decision) {
  const { memory } = decision;
  if (o.vm === undefined || o.nowMs - o.vm.atMs > o.settings.timing.freshMs) {
    return { vm: 'unknown', health: 'unknown', detail: 'unknown', reason: 'failed to getVmStats' };
  }
  // An accepted start is shown at once: the reference's agents would start too while VDSM makes up its mind.
  const starting = memory.claim === 'start' || (memory.claim === 'restart' && memory.pending !== undefined);
  const vm = starting && memory.vmState !== 'arriving' ? 'up' : SHOWN[memory.vmState];
  if (vm === 'down') return { vm, health: 'bad', detail: 'unknown', reason: 'vm not running on this host' };
  if (memory.vmState === 'up' && o.health?.engine === 'good') return { vm, health: 'good', detail: o.vm.detail };
  return { vm, health: 'bad', detail: o.vm.detail, reason: 'failed liveliness check' };
}

export interface SlotFacts {
  readonly hostname: string;
  readonly wallMs: number;
  readonly stopped: boolean;
  /** Own milliseconds of the last good refresh of vm.conf. */
  readonly confMs: number;
  readonly cannotRun: string;
}

const whole = (ms: number) => Math.max(0, Math.floor(ms / 1000));

/** This host's slot after a decision, 4096 bytes; or why it cannot be written. */
export function slotOf(o: Observation, decision: Decision, facts: SlotFacts): FormattedBlock {
  const { memory, score, reasons } = decision;
  const hostTs = whole(o.nowMs);
  const state = {
    state: facts.stopped ? 'AgentStopped' : memory.state,
    maintenance: o.localMaintenance,
    stopped: facts.stopped,
    bellwether: ANNOUNCEMENT_FORMAT,
    'interval-ms': String(o.settings.timing.beatMs),
    // A host without its bridge is no place for the engine, whatever its probes say.
    network: String(o.host === undefined || o.host.bridgeUp === false ? 0 : o.host.network),
    'network-age-ms': String(networkAgeMs(o)),
    'sanlock-io': String(o.lease?.ioSeconds ?? o.settings.timing.profile.ioSeconds),
    'sanlock-watchdog': String(o.lease?.watchdogSeconds ?? o.settings.timing.profile.watchdogSeconds),
    claim: memory.claim,
    failures: String(memory.failures.length),
    priority: String(o.settings.priority),
    'cannot-run': facts.cannotRun,
    moves: memory.moves.map((at) => whole(o.nowMs - at)).join(','),
    rule: `${reasons[0]?.rule ?? ''} since ${whole(o.nowMs - (reasons[0]?.sinceMs ?? o.nowMs))} s`,
  };
  return formatHostBlock({
    hostId: o.settings.hostId,
    hostTs,
    score: facts.stopped ? 0 : score.value,
    engineStatus: engineStatus(o, decision),
    hostname: facts.hostname,
    localMaintenance: o.localMaintenance,
    stopped: facts.stopped,
    confOnSharedStorage: true,
    localConfTimestamp: whole(facts.confMs),
    extra: extraText({
      hostTs,
      at: new Date(facts.wallMs),
      hostId: o.settings.hostId,
      score: facts.stopped ? 0 : score.value,
      localConfTimestamp: whole(facts.confMs),
      confRefreshedAt: new Date(facts.wallMs - (o.nowMs - facts.confMs)),
      confOnSharedStorage: true,
      state,
    }),
  });
}
