/**
 * The board's blocks as bytes, made and read by the shipping codec only where that can tell something new.
 *
 * As long as the VM's status, the maintenance flag and the settings of a host stay, what readers will find in its next block
 * is known without making it: the same with the times and figures of now. Such a block is kept as what it says; its bytes
 * are made, by the shipping code, when somebody looks at them (a fault that flips a bit). Every other block, and every 256th
 * anyway, goes through the shipping codec both ways at once, and the run ends when what comes out differs from what was
 * predicted.
 */
import { isDeepStrictEqual } from 'node:util';
import { BLOCK_BYTES } from '../../activities/storage/whiteboard.ts';
import { networkAgeMs, readSlot, slotOf, type SlotFacts, type SlotReport } from '../../workers/host/announce.ts';
import type { Decision, Memory, Observation, PeerReport } from '../../workers/host/core/types.ts';

const WHOLE_EVERY = 256;
/** Behind each block whose bytes are not made yet: no codec would take this for a block. */
const UNMADE = Buffer.alloc(BLOCK_BYTES, 0xff);

const NONE: readonly number[] = [];

interface Said {
  readonly o: Observation;
  readonly decision: Decision;
  readonly facts: SlotFacts;
  readonly report: PeerReport;
}

interface Content {
  readonly slot: SlotReport;
  /** undefined: the bytes are there. */
  readonly make: (() => Buffer) | undefined;
}

type Known = Buffer & { content?: Content };

/** Whether a block says the same but for its times and figures. */
function saysTheSame(said: Said, o: Observation, decision: Decision, facts: SlotFacts): boolean {
  const a = said.decision.memory;
  const b = decision.memory;
  const before = said.o;
  return (
    a.vmState === b.vmState &&
    starting(a) === starting(b) &&
    before.settings === o.settings &&
    before.localMaintenance === o.localMaintenance &&
    before.vm?.detail === o.vm?.detail &&
    vmKnown(before) === vmKnown(o) &&
    (before.health?.engine === 'good') === (o.health?.engine === 'good') &&
    (before.host === undefined) === (o.host === undefined) &&
    before.lease?.ioSeconds === o.lease?.ioSeconds &&
    before.lease?.watchdogSeconds === o.lease?.watchdogSeconds &&
    said.facts.stopped === facts.stopped &&
    said.facts.confMs === facts.confMs
  );
}

/** Shown as a VM that is up (announce.ts). */
const starting = (m: Memory) => m.claim === 'start' || (m.claim === 'restart' && m.pending !== undefined);
const vmKnown = (o: Observation) => o.vm !== undefined && o.nowMs - o.vm.atMs <= o.settings.timing.freshMs;

/** What readers will find in the block: the same as before, with the times and figures of now. */
export function aged(report: PeerReport, o: Observation, decision: Decision, cannotRun: string): PeerReport {
  const { said } = report;
  const { moves } = decision.memory;
  return {
    id: report.id,
    ts: Math.max(0, Math.floor(o.nowMs / 1000)),
    score: report.stopped ? 0 : decision.score.value,
    vm: report.vm,
    health: report.health,
    maintenance: report.maintenance,
    stopped: report.stopped,
    hostname: report.hostname,
    said: said && {
      intervalMs: said.intervalMs,
      network: o.host === undefined || o.host.bridgeUp === false ? 0 : o.host.network,
      networkAgeMs: networkAgeMs(o),
      ioSeconds: said.ioSeconds,
      watchdogSeconds: said.watchdogSeconds,
      claim: decision.memory.claim,
      failures: decision.memory.failures.length,
      priority: said.priority,
      cannotRun,
      moves: moves.length === 0 ? NONE : moves.map((at) => Math.max(0, Math.floor((o.nowMs - at) / 1000))),
    },
  };
}

function known(bytes: Buffer, content: Content): Known {
  const block: Known = bytes;
  block.content = content;
  return block;
}

function written(o: Observation, decision: Decision, facts: SlotFacts): Buffer {
  const made = slotOf(o, decision, facts);
  if (!made.ok) throw new Error(`a block that could be predicted cannot be made: ${made.why}`);
  return made.bytes;
}

export interface BlockWriter {
  /** The shipping `slotOf`, for one worker. */
  readonly slotOf: typeof slotOf;
  /** The block that says what the last one said, at a later time; undefined when there was none. */
  again(o: Observation, decision: Decision, wallMs: number, cannotRun: string): Buffer | undefined;
}

function predicted(report: PeerReport, o: Observation, decision: Decision, facts: SlotFacts): Buffer {
  return known(UNMADE.subarray(), { slot: { kind: 'host', report }, make: () => written(o, decision, facts) });
}

export function blockWriter(): BlockWriter {
  let last: Said | undefined;
  let unmade = 0;
  return {
    slotOf(o, decision, facts) {
      const same = last !== undefined && saysTheSame(last, o, decision, facts);
      const expected = same && last !== undefined ? aged(last.report, o, decision, facts.cannotRun) : undefined;
      if (expected !== undefined && unmade < WHOLE_EVERY) {
        unmade += 1;
        return { ok: true, bytes: predicted(expected, o, decision, facts) };
      }
      unmade = 0;
      last = undefined;
      const made = slotOf(o, decision, facts);
      if (!made.ok) return made;
      const slot = readSlot(o.settings.hostId, made.bytes);
      if (slot.kind === 'host') {
        if (expected !== undefined && !isDeepStrictEqual(slot.report, expected))
          throw new Error(`a block reads ${JSON.stringify(slot.report)} instead of ${JSON.stringify(expected)}`);
        last = { o, decision, facts, report: slot.report };
      }
      return { ok: true, bytes: known(made.bytes, { slot, make: undefined }) };
    },
    again(o, decision, wallMs, cannotRun) {
      if (last === undefined) return undefined;
      return predicted(aged(last.report, o, decision, cannotRun), o, decision, { ...last.facts, wallMs, cannotRun });
    },
  };
}

/** The shipping `readSlot`, once for each block: it is pure, and N hosts read the same bytes. */
export function readBlock(id: number, bytes: Buffer): SlotReport {
  const block: Known = bytes;
  const { content } = block;
  if (content === undefined) {
    const slot = readSlot(id, bytes);
    known(bytes, { slot, make: undefined });
    return slot;
  }
  const { slot } = content;
  return slot.kind === 'host' && slot.report.id !== id ? readSlot(id, bytesOf(block)) : slot;
}

/** Its bytes are not made yet; they are those of a block that was checked, but for its times. */
export function isPredicted(block: Known): boolean {
  return block.content?.make !== undefined;
}

/** The bytes of a block, whoever asks; a copy may be written to. */
export function bytesOf(block: Known): Buffer {
  return Buffer.from(block.content?.make?.() ?? block);
}
