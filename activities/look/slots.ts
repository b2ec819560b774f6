/** Slots of the HA metadata as a look shows them. Pure. */
import type { FaultySlot, SlotLook } from '../../workflows/model/look.ts';
import { parseAnnouncement } from '../storage/announcement.ts';
import { extraFields, type HostBlock } from '../storage/whiteboard.ts';
import type { Board, Slot } from './ask-board.ts';
import { cut } from './attempt.ts';
import type { SlotEar } from './heard.ts';

/** A volume that was never zeroed may hold garbage in thousands of slots (ha-agent.md 1.1). */
const FAULTY_MAX = 20;

function slotLook(id: number, block: HostBlock, ear: SlotEar, nowMs: number): SlotLook {
  const said = parseAnnouncement(block.extra);
  const { ioSeconds, watchdogSeconds } = said ?? {};
  return {
    id,
    hostname: cut(block.hostname),
    writtenBy: said === undefined ? 'reference' : 'bellwether',
    state: cut(extraFields(block.extra).get('state') ?? 'unknown'),
    score: block.score,
    localMaintenance: block.localMaintenance,
    stopped: block.stopped,
    engineStatus: block.engineStatus,
    ...ear.life(id, block.stopped, said?.intervalMs, nowMs),
    ...(said === undefined ? {} : { cannotRun: cut(said.cannotRun) }),
    ...(ioSeconds === undefined || watchdogSeconds === undefined ? {} : { sanlock: { ioSeconds, watchdogSeconds } }),
  };
}

function faultOf({ id, reading }: Slot): string | undefined {
  if (reading.kind === 'bad') return reading.why;
  if (reading.kind === 'too-new') return `written by a newer agent (format ${reading.parseVersion})`;
  if (reading.kind === 'too-old') return `written by an older agent (features ${reading.featureVersion})`;
  return reading.block.hostId === id ? undefined : `it holds the block of host ${reading.block.hostId}`;
}

/** A slot with the block it was read from: what its writer says goes beyond what is shown. */
export interface ReadSlot {
  readonly look: SlotLook;
  readonly block: HostBlock;
}

export interface Slots {
  readonly good: readonly ReadSlot[];
  readonly faulty: readonly FaultySlot[];
}

export function slotsOf(board: Board | undefined, ear: SlotEar, nowMs: number): Slots {
  const good: ReadSlot[] = [];
  const faulty: FaultySlot[] = [];
  for (const slot of board?.slots ?? []) {
    const why = faultOf(slot);
    if (why !== undefined) faulty.push({ id: slot.id, why: cut(why) });
    else if (slot.reading.kind === 'host')
      good.push({ look: slotLook(slot.id, slot.reading.block, ear, nowMs), block: slot.reading.block });
  }
  return { good, faulty: faulty.slice(0, FAULTY_MAX) };
}
