/** Slots of the HA metadata seen as one board: whether somebody still writes them, and writing some of them from outside. */
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { writeRange } from '../vdsm/image-io.ts';
import { readUpTo, type Place } from './volumes.ts';
import { BLOCK_BYTES, HOST_ID_MAX, parseHostBlock, slotOffset } from './whiteboard.ts';

/** Two beats and a half: an agent that lives writes its slot every 10 s. */
const LIFE_WINDOW_MS = 25_000;
const LOOK_MS = 1000;

/** The board from its first byte to the slot of `lastId`, by default the last that any agent reads; zeros where the volume is shorter. */
export async function readBoard(
  spm: VdsmClient,
  place: Place,
  metadata: VolumeRef,
  signal: AbortSignal,
  lastId = HOST_ID_MAX,
): Promise<Buffer> {
  const bytes = slotOffset(lastId + 1);
  const there = await readUpTo(spm, place, metadata, bytes, signal);
  return Buffer.concat([there, Buffer.alloc(bytes - there.length)]);
}

export function slotOf(board: Buffer, hostId: number): Buffer {
  const slot = Buffer.alloc(BLOCK_BYTES);
  board.copy(slot, 0, slotOffset(hostId), slotOffset(hostId) + BLOCK_BYTES);
  return slot;
}

/** Ids of the slots that hold anything. */
export function usedSlots(board: Buffer): number[] {
  const count = Math.min(HOST_ID_MAX, Math.floor(board.length / BLOCK_BYTES) - 1);
  return Array.from({ length: count }, (_, index) => index + 1).filter((id) => board[slotOffset(id)] !== 0);
}

/** Its agent said good-bye: it does not write until it is started again, and then without this flag. */
function isStopped(slot: Buffer): boolean {
  const reading = parseHostBlock(slot);
  return reading.kind === 'empty' || (reading.kind === 'host' && reading.block.stopped);
}

/**
 * Of these slots, those that somebody writes now. The writers' clocks can't be compared, so only a change tells
 * (ha-agent.md 1.6); slots whose agent was stopped cleanly are not waited for.
 */
export async function liveSlots(
  context: StepContext,
  ids: readonly number[],
  read: (lastId: number) => Promise<Buffer>,
): Promise<ReadonlySet<number>> {
  const lastId = Math.max(...ids);
  const first = await read(lastId);
  const live = new Set<number>();
  const watched = ids.filter((id) => !isStopped(slotOf(first, id)));
  const look = async () => {
    const board = await read(lastId);
    for (const id of ids) if (!slotOf(board, id).equals(slotOf(first, id))) live.add(id);
    return watched.every((id) => live.has(id)) ? true : undefined;
  };
  const what = `a sign of life in slot ${watched.join(', ')}`;
  await poll(context, { what, everyMs: LOOK_MS, limitMs: LIFE_WINDOW_MS }, look);
  return live;
}

/**
 * Writes these slots, each by itself and in place: hosts that live go on writing theirs meanwhile. Read back.
 * @throws CounterpartError retryable when one reads back otherwise.
 */
export async function writeSlots(
  through: VdsmClient,
  place: Place,
  metadata: VolumeRef,
  slots: ReadonlyMap<number, Buffer>,
  options: Parameters<typeof writeRange>[4],
): Promise<void> {
  const volume = { domain: place.domain, image: metadata.image, volume: metadata.volume };
  for (const [id, slot] of slots) await writeRange(through, volume, slotOffset(id), slot, options);
  const back = await readBoard(through, place, metadata, options.signal, Math.max(...slots.keys()));
  const wrong = [...slots].filter(([id, slot]) => !slotOf(back, id).equals(slot)).map(([id]) => id);
  if (wrong.length === 0) return;
  throw new CounterpartError({
    type: 'ha/slot-not-kept',
    kind: 'retryable',
    subject: `slot ${wrong.join(', ')} of the HA metadata`,
    what: 'what was read back is not what was written',
    why: 'somebody else wrote it at the same moment',
    remedy: 'It is looked at again by itself; if it lasts, an agent with this host id runs somewhere.',
  });
}
