/** NICs and disk attachments of a VM. */
import { randomUUID } from 'node:crypto';

import { choice, flag, int, require, sub, text } from '../codec/body.ts';
import type { Body } from '../codec/body.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { actionReply, byId, created, deleted, entity, list, variable } from '../http/call.ts';
import { notFound, refused } from '../http/engine-fault.ts';
import { NIC_MODELS } from '../ovf/enums.ts';
import type { DiskAttachment, Nic, Vm, VnicProfile } from '../state/model.ts';
import { attachmentView, isHostedEngine, nicView } from '../views/vm.ts';
import { freeMac } from '../work/import-vm.ts';
import { NOT_MANAGED_BY_ENGINE, UNMANAGED } from '../work/vm-rules.ts';
import { vmChanged, vmOf } from './vms.ts';

const DISK_INTERFACES = ['virtio', 'virtio_scsi', 'ide', 'sata'] as const;
const EMPTY_PROFILE = 'Hosted Engine VM cannot have a network interface with an empty vNIC profile.';

function checkManaged(vm: Vm, what: string): void {
  if (vm.origin === 'hosted_engine') throw refused(409, `Cannot ${what}. ${UNMANAGED}`);
}

const nicOf = (call: Call, vm: Vm): Nic => byId(vm.nics, variable(call, 'nic'));

/** Profile named in the body; `null` = explicitly empty. */
function profileOf(context: Context, body: Body): VnicProfile | null | undefined {
  const given = sub(body, 'vnic_profile');
  if (given === undefined) return undefined;
  const id = text(given, 'id');
  const name = text(given, 'name');
  if (id === undefined && name === undefined) return null;
  const found = context.state.profiles.find((one) => (id === undefined ? one.name === name : one.id === id));
  if (found === undefined) throw refused(400, 'Cannot change Interface. The vNIC profile does not exist.');
  return found;
}

function networkName(context: Context, profile: VnicProfile): string {
  return context.state.networks.find((one) => one.id === profile.networkId)?.name ?? profile.name;
}

function addNic(call: Call): Reply {
  const { context, body } = call;
  const vm = vmOf(call);
  checkManaged(vm, 'add Interface');
  require(body, 'Nic', 'add', 'name');
  const name = text(body, 'name') ?? '';
  if (vm.nics.some((one) => one.name === name))
    throw refused(409, 'Cannot add Interface. The network interface name is already in use.');
  const profile = profileOf(context, body);
  if (isHostedEngine(vm) && !profile) throw refused(400, `Cannot add Interface. ${EMPTY_PROFILE}`);
  const mac = text(body, 'mac', 'address')?.toLowerCase() ?? freeMac(context);
  checkMac(context, mac);
  const nic: Nic = {
    id: randomUUID(),
    name,
    ...(profile && { profileId: profile.id }),
    network: profile ? networkName(context, profile) : '',
    interface: choice(body, NIC_MODELS, 'interface') ?? 'virtio',
    mac,
    linked: flag(body, 'linked') ?? true,
    plugged: flag(body, 'plugged') ?? true,
    address: '',
  };
  vm.nics.push(nic);
  context.event(932, 'normal', `Interface ${name} was added to VM ${vm.name}.`, { vmId: vm.id, ...call.cause });
  vmChanged(call, vm);
  return created('nic', nicView(vm, nic));
}

function checkMac(context: Context, mac: string, except?: Nic): void {
  if (!/^(?:[\da-f]{2}:){5}[\da-f]{2}$/.test(mac))
    throw refused(400, 'Cannot change Interface. The MAC address is not valid.');
  const taken = context.state.vms.some((vm) => vm.nics.some((one) => one !== except && one.mac === mac));
  if (taken) throw refused(409, `Cannot change Interface. MAC Address ${mac} is already in use.`);
}

function updateNic(call: Call): Reply {
  const { context, body } = call;
  const vm = vmOf(call);
  const nic = nicOf(call, vm);
  checkManaged(vm, 'edit Interface');
  const profile = profileOf(context, body);
  if (profile === null && isHostedEngine(vm)) throw refused(400, `Cannot edit Interface. ${EMPTY_PROFILE}`);
  const plugged = flag(body, 'plugged');
  if (plugged === false) checkUnplug(vm, nic);
  const mac = text(body, 'mac', 'address')?.toLowerCase();
  if (mac !== undefined) checkMac(context, mac, nic);
  if (profile) {
    nic.profileId = profile.id;
    nic.network = networkName(context, profile);
  } else if (profile === null) {
    delete nic.profileId;
    nic.network = '';
  }
  nic.name = text(body, 'name') ?? nic.name;
  nic.interface = choice(body, NIC_MODELS, 'interface') ?? nic.interface;
  nic.linked = flag(body, 'linked') ?? nic.linked;
  nic.plugged = plugged ?? nic.plugged;
  nic.mac = mac ?? nic.mac;
  vmChanged(call, vm);
  return entity('nic', nicView(vm, nic));
}

/** Without its management network the engine would lose itself. */
function checkUnplug(vm: Vm, nic: Nic): void {
  const others = vm.nics.some((one) => one !== nic && one.plugged && one.network === nic.network);
  if (isHostedEngine(vm) && nic.network === 'ovirtmgmt' && !others) {
    throw refused(
      409,
      'Cannot deactivate Interface. It is not allowed to deactivate the management network of the hosted engine VM.',
    );
  }
}

