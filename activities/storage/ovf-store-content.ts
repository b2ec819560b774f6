/** Step: write the engine VM's OVF to both OVF_STORE copies, one after the other, and read each back. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { BackupRef } from '../../workflows/model/hosted-engine.ts';
import type { ConvertedDefinition, OvfStoreDisk, UpgradeFacts } from '../../workflows/model/upgrade.ts';
import { readBackup, type Backup } from '../archive/read-backup.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { buildOvfStoreArchive, formatOvfStoreDescription } from './ovf-store-archive.ts';
import { findOvfStores, readCopy, type CopyContent } from './ovf-store.ts';
import { callOptions, readVolume, writeVolume, type FoundVolume } from './volumes.ts';

type Input = StepCall & {
  readonly facts: UpgradeFacts;
  readonly disks: readonly OvfStoreDisk[];
  readonly definition: ConvertedDefinition;
};

/** Where the copies lie. */
type StorePlace = {
  readonly dataCenter: { readonly id: string };
  readonly domain: { readonly id: string };
};

function placeOf(facts: StorePlace) {
  return { pool: facts.dataCenter.id, domain: facts.domain.id };
}

async function describe(
  spm: VdsmClient,
  call: StepCall,
  facts: StorePlace,
  copy: FoundVolume,
  description: string,
  signal: AbortSignal,
) {
  await spm.call(
    'Volume.setDescription',
    {
      volumeID: copy.volume,
      storagepoolID: facts.dataCenter.id,
      storagedomainID: facts.domain.id,
      imageID: copy.image,
      description,
    },
    callOptions(call, signal),
  );
}

/**
 * Replaces a copy's content: marked as not valid first and as valid last, so that a crash in between leaves a copy that
 * nobody trusts (engine.md 11.4).
 */
async function replaceCopy(
  spm: VdsmClient,
  call: StepCall,
  facts: StorePlace,
  copy: FoundVolume,
  ovfs: ReadonlyMap<string, string>,
  context: StepContext,
): Promise<void> {
  const { signal } = context;
  const domainId = facts.domain.id;
  const updatedAt = context.now();
  const archive = await buildOvfStoreArchive({ ovfs, domainId, updatedAt });
  await describe(spm, call, facts, copy, formatOvfStoreDescription({ updated: false, domainId }), signal);
  context.waitsFor(`${spm.name} to take ${archive.length} bytes for OVF_STORE ${copy.volume}`);
  await writeVolume(spm, placeOf(facts), copy, archive, signal);
  const readBack = await readVolume(spm, placeOf(facts), copy, archive.length, signal);
  if (sha256(readBack) !== sha256(archive)) {
    throw new CounterpartError({
      type: 'storage/read-back-differs',
      kind: 'retryable',
      subject: `OVF_STORE ${copy.volume}`,
      what: 'what was read back is not what was written',
      why: `SHA-256 ${sha256(readBack).slice(0, 12)} instead of ${sha256(archive).slice(0, 12)}`,
      remedy: 'It is written again by itself; if it lasts, somebody else writes to the disk or the storage is broken.',
    });
  }
  const description = formatOvfStoreDescription({ updated: true, domainId, size: archive.length, updatedAt });
  await describe(spm, call, facts, copy, description, signal);
}

/** The OVFs of other VMs that the stores hold: they must not be lost by writing ours. The newer copy wins. */
function otherVms(copies: readonly CopyContent[]): Map<string, string> {
  const time = (copy: CopyContent) => copy.description?.lastUpdated?.getTime() ?? 0;
  const [newest] = copies.filter((copy) => copy.ovfs !== undefined).toSorted((a, b) => time(b) - time(a));
  return new Map(newest?.ovfs ?? []);
}

function isCurrent(copy: CopyContent, wanted: ReadonlyMap<string, string>): boolean {
  const { ovfs } = copy;
  return ovfs !== undefined && ovfs.size === wanted.size && [...wanted].every(([id, ovf]) => ovfs.get(id) === ovf);
}

