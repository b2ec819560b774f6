/** Which slots the reference's clients may see, and which they may write: one they can't read ends them (ha-agent.md 15). */
import { isUtf8 } from 'node:buffer';
import {
  BLOCK_BYTES,
  formatGlobalBlock,
  HOST_ID_MAX,
  MACHINE_BYTES,
  parseGlobalBlock,
  parseHostBlock,
} from '../../../activities/storage/whiteboard.ts';

function servableHost(block: Buffer): Buffer | undefined {
  if (parseHostBlock(block).kind !== 'host') return undefined;
  if (isUtf8(block)) return block;
  // Clients decode all 4096 bytes before they look at any: without its human part the host still counts.
  const machine = Buffer.alloc(BLOCK_BYTES);
  block.copy(machine, 0, 0, MACHINE_BYTES);
  return machine;
}

/** Slot 0 as every client reads it: one that holds more than the flag would be written back with the flag run into it. */
function servableGlobal(block: Buffer): Buffer | undefined {
  const { maintenance } = parseGlobalBlock(block);
  return maintenance === undefined ? undefined : formatGlobalBlock(maintenance);
}

/**
 * The slots for `get_stats`: unreadable ones and those of newer agents are left out, as one of them makes the reference's
 * client raise and VDSM report HA as inactive on every host.
 */
export function servableSlots(slots: ReadonlyMap<number, Buffer>): ReadonlyMap<string, Buffer> {
  const served = new Map<string, Buffer>();
  for (const [id, block] of [...slots].toSorted(([a], [b]) => a - b)) {
    if (block.length !== BLOCK_BYTES) continue;
    const bytes = id === 0 ? servableGlobal(block) : servableHost(block);
    if (bytes !== undefined) served.set(String(id), bytes);
  }
  return served;
}

export type Acceptance = { readonly ok: true; readonly block: Buffer } | { readonly ok: false; readonly why: string };

/**
 * A block from `put_stats`, padded to 4096 bytes. Refused: what would run into the next slot, and what others can't read.
 * All zeros (a cleaned slot) are taken.
 */
export function acceptBlock(hostId: number, data: Buffer): Acceptance {
  if (hostId < 0 || hostId > HOST_ID_MAX) return { ok: false, why: `there is no slot ${hostId}` };
  if (data.length > BLOCK_BYTES) return { ok: false, why: `${data.length} bytes, at most ${BLOCK_BYTES} fit` };
  const block = Buffer.alloc(BLOCK_BYTES);
  data.copy(block);
  if (block.every((byte) => byte === 0)) return { ok: true, block };
  if (hostId === 0) {
    const { maintenance, fault } = parseGlobalBlock(block);
    return maintenance === undefined ? { ok: false, why: fault ?? 'no maintenance flag in it' } : { ok: true, block };
  }
  const reading = parseHostBlock(block);
  if (reading.kind === 'host') return isUtf8(block) ? { ok: true, block } : { ok: false, why: 'it is not UTF-8' };
  return { ok: false, why: reading.kind === 'bad' ? `${reading.fault}: ${reading.why}` : `it is ${reading.kind}` };
}
