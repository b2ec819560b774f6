/** Restoring the engine VM's OVF: both OVF_STORE copies, one after the other. */
import type { Backup } from '../archive/read-backup.ts';
import { sha256 } from '../ids.ts';
import { compareOvfs, describeOvf, type OvfDescription } from '../ovf/read-ovf.ts';
import { chooseOvfStore, parseOvfStoreDescription, type OvfStoreCopy } from './ovf-store-archive.ts';
import { putCopyBack, writeOvfToCopies } from './ovf-store-content.ts';
import { findOvfStores, readCopy } from './ovf-store.ts';
import { unusable, type Difference, type RestorePlace } from './restore-item.ts';

const ENGINE_NEXT =
  'while the engine runs it writes its own definition over the copies with its next update (within the hour): change the VM there, too, if that is not as restored';

/** The OVF that counted when the backup was taken: the newest valid copy's, else the engine's own. */
async function ovfOf(backup: Backup, vmId: string): Promise<string> {
  const copies: OvfStoreCopy[] = [];
  for (const { name } of backup.manifest.entries) {
    const volume = /^ovf-store-(.+)\.json$/.exec(name)?.[1];
    const description = parseOvfStoreDescription((await backup.find(name))?.toString('utf8') ?? '');
    if (volume === undefined || description === undefined) continue;
    copies.push({ name: volume, description, volume: await backup.find(`ovf-store-${volume}.tar`) });
  }
  const { chosen, verdicts } = await chooseOvfStore(copies, vmId);
  if (chosen !== undefined) return chosen.ovf;
  const own = (await backup.find('engine-vm.ovf'))?.toString('utf8');
  const described = own === undefined ? undefined : describeOvf(own);
  if (own !== undefined && described?.ok === true && described.description.vmId === vmId) return own;
  const why = verdicts.map((verdict) => verdict.why).join('; ') || 'it has no OVF_STORE copy';
  throw unusable('ovf', `the backup holds no usable OVF of VM ${vmId}: ${why}`);
}

function words(description: OvfDescription, field: keyof OvfDescription): string {
  const value = description[field];
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function differences(now: string, then: string): string[] {
  if (now === then) return [];
  const [left, right] = [describeOvf(now), describeOvf(then)];
  if (!left.ok || !right.ok) return ['can’t be read now'];
  const fields = compareOvfs(left.description, right.description);
  if (fields.length === 0)
    return [
      `differs in details only: SHA-256 ${sha256(now).slice(0, 12)} now, ${sha256(then).slice(0, 12)} in the backup`,
    ];
  return fields.map(
    (field) => `${field}: ${words(left.description, field)} now, ${words(right.description, field)} in the backup`,
  );
}

export async function compareOvf(at: RestorePlace, vmId: string): Promise<Difference> {
  const { spm, place, context } = at;
  const then = await ovfOf(at.from, vmId);
  const volumes = await findOvfStores(spm, place.domain, context.signal);
  if (volumes.length === 0) throw unusable('ovf', 'the storage domain has no OVF_STORE disk to put it into');
  const lines: string[] = [];
  for (const volume of volumes) {
    const copy = await readCopy(spm, place, volume, context.signal);
    const now = copy.ovfs?.get(vmId);
    const found = now === undefined ? [copy.fault ?? 'it does not hold the VM'] : differences(now, then);
    lines.push(...found.map((line) => `copy ${volume.volume.slice(0, 8)}: ${line}`));
  }
  return { lines, notes: lines.length === 0 ? [] : [ENGINE_NEXT] };
}

/** @returns whether a copy had to be written. */
export async function restoreOvf({ spm, call, facts, context, from }: RestorePlace, vmId: string): Promise<boolean> {
  const vm = { id: vmId, ovf: await ovfOf(from, vmId) };
  return (await writeOvfToCopies(spm, call, facts, vm, context)).stale > 0;
}

/**
 * Compensation: content and description as they were, of the copies that hold what was restored or were left half
 * written; one that the engine has written since is newer than both.
 */
export async function putOvfBack(at: RestorePlace, vmId: string, before: Backup): Promise<boolean> {
  const { spm, place, call, facts, context } = at;
  const restored = await ovfOf(at.from, vmId);
  let written = false;
  for (const volume of await findOvfStores(spm, facts.domain.id, context.signal)) {
    const copy = await readCopy(spm, place, volume, context.signal);
    if (copy.fault === undefined && copy.ovfs?.get(vmId) !== restored) continue;
    await putCopyBack(spm, call, facts, volume, before, context);
    written = true;
  }
  return written;
}