function removeNic(call: Call): Reply {
  const vm = vmOf(call);
  const nic = nicOf(call, vm);
  checkManaged(vm, 'remove Interface');
  if (nic.plugged && vm.status !== 'down')
    throw refused(409, 'Cannot remove Interface. The VM Network Interface is plugged to a running VM.');
  vm.nics = vm.nics.filter((one) => one !== nic);
  vmChanged(call, vm);
  return deleted();
}

function plug(plugged: boolean): Route {
  const verb = plugged ? 'activate' : 'deactivate';
  return {
    method: 'POST',
    path: `vms/:vm/nics/:nic/${verb}`,
    action: true,
    handler: (call) => {
      const vm = vmOf(call);
      const nic = nicOf(call, vm);
      checkManaged(vm, `${verb} Interface`);
      if (!plugged) checkUnplug(vm, nic);
      nic.plugged = plugged;
      vmChanged(call, vm);
      return actionReply(call);
    },
  };
}

function attachmentOf(call: Call, vm: Vm): DiskAttachment {
  const found = vm.attachments.find((one) => one.diskId === variable(call, 'disk'));
  if (found === undefined) throw notFound();
  return found;
}

function addAttachment(call: Call): Reply {
  const { context, body } = call;
  const vm = vmOf(call);
  if (isHostedEngine(vm)) throw refused(400, `Cannot attach Virtual Disk. ${NOT_MANAGED_BY_ENGINE}`);
  require(body, 'DiskAttachment', 'add', 'disk.id|name', 'interface');
  const id = text(body, 'disk', 'id');
  const disk = context.state.disks.find(
    (one) => one.id === id || (id === undefined && one.name === text(body, 'disk', 'name')),
  );
  if (disk === undefined) throw refused(409, 'Cannot attach Virtual Disk. The specified disk does not exist.');
  if (context.state.vms.some((one) => one.attachments.some((other) => other.diskId === disk.id)) && !disk.shareable) {
    throw refused(409, 'Cannot attach Virtual Disk. The disk is already attached to a VM.');
  }
  const attachment: DiskAttachment = {
    diskId: disk.id,
    interface: choice(body, DISK_INTERFACES, 'interface') ?? 'virtio',
    bootable: flag(body, 'bootable') ?? false,
    active: flag(body, 'active') ?? false,
    readOnly: flag(body, 'read_only') ?? false,
    address: '',
  };
  if (attachment.bootable && vm.attachments.some((one) => one.bootable)) {
    throw refused(409, `Cannot attach Virtual Disk. VM ${vm.name} already has a bootable disk.`);
  }
  vm.attachments.push(attachment);
  vmChanged(call, vm);
  return created('disk_attachment', attachmentView(vm, attachment));
}

function updateAttachment(call: Call): Reply {
  const { body } = call;
  const vm = vmOf(call);
  const one = attachmentOf(call, vm);
  checkManaged(vm, 'edit Virtual Disk');
  grow(call, one.diskId);
  one.interface = choice(body, DISK_INTERFACES, 'interface') ?? one.interface;
  one.bootable = flag(body, 'bootable') ?? one.bootable;
  one.readOnly = flag(body, 'read_only') ?? one.readOnly;
  one.active = flag(body, 'active') ?? one.active;
  vmChanged(call, vm);
  return entity('disk_attachment', attachmentView(vm, one));
}

/** A disk can grow, never shrink. */
function grow({ context, body }: Call, diskId: string): void {
  const wanted = int(body, 'disk', 'provisioned_size');
  if (wanted === undefined) return;
  const disk = byId(context.state.disks, diskId);
  if (wanted < disk.provisionedSize)
    throw refused(409, 'Cannot edit Virtual Disk. New disk size cannot be smaller than the current.');
  disk.provisionedSize = wanted;
}

function removeAttachment(call: Call): Reply {
  const vm = vmOf(call);
  const one = attachmentOf(call, vm);
  if (isHostedEngine(vm))
    throw refused(409, 'Cannot remove Virtual Disk. The disk is part of the self hosted engine VM.');
  vm.attachments = vm.attachments.filter((other) => other !== one);
  vmChanged(call, vm);
  return deleted();
}

export const vmDeviceRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'vms/:vm/nics',
    handler: (call) => {
      const vm = vmOf(call);
      return list(
        'nics',
        'nic',
        vm.nics.map((nic) => nicView(vm, nic)),
      );
    },
  },
  { method: 'POST', path: 'vms/:vm/nics', handler: addNic },
  {
    method: 'GET',
    path: 'vms/:vm/nics/:nic',
    handler: (call) => {
      const vm = vmOf(call);
      return entity('nic', nicView(vm, nicOf(call, vm)));
    },
  },
  { method: 'PUT', path: 'vms/:vm/nics/:nic', handler: updateNic },
  { method: 'DELETE', path: 'vms/:vm/nics/:nic', handler: removeNic },
  plug(true),
  plug(false),
  {
    method: 'GET',
    path: 'vms/:vm/diskattachments',
    handler: (call) => {
      const vm = vmOf(call);
      return list(
        'disk_attachments',
        'disk_attachment',
        vm.attachments.map((one) => attachmentView(vm, one)),
      );
    },
  },
  { method: 'POST', path: 'vms/:vm/diskattachments', handler: addAttachment },
  {
    method: 'GET',
    path: 'vms/:vm/diskattachments/:disk',
    handler: (call) => {
      const vm = vmOf(call);
      return entity('disk_attachment', attachmentView(vm, attachmentOf(call, vm)));
    },
  },
  { method: 'PUT', path: 'vms/:vm/diskattachments/:disk', handler: updateAttachment },
  { method: 'DELETE', path: 'vms/:vm/diskattachments/:disk', handler: removeAttachment },
];
