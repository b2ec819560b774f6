/** Step: find the two OVF_STORE disks, or create what is missing; and remove what this operation created. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import type { OvfStoreDisk, UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { correlationOf, deriveId } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { isCode } from '../vdsm/errors.ts';
import { runTask } from '../vdsm/tasks.ts';
import { formatOvfStoreDescription } from './ovf-store-archive.ts';
import { findOvfStores, OVF_STORE_BYTES, OVF_STORE_COPIES } from './ovf-store.ts';
import { callOptions } from './volumes.ts';

type Input = StepCall & { readonly facts: UpgradeFacts };

const TASK_POLL_MS = 200;

/** Ids of the disks that this operation creates, if it must; always the same, so that trying twice creates once. */
function ownDisks(call: StepCall): VolumeRef[] {
  return Array.from({ length: OVF_STORE_COPIES }, (_, copy) => ({
    image: deriveId(call.operationId, `ovf-store-image-${copy}`),
    volume: deriveId(call.operationId, `ovf-store-volume-${copy}`),
  }));
}

async function createDisk(spm: VdsmClient, input: Input, disk: VolumeRef, context: StepContext): Promise<void> {
  const { facts } = input;
  context.waitsFor(`${spm.name} to create OVF_STORE volume ${disk.volume}`);
  try {
    const task = await spm.call(
      'Volume.create',
      {
        volumeID: disk.volume,
        storagepoolID: facts.dataCenter.id,
        storagedomainID: facts.domain.id,
        imageID: disk.image,
        size: OVF_STORE_BYTES,
        volFormat: 'RAW',
        preallocate: facts.domain.type === 'iscsi' || facts.domain.type === 'fc' ? 'PREALLOCATED' : 'SPARSE',
        diskType: 'OVFS',
        desc: formatOvfStoreDescription({ updated: false, domainId: facts.domain.id }),
      },
      callOptions(input, context.signal),
    );
    await runTask(spm, task, {
      signal: context.signal,
      correlationId: correlationOf(input.operationId),
      pollMs: TASK_POLL_MS,
      verb: 'Volume.create',
      heartbeat: ({ taskState }) => context.waitsFor(`${spm.name}: creation of ${disk.volume} is ${taskState}`),
    });
  } catch (error) {
    // An earlier try whose answer was lost made it: the ids are the same.
    if (!isCode(error, 212)) throw error;
  }
}

export function ensureOvfStoreDisks({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly OvfStoreDisk[]>> => {
    const { hosts } = clusters.get(input.cluster);
    const { facts } = input;
    const spm = await hosts.spm(facts.dataCenter.id, context.signal);
    const own = ownDisks(input);
    const isOwn = (ref: VolumeRef) => own.some((disk) => disk.volume === ref.volume);
    const present = await findOvfStores(spm, facts.domain.id, context.signal);
    const missing = OVF_STORE_COPIES - present.length;
    const toCreate = own
      .filter((disk) => !present.some((found) => found.volume === disk.volume))
      .slice(0, Math.max(0, missing));
    for (const disk of toCreate) await createDisk(spm, input, disk, context);
    const now = await findOvfStores(spm, facts.domain.id, context.signal);
    if (now.length < OVF_STORE_COPIES) {
      throw new CounterpartError({
        type: 'storage/ovf-store-not-seen',
        kind: 'retryable',
        subject: `storage domain ${facts.domain.id}`,
        what: 'a created OVF_STORE volume is not listed',
        why: `${now.length} of ${OVF_STORE_COPIES} are there`,
        remedy: 'It is tried again by itself.',
      });
    }
    const value = now.map(({ image, volume }) => ({ image, volume, createdByUs: isOwn({ image, volume }) }));
    if (toCreate.length > 0) {
      const summary = `${toCreate.length} created through ${spm.name}, ${now.length - toCreate.length} there before`;
      return { done: 'now', summary, value };
    }
    return { done: 'before', summary: `${now.length} OVF_STORE disks are there`, value };
  };
}

/** Compensation: removes this operation's volumes, nobody else's. */
export function removeOvfStoreDisks({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { hosts } = clusters.get(input.cluster);
    const { facts } = input;
    const spm = await hosts.spm(facts.dataCenter.id, context.signal);
    const present = await findOvfStores(spm, facts.domain.id, context.signal);
    const ours = ownDisks(input).filter((disk) => present.some((found) => found.volume === disk.volume));
    for (const disk of ours) {
      const place = { imageID: disk.image, storagepoolID: facts.dataCenter.id, storagedomainID: facts.domain.id };
      const task = await spm.call('Image.delete', place, callOptions(input, context.signal));
      await runTask(spm, task, {
        signal: context.signal,
        correlationId: correlationOf(input.operationId),
        pollMs: TASK_POLL_MS,
        verb: 'Image.delete',
      });
    }
    if (ours.length === 0) return { done: 'before', summary: 'this operation created none', value: null };
    return { done: 'now', summary: `${ours.length} removed`, value: null };
  };
}
