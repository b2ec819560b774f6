/** The OVF_STORE disks of a domain, each with what it holds now. */
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { parseOvfStoreDescription, readOvfStoreArchive, type OvfStoreDescription } from './ovf-store-archive.ts';
import { listVolumes, readVolume, type FoundVolume, type Place } from './volumes.ts';

/** Size that the engine gives them (engine.md 11.4). */
export const OVF_STORE_BYTES = 128 * 2 ** 20;
/** Copies per domain: one stays valid while the other is written. */
export const OVF_STORE_COPIES = 2;

/** A volume is one by its disk type or by its description; an unreadable description alone is no reason to overlook it. */
export function isOvfStore(volume: FoundVolume): boolean {
  return volume.diskType === 'OVFS' || parseOvfStoreDescription(volume.description) !== undefined;
}

export interface CopyContent extends VolumeRef {
  readonly description: OvfStoreDescription | undefined;
  readonly rawDescription: string;
  /** OVFs by VM id; undefined when the copy is empty, half written or can't be read. */
  readonly ovfs: ReadonlyMap<string, string> | undefined;
  /** Why it can't be trusted. */
  readonly fault?: string;
}

export async function findOvfStores(host: VdsmClient, domain: string, signal: AbortSignal): Promise<FoundVolume[]> {
  return (await listVolumes(host, domain, signal)).filter(isOvfStore);
}

/** Reads one copy whole; the description says how many bytes count (vdsm.md 11). */
export async function readCopy(
  spm: VdsmClient,
  place: Place,
  volume: FoundVolume,
  signal: AbortSignal,
): Promise<CopyContent> {
  const { image, volume: id, description: rawDescription } = volume;
  const description = parseOvfStoreDescription(rawDescription);
  const base = { image, volume: id, description, rawDescription };
  if (description === undefined) return { ...base, ovfs: undefined, fault: 'its description can’t be read' };
  if (!description.updated)
    return { ...base, ovfs: undefined, fault: 'it is empty, or somebody is writing it (Updated is false)' };
  const size = description.size ?? 0;
  if (size < 1 || size > OVF_STORE_BYTES) return { ...base, ovfs: undefined, fault: `its size is said to be ${size}` };
  const archive = await readOvfStoreArchive(await readVolume(spm, place, volume, size, signal));
  if (!archive.ok) return { ...base, ovfs: undefined, fault: archive.problem };
  return { ...base, ovfs: archive.ovfs };
}