interface WrittenCopies {
  readonly volumes: number;
  /** How many did not hold it yet. */
  readonly stale: number;
  /** OVFs of other VMs that were kept. */
  readonly kept: number;
  /** What was wrong with a copy before. */
  readonly notes: readonly string[];
}

/** Brings this VM's OVF into each copy that does not hold it yet, one after the other; the OVFs of other VMs are kept. */
export async function writeOvfToCopies(
  spm: VdsmClient,
  call: StepCall,
  facts: StorePlace,
  vm: { readonly id: string; readonly ovf: string },
  context: StepContext,
): Promise<WrittenCopies> {
  const volumes = await findOvfStores(spm, facts.domain.id, context.signal);
  const copies: CopyContent[] = [];
  for (const volume of volumes) copies.push(await readCopy(spm, placeOf(facts), volume, context.signal));
  const wanted = otherVms(copies).set(vm.id, vm.ovf);
  const stale = volumes.filter((_, index) => !(copies[index] !== undefined && isCurrent(copies[index], wanted)));
  for (const volume of stale) await replaceCopy(spm, call, facts, volume, wanted, context);
  const notes = copies.flatMap((copy) => (copy.fault === undefined ? [] : [`${copy.volume} before: ${copy.fault}`]));
  return { volumes: volumes.length, stale: stale.length, kept: wanted.size - 1, notes };
}

export function writeOvf({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts, definition } = input;
    const spm = await clusters.get(input.cluster).hosts.spm(facts.dataCenter.id, context.signal);
    const vm = { id: facts.vm.id, ovf: definition.ovf };
    const { volumes, stale, kept, notes } = await writeOvfToCopies(spm, input, facts, vm, context);
    if (stale === 0) {
      return {
        done: 'before',
        summary: `both copies hold this OVF (SHA-256 ${definition.sha256.slice(0, 12)})`,
        notes,
        value: null,
      };
    }
    const summary = `${stale} of ${volumes} copies written through ${spm.name} and read back equal; ${kept} other OVFs kept`;
    return { done: 'now', summary, notes, value: null };
  };
}

/** Former content and description of a copy, as the backup holds them; marked as not valid in between. */
export async function putCopyBack(
  spm: VdsmClient,
  call: StepCall,
  facts: StorePlace,
  volume: FoundVolume,
  backup: Backup,
  { signal }: StepContext,
): Promise<void> {
  const content = await backup.find(`ovf-store-${volume.volume}.tar`);
  const description = await backup.find(`ovf-store-${volume.volume}.json`);
  if (content !== undefined) {
    const begun = formatOvfStoreDescription({ updated: false, domainId: facts.domain.id });
    await describe(spm, call, facts, volume, begun, signal);
    await writeVolume(spm, placeOf(facts), volume, content, signal);
  }
  if (description !== undefined) await describe(spm, call, facts, volume, description.toString('utf8'), signal);
}

type RestoreInput = StepCall & {
  readonly facts: UpgradeFacts;
  readonly disks: readonly OvfStoreDisk[];
  readonly backup: BackupRef;
};

/** Compensation: disks that were there before get their former content back, from the backup. */
export function restoreOvfStores({ clusters, archive }: Counterparts) {
  return async (context: StepContext, input: RestoreInput): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const foreign = input.disks.filter((disk) => !disk.createdByUs);
    if (foreign.length === 0) return { done: 'before', summary: 'the disks are this operation’s own', value: null };
    const backup = await readBackup(archive, input.backup);
    const spm = await clusters.get(input.cluster).hosts.spm(facts.dataCenter.id, context.signal);
    const volumes = await findOvfStores(spm, facts.domain.id, context.signal);
    for (const disk of foreign) {
      const volume = volumes.find((found) => found.volume === disk.volume);
      if (volume !== undefined) await putCopyBack(spm, input, facts, volume, backup, context);
    }
    return { done: 'now', summary: `former content of ${foreign.length} disks put back from the backup`, value: null };
  };
}
