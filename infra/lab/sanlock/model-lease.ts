/** Taking and giving back a lease on a modelled daemon: the questions sanlock asks before it takes one, in its order. */
import { type LeaseName, type LeaseVersion, type ModelDisk, Refused } from './model-disk.ts';
import type { ModelSpace } from './model-space.ts';
import type { ModelTime } from './model-time.ts';
import { RV } from './wire.ts';

export interface LeaseOptions {
  readonly space: ModelSpace;
  readonly lease: LeaseName;
  readonly disk: ModelDisk;
  readonly time: ModelTime;
}

/**
 * Answers at once when the lease is free or its owner was seen to renew at our last look; else waits until the owner is
 * dead, 8 io + watchdog after its last renewal that we saw.
 * @returns 0, or sanlock's number @throws Killed
 */
export async function acquireLease(options: LeaseOptions, noWait: boolean): Promise<number> {
  try {
    for (;;) {
      const current = await options.disk.readLease(options.lease, options.space.options.io);
      const verdict = await judge(options, current, noWait);
      if (verdict === 'changed') continue;
      if (verdict !== 'take') return verdict;
      return (await take(options, current)) ? 0 : RV.OWNED;
    }
  } catch (error) {
    if (error instanceof Refused) return error.result;
    throw error;
  }
}

async function take({ space, lease, disk, time }: LeaseOptions, current: LeaseVersion): Promise<boolean> {
  const { hostId, io } = space.options;
  const next = { version: current.version + 1, owner: hostId, generation: space.generation, timestamp: stamp(time) };
  return await disk.writeLease(lease, next, io);
}

const stamp = (time: ModelTime) => Math.max(1, Math.floor(time.now()));

type Verdict = 'take' | 'changed' | number;

async function judge(options: LeaseOptions, current: LeaseVersion, noWait: boolean): Promise<Verdict> {
  const { space, lease, disk, time } = options;
  const { name, hostId, io, watchdog } = space.options;
  // Free, or ours: of this generation after a lost answer, or of one before a restart.
  if (current.timestamp === 0 || current.owner === hostId) return 'take';
  const known = space.status(current.owner);
  const looked = known !== undefined && known.lastLive > 0 && known.slot.generation === current.generation;
  const since = looked ? known.lastLive : time.now();
  let timestamp = looked ? known.slot.timestamp : undefined;
  for (;;) {
    const slot = await disk.readSlot(space.options, name, current.owner, io);
    if (slot.timestamp === 0 || slot.generation > current.generation) return 'take';
    if (timestamp !== undefined) {
      if (slot.timestamp !== timestamp || (looked && known.lastCheck === known.lastLive)) return RV.IDLIVE;
      if (time.now() - since > 8 * slot.io + watchdog) return 'take';
      if (noWait) return RV.OWNED_RETRY;
    }
    timestamp = slot.timestamp;
    await time.sleep(1);
    if (space.killing) return RV.ENOSPC;
    const now = await disk.readLease(lease, io);
    if (now.version !== current.version) return 'changed';
  }
}

/** Until it is done, or the lockspace is lost. @throws Killed */
export async function releaseLease({ space, lease, disk, time }: LeaseOptions): Promise<void> {
  const { hostId, io } = space.options;
  while (!space.killing) {
    try {
      const current = await disk.readLease(lease, io);
      if (current.owner !== hostId || current.generation !== space.generation || current.timestamp === 0) return;
      const next = { version: current.version + 1, owner: 0, generation: 0, timestamp: 0 };
      if (await disk.writeLease(lease, next, io)) return;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    await time.sleep(1);
  }
}
