import type { Context } from '../context.ts';
import { OvfUnreadable, readOvf } from '../ovf/reader.ts';
import type { Domain, Vm } from './model.ts';
import { messageOf } from '../work/domain-life.ts';
import { storageHost } from '../work/host-door.ts';
import { vmOf } from '../work/import-vm.ts';
import { createMissingStores, ovfStoreDisk, triggerOvfUpdate } from '../work/ovf-update.ts';

/**
 * Makes the database of a lab that starts managed agree with its storage: the OVF_STORE disks become known, and the
 * engine VM is as the OVF in them says. Where storage has none yet, the engine writes its own.
 *
 * Called with each monitoring round and done once; until a host answers nothing can be read.
 */
export async function adoptStoredOvf(context: Context): Promise<void> {
  const { fixture, state } = context;
  const domain = state.domains.find((one) => one.id === fixture.heDomain.id);
  const vm = state.vms.find((one) => one.id === fixture.vm.id && one.origin === 'managed_hosted_engine');
  const host = storageHost(context);
  if (!fixture.managed || domain?.attachment?.status !== 'active' || vm === undefined || host === undefined) return;
  if (state.disks.some((disk) => disk.domainId === domain.id && disk.contentType === 'ovf_store')) return;
  let release: () => void;
  try {
    release = context.lock('read OVF', `ovf:${domain.id}`);
  } catch {
    return;
  }
  try {
    const stores = await context.gateway.readOvfStores(host, domain.attachment.dataCenterId, domain.id);
    for (const store of stores) state.disks.push(ovfStoreDisk(store.image, store.volume, domain));
    await createMissingStores(context, domain);
    const newest = stores.toSorted((a, b) => b.lastUpdated - a.lastUpdated).find((store) => store.updated);
    adopt(context, vm, newest?.entries.find((entry) => entry.name === `${vm.id}.ovf`)?.text, domain);
    context.changed();
  } catch (error) {
    context.log(`OVF_STORE of ${domain.name} cannot be read yet: ${messageOf(error)}`);
  } finally {
    release();
  }
}

function adopt(context: Context, vm: Vm, text: string | undefined, domain: Domain): void {
  if (text === undefined) return triggerOvfUpdate(context, vm);
  try {
    const ovf = readOvf(text);
    const cluster = context.state.clusters.find((one) => one.id === vm.clusterId);
    if (cluster === undefined) return;
    const { status, hostId, attachments, startedAt, origin } = vm;
    const stored = vmOf(context, { id: vm.id, name: ovf.name, ovf, cluster, replaces: vm, reassign: false });
    // The lab's promise holds whatever the OVF says: protected, and with room to add memory.
    Object.assign(vm, stored, { status, attachments, origin, startedAt, deleteProtected: true, ovf: text });
    vm.maxMemoryMb = Math.max(vm.maxMemoryMb, vm.memoryMb + 1024);
    if (hostId !== undefined) vm.hostId = hostId;
  } catch (error) {
    if (!(error instanceof OvfUnreadable)) throw error;
    context.event(
      1195,
      'warning',
      `The OVF of VM ${vm.name} in domain ${domain.name} could not be read: ${error.message}.`,
      { domainId: domain.id },
    );
    triggerOvfUpdate(context, vm);
  }
}
