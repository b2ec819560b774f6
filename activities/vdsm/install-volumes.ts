/** Step: the volumes of a new hosted engine, and growing the engine's disk when the appliance is on it. */
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import type { InstallPlan } from '../../workflows/model/install.ts';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';
import { formatOvfStoreDescription } from '../storage/ovf-store-description.ts';
import { OVF_STORE_BYTES } from '../storage/ovf-store.ts';
import { callOptions } from '../storage/volumes.ts';
import type { VdsmClient } from './client.ts';
import { isCode } from './errors.ts';
import { connectExport, firstHost, poolOf, type Planned } from './first-host.ts';
import { becomeSpm } from './pools.ts';
import { runTask } from './tasks.ts';
import type { DiskType, VdsmVerbs } from './verbs.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const BLOCK = 4096;
const TASK_POLL_MS = 200;
const NO_VOLUME = [201, 254];

interface NewVolume extends VolumeRef {
  readonly bytes: number;
  readonly diskType: DiskType;
  readonly description: string;
  readonly preallocate: 'SPARSE' | 'PREALLOCATED';
}

/** The engine's disk is as large as the appliance at first: writing a file volume cuts it there, growing comes after. */
function volumesOf(plan: InstallPlan): readonly NewVolume[] {
  const service = (ref: VolumeRef, bytes: number, diskType: DiskType, description: string): NewVolume => ({
    ...ref,
    bytes,
    diskType,
    description,
    preallocate: 'PREALLOCATED',
  });
  const description = formatOvfStoreDescription({ updated: false, domainId: plan.domain });
  return [
    {
      ...plan.disk,
      bytes: Math.ceil(plan.applianceBytes / BLOCK) * BLOCK,
      diskType: 'HEVD',
      description: 'he_virtio_disk',
      preallocate: 'SPARSE',
    },
    service(plan.lockspace, GIB, 'HESD', 'he_sanlock'),
    service(plan.metadata, 128 * MIB, 'HEMD', 'he_metadata'),
    service(plan.configuration, GIB, 'HECI', 'HostedEngineConfigurationImage'),
    ...plan.ovfStores.map((store): NewVolume => ({
      ...store,
      bytes: OVF_STORE_BYTES,
      diskType: 'OVFS',
      description,
      preallocate: 'SPARSE',
    })),
  ];
}

function idsOf(plan: InstallPlan, { image, volume }: VolumeRef) {
  return { storagepoolID: plan.pool, storagedomainID: plan.domain, imageID: image, volumeID: volume };
}

/** Undefined when there is no such volume. */
export async function volumeIn(
  host: VdsmClient,
  plan: InstallPlan,
  ref: VolumeRef,
  signal: AbortSignal,
): Promise<VdsmVerbs['Volume.getInfo']['result'] | undefined> {
  try {
    return await host.call('Volume.getInfo', idsOf(plan, ref), { signal });
  } catch (error) {
    if (NO_VOLUME.some((code) => isCode(error, code))) return undefined;
    throw error;
  }
}

export function createHostedEngineVolumes(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const { plan } = input;
    const { signal } = context;
    const host = firstHost(counterparts, input);
    const options = callOptions(input, signal);
    await connectExport(host, input.answers.storage, signal);
    await becomeSpm(host, input, poolOf(plan), signal);
    let created = 0;
    for (const { bytes, diskType, description: desc, preallocate, ...ref } of volumesOf(plan)) {
      if ((await volumeIn(host, plan, ref, signal)) !== undefined) continue;
      context.waitsFor(`${host.name} to create ${desc.startsWith('{') ? 'an OVF_STORE' : desc}`);
      const wanted = { size: bytes, volFormat: 'RAW', preallocate, diskType, desc } as const;
      const task = await host.call('Volume.create', { ...idsOf(plan, ref), ...wanted }, options);
      await runTask(host, task, { ...options, pollMs: TASK_POLL_MS, verb: 'Volume.create' });
      created += 1;
    }
    const all = volumesOf(plan).length;
    const summary = `${created} of ${all} volumes created through ${host.name}, ${all - created} were there`;
    return { done: created === 0 ? 'before' : 'now', summary, value: null };
  };
}

/** Grows the disk to what was asked for. The size says whether that was done. */
export async function growDisk(host: VdsmClient, input: Planned, signal: AbortSignal): Promise<boolean> {
  const { plan, answers } = input;
  const newSize = answers.vm.diskGiB * GIB;
  const info = await volumeIn(host, plan, plan.disk, signal);
  if (info !== undefined && info.capacity >= newSize && info.apparentsize >= newSize) return false;
  const options = callOptions(input, signal);
  const task = await host.call('Volume.extendSize', { ...idsOf(plan, plan.disk), newSize }, options);
  await runTask(host, task, { ...options, pollMs: TASK_POLL_MS, verb: 'Volume.extendSize' });
  return true;
}
