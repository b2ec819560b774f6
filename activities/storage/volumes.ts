/** Volumes of a storage domain as VDSM shows them, and reading and writing their content through the SPM. */
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import type { StepCall } from '../../workflows/model/operation.ts';
import { correlationOf } from '../ids.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { getVolume, putVolume } from '../vdsm/data-stream.ts';
import { runTask } from '../vdsm/tasks.ts';
import { BLANK_UUID } from '../vdsm/verbs.ts';

const TASK_POLL_MS = 200;

export interface FoundVolume extends VolumeRef {
  readonly diskType: string;
  readonly description: string;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly format: string;
  readonly allocation: string;
}

/** What identifies a volume's place: a domain need not be attached to the pool whose SPM does the work. */
export interface Place {
  readonly pool: string;
  readonly domain: string;
}

export async function volumeInfo(
  host: VdsmClient,
  domain: string,
  ref: VolumeRef,
  signal: AbortSignal,
): Promise<FoundVolume> {
  const info = await host.call(
    'Volume.getInfo',
    { volumeID: ref.volume, storagepoolID: BLANK_UUID, storagedomainID: domain, imageID: ref.image },
    { signal },
  );
  return {
    image: ref.image,
    volume: ref.volume,
    diskType: info.disktype,
    description: info.description,
    capacityBytes: info.capacity,
    usedBytes: info.truesize,
    format: info.format,
    allocation: info.type,
  };
}

/**
 * Every volume of the domain. A volume that can't be read fails the whole: "no OVF_STORE" must never be concluded from
 * a failed look (vdsm.md 11).
 */
export async function listVolumes(host: VdsmClient, domain: string, signal: AbortSignal): Promise<FoundVolume[]> {
  const images = await host.call('StorageDomain.getImages', { storagedomainID: domain }, { signal });
  const found: FoundVolume[] = [];
  for (const image of images) {
    const volumes = await host.call(
      'StorageDomain.getVolumes',
      { storagedomainID: domain, storagepoolID: BLANK_UUID, imageID: image },
      { signal },
    );
    for (const volume of volumes) found.push(await volumeInfo(host, domain, { image, volume }, signal));
  }
  return found;
}

function ids(place: Place, ref: VolumeRef) {
  return { pool: place.pool, domain: place.domain, image: ref.image, volume: ref.volume };
}

export function readVolume(
  spm: VdsmClient,
  place: Place,
  ref: VolumeRef,
  bytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  return getVolume(spm.peer, ids(place, ref), bytes, { signal });
}

/**
 * As `readVolume`, of a volume that may be shorter: a write that broke off leaves a file volume cut. Answers what is
 * there, at most `bytes`; nothing at all is an empty buffer.
 */
export async function readUpTo(
  spm: VdsmClient,
  place: Place,
  ref: VolumeRef,
  bytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const size = await spm.call(
    'Volume.getSize',
    { volumeID: ref.volume, storagepoolID: BLANK_UUID, storagedomainID: place.domain, imageID: ref.image },
    { signal },
  );
  const there = Math.min(bytes, size.apparentsize);
  return there < 1 ? Buffer.alloc(0) : readVolume(spm, place, ref, there, signal);
}

/**
 * Writes the content from the volume's start. VDSM answers 200 even when its task then fails (no space, no volume), so
 * the task's end decides.
 */
export async function writeVolume(
  spm: VdsmClient,
  place: Place,
  ref: VolumeRef,
  content: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const { taskId } = await putVolume(spm.peer, ids(place, ref), content, { signal });
  if (taskId !== undefined) await runTask(spm, taskId, { signal, pollMs: TASK_POLL_MS, verb: 'PUT of a volume' });
}

/** Options of each VDSM call of a step: VDSM logs the operation's id beside everything it does for it. */
export function callOptions(call: StepCall, signal: AbortSignal) {
  return { signal, correlationId: correlationOf(call.operationId) };
}
