/** The HA metadata volume (whiteboard) read from outside, through the SPM (ha-agent.md 1.2). */
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import { CounterpartError } from '../errors.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { readUpTo, readVolume, type Place } from './volumes.ts';
import { BLOCK_BYTES, parseGlobalBlock } from './whiteboard.ts';

/** Highest host id that the engine gives (ha-agent.md 1.2); so many slots are backed up. */
export const BACKED_UP_SLOTS = 250;

export async function readGlobalMaintenance(
  spm: VdsmClient,
  place: Place,
  metadata: VolumeRef,
  signal: AbortSignal,
): Promise<boolean> {
  return globalMaintenanceOf(await readVolume(spm, place, metadata, BLOCK_BYTES, signal));
}

/**
 * The flag in block 0, which every agent obeys. A block that nobody wrote yet means "off".
 * @throws CounterpartError needs-operator when it can't be read
 */
export function globalMaintenanceOf(block: Buffer): boolean {
  const { maintenance, fault } = parseGlobalBlock(block);
  if (fault === undefined) return maintenance ?? false;
  // Taking an unreadable flag for "off" could start a second engine VM in the middle of the work.
  throw new CounterpartError({
    type: 'ha/global-block',
    kind: 'needs-operator',
    subject: 'HA metadata, block 0',
    what: 'the global maintenance flag can’t be read',
    why: fault,
    remedy: 'Set the mode anew on a host (hosted-engine --set-maintenance --mode=none), then retry.',
  });
}

/** Block 0 and the slots of the hosts, as they lie there. */
export function readWhiteboard(
  spm: VdsmClient,
  place: Place,
  metadata: VolumeRef,
  signal: AbortSignal,
): Promise<Buffer> {
  return readUpTo(spm, place, metadata, BLOCK_BYTES * (BACKED_UP_SLOTS + 1), signal);
}
