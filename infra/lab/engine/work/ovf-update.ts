/** Writing VMs to the OVF_STORE disks of their domain (engine.md 11.4). */
import { randomUUID } from 'node:crypto';

import type { Cause, Context } from '../context.ts';
import type { TarEntry } from '../gateway.ts';
import { refused } from '../http/engine-fault.ts';
import { writeOvf } from '../ovf/writer.ts';
import type { Disk, Domain, Vm } from '../state/model.ts';
import { storageHost } from './host-door.ts';

const OVF_STORE_BYTES = 128 * 1024 ** 2;
const OVF_STORES = 2;
/** Numeric VM statuses of metadata.json: only VMs that are not down are listed. */
const NUMERIC_STATUS: Readonly<Record<string, number>> = {
  up: 1,
  powering_up: 2,
  paused: 4,
  migrating: 5,
  unknown: 7,
  powering_down: 16,
};

const lockOf = (domain: Domain) => `ovf:${domain.id}`;

/** Generates the VM's OVF anew, as after each change. */
export function regenerate(context: Context, vm: Vm): void {
  vm.generation += 1;
  vm.ovf = writeOvf(context, vm);
  context.changed();
}

export function vmsOn(context: Context, domain: Domain): readonly Vm[] {
  const disks = new Set(context.state.disks.filter((disk) => disk.domainId === domain.id).map((disk) => disk.id));
  return context.state.vms.filter((vm) => vm.attachments.some((attachment) => disks.has(attachment.diskId)));
}

/** An OVF update soon after a VM has changed: prompt, but not part of the command (`OvfDataUpdater.triggerNow`). */
export function triggerOvfUpdate(context: Context, vm: Vm): void {
  if (context.faults.ovfLate()) return;
  const domains = context.state.domains.filter((domain) => vmsOn(context, domain).includes(vm));
  for (const domain of domains) {
    context.inBackground(`OVF update of ${domain.name}`, async () => {
      let unlock: (() => void) | undefined;
      while (unlock === undefined && !context.ending) {
        try {
          unlock = context.lock('update OVF', lockOf(domain));
        } catch {
          // Another update writes the domain: ours must come after it, or the change would be missing.
          await context.sleep(500);
        }
      }
      try {
        if (unlock !== undefined) await writeStores(context, domain);
      } finally {
        unlock?.();
      }
    });
  }
}

/** `updateovfstore`: 409 while another update runs. */
export async function updateOvfStore(context: Context, domain: Domain, cause: Cause): Promise<void> {
  let unlock: () => void;
  try {
    if (context.faults.ovfBusy()) throw refused(409, '');
    unlock = context.lock('update', lockOf(domain));
  } catch {
    // The command forgets to set its variables, so the raw placeholder reaches the client (engine.md 3).
    throw refused(409, 'Cannot ${action} Storage. Storage Domain OVF data is currently being updated.');
  }
  try {
    if (!(await writeStores(context, domain)))
      throw refused(409, 'Cannot update OVF_STORE. Failed to update OVF disks.');
    context.event(199, 'normal', `OVF_STORE for domain ${domain.name} was updated by the user.`, {
      domainId: domain.id,
      ...cause,
    });
  } finally {
    unlock();
  }
}

async function writeStores(context: Context, domain: Domain): Promise<boolean> {
  const host = storageHost(context);
  const poolId = domain.attachment?.dataCenterId;
  if (host === undefined || poolId === undefined || domain.attachment?.status !== 'active') return false;
  try {
    await context.gateway.writeOvfStores(host, poolId, domain.id, entriesOf(context, domain));
    return true;
  } catch (error) {
    context.event(
      1016,
      'warning',
      `Failed to update OVF disks of storage domain ${domain.name}; OVF data is not up to date there.`,
      { domainId: domain.id },
    );
    context.log(`OVF update of ${domain.name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** The tar's members, in the engine's order. */
export function entriesOf(context: Context, domain: Domain): readonly TarEntry[] {
  const vms = vmsOn(context, domain);
  const running = vms.filter((vm) => vm.status !== 'down').map((vm) => [vm.id, String(NUMERIC_STATUS[vm.status] ?? 1)]);
  const info = { 'Last Updated': javaDate(new Date()), 'Storage Domains': [{ uuid: domain.id }] };
  return [
    { name: 'info.json', text: JSON.stringify(info, null, 2) },
    ...vms.map((vm) => ({ name: `${vm.id}.ovf`, text: vm.ovf })),
    { name: 'metadata.json', text: JSON.stringify({ 'VM Status': Object.fromEntries(running) }, null, 2) },
    ...context.state.unregistered
      .filter((one) => one.domainId === domain.id)
      .map((one) => ({ name: `${one.id}.ovf`, text: one.ovf })),
  ];
}

/** Java's date text, like `Wed Jul 01 11:43:07 UTC 2020`. */
export function javaDate(date: Date): string {
  const [, day, dayOfMonth, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${day} ${month} ${dayOfMonth} ${time} UTC ${year}`;
}

/** Description of a store that was never written. */
function emptyDescription(domain: Domain): string {
  return JSON.stringify({
    Updated: false,
    'Last Updated': null,
    'Storage Domains': [{ uuid: domain.id }],
    'Disk Description': 'OVF_STORE',
  });
}

export function ovfStoreDisk(image: string, volume: string, domain: Domain): Disk {
  return {
    id: image,
    volumeId: volume,
    name: 'OVF_STORE',
    description: 'OVF_STORE',
    domainId: domain.id,
    provisionedSize: OVF_STORE_BYTES,
    actualSize: OVF_STORE_BYTES,
    format: 'raw',
    sparse: true,
    status: 'ok',
    contentType: 'ovf_store',
    shareable: true,
    wipeAfterDelete: false,
  };
}

/** A data domain has two OVF_STORE disks (`StorageDomainOvfStoreCount`): the engine creates what is missing. */
export async function createMissingStores(context: Context, domain: Domain): Promise<void> {
  const poolId = domain.attachment?.dataCenterId;
  for (;;) {
    const host = storageHost(context);
    const count = context.state.disks.filter(
      (disk) => disk.domainId === domain.id && disk.contentType === 'ovf_store',
    ).length;
    if (host === undefined || poolId === undefined || count >= OVF_STORES) return;
    const disk = ovfStoreDisk(randomUUID(), randomUUID(), domain);
    await context.gateway.createVolume(host, poolId, domain.id, {
      image: disk.id,
      volume: disk.volumeId,
      capacity: OVF_STORE_BYTES,
      format: 'raw',
      sparse: true,
      diskType: 'OVFS',
      description: emptyDescription(domain),
    });
    context.state.disks.push(disk);
    context.changed();
  }
}
