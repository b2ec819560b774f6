/** Restoring slots of the HA metadata: only of hosts whose agent does not write its own now. */
import type { Backup } from '../archive/read-backup.ts';
import { BACKED_UP_SLOTS } from './ha-metadata.ts';
import { liveSlots, readBoard, slotOf, usedSlots, writeSlots } from './ha-slots.ts';
import { unusable, type Difference, type RestorePlace } from './restore-item.ts';
import { callOptions } from './volumes.ts';
import { parseHostBlock } from './whiteboard.ts';

async function boardOf(backup: Backup): Promise<Buffer> {
  const bytes = await backup.find('ha-metadata.bin');
  if (bytes === undefined) throw unusable('ha-slots', 'the backup holds no HA metadata');
  return bytes;
}

/** For people: who wrote it, and what it says. */
function describeSlot(slot: Buffer): string {
  const reading = parseHostBlock(slot);
  if (reading.kind === 'empty') return 'empty';
  if (reading.kind !== 'host') return `unreadable (${reading.kind})`;
  const { hostname, score, stopped, localMaintenance } = reading.block;
  return `${hostname}, score ${score}${stopped ? ', stopped' : ''}${localMaintenance ? ', local maintenance' : ''}`;
}

interface Plan {
  /** As the backup holds them. */
  readonly wanted: ReadonlyMap<number, Buffer>;
  readonly lines: readonly string[];
  readonly notes: readonly string[];
}

/** Slots that the backup holds and that are otherwise now; those of agents that live are refused. */
async function planSlots(at: RestorePlace): Promise<Plan> {
  const { spm, place, facts, context } = at;
  const then = await boardOf(at.from);
  const read = (lastId: number) => readBoard(spm, place, facts.domain.metadata, context.signal, lastId);
  const now = await read(BACKED_UP_SLOTS);
  const different = usedSlots(then).filter((id) => !slotOf(now, id).equals(slotOf(then, id)));
  const live = different.length === 0 ? new Set<number>() : await liveSlots(context, different, read);
  const dead = different.filter((id) => !live.has(id));
  return {
    wanted: new Map(dead.map((id) => [id, slotOf(then, id)])),
    lines: dead.map(
      (id) => `slot ${id}: ${describeSlot(slotOf(now, id))} now, ${describeSlot(slotOf(then, id))} in the backup`,
    ),
    notes: different
      .filter((id) => live.has(id))
      .map((id) => `slot ${id} (${describeSlot(slotOf(now, id))}) is refused: its agent lives and writes it itself`),
  };
}

export async function compareSlots(at: RestorePlace): Promise<Difference> {
  const { lines, notes } = await planSlots(at);
  return { lines, notes };
}

/** @returns whether a slot had to be written. */
export async function restoreSlots(at: RestorePlace): Promise<boolean> {
  const { wanted } = await planSlots(at);
  if (wanted.size === 0) return false;
  const { spm, place, facts, call, context } = at;
  await writeSlots(spm, place, facts.domain.metadata, wanted, callOptions(call, context.signal));
  return true;
}

/** Compensation: what was there before, in those slots that still hold what was restored: an agent that came to life since has its own. */
export async function putSlotsBack(at: RestorePlace, before: Backup): Promise<boolean> {
  const { spm, place, facts, call, context } = at;
  const [restored, former] = [await boardOf(at.from), await boardOf(before)];
  const now = await readBoard(spm, place, facts.domain.metadata, context.signal, BACKED_UP_SLOTS);
  const ours = usedSlots(restored).filter(
    (id) => slotOf(now, id).equals(slotOf(restored, id)) && !slotOf(former, id).equals(slotOf(restored, id)),
  );
  if (ours.length === 0) return false;
  const slots = new Map(ours.map((id) => [id, slotOf(former, id)]));
  await writeSlots(spm, place, facts.domain.metadata, slots, callOptions(call, context.signal));
  return true;
}
