import { randomUUID } from 'node:crypto';

import { flag, int, require, sub, text } from '../codec/body.ts';
import type { Body } from '../codec/body.ts';
import type { Call, PlainReply, Reply, Route } from '../http/call.ts';
import { actionReply, byId, created, deleted, entity, list, listing, variable } from '../http/call.ts';
import { BUSY, incomplete, refused } from '../http/engine-fault.ts';
import type { Vm } from '../state/model.ts';
import { isHostedEngine, vmFields, vmView } from '../views/vm.ts';
import { messageOf } from '../work/domain-life.ts';
import { bestHostFor, NO_HOST_FITS, startMigration } from '../work/migration.ts';
import { regenerate, triggerOvfUpdate } from '../work/ovf-update.ts';
import { NOT_MANAGED_BY_ENGINE, updateVm } from '../work/vm-rules.ts';
import { named } from './data-centers.ts';

export const vmOf = (call: Call): Vm => byId(call.context.state.vms, variable(call, 'vm'));

/** Notes a change of the VM: new generation of its OVF, and the OVF update soon after (engine.md 10). */
export function vmChanged(call: Call, vm: Vm): void {
  regenerate(call.context, vm);
  triggerOvfUpdate(call.context, vm);
}

function addVm(call: Call): Reply {
  const { context, body } = call;
  require(body, 'Vm', 'add', 'name');
  const cluster = named(context.state.clusters, sub(body, 'cluster'), 'Cluster');
  if (cluster === undefined) throw incomplete('Vm [cluster.id|name] required for add');
  if (sub(body, 'template') === undefined) throw incomplete('Vm [template.id|name] required for add');
  const name = text(body, 'name') ?? '';
  if (context.state.vms.some((vm) => vm.name === name)) {
    throw refused(409, 'Cannot add VM. The VM name is already in use, please choose a unique name and try again.');
  }
  const memoryMb = Math.floor((int(body, 'memory') ?? 1024 ** 3) / 1024 / 1024);
  const vm: Vm = { ...blankVm(cluster.id, memoryMb), id: text(body, 'id') ?? randomUUID(), name };
  updateVm(context, vm, withoutName(body));
  context.state.vms.push(vm);
  regenerate(context, vm);
  context.event(34, 'normal', `VM ${name} was created by ${context.state.user.name}.`, {
    vmId: vm.id,
    clusterId: cluster.id,
    ...call.cause,
  });
  return created('vm', vmView(context, vm, true));
}

function withoutName(body: Body): Body {
  const { cluster: _cluster, template: _template, ...rest } = body;
  return rest;
}

function blankVm(clusterId: string, memoryMb: number): Vm {
  return {
    id: '',
    name: '',
    description: '',
    comment: '',
    status: 'down',
    origin: 'ovirt',
    deleteProtected: false,
    memoryMb,
    maxMemoryMb: memoryMb * 4,
    guaranteedMb: memoryMb,
    ballooning: true,
    sockets: 1,
    cores: 1,
    threads: 1,
    maxVcpus: 16,
    ioThreads: 1,
    clusterId,
    biosType: 'q35_sea_bios',
    osType: 'other',
    display: 'vnc',
    type: 'desktop',
    highlyAvailable: false,
    priority: 1,
    stateless: false,
    timeZone: 'Etc/GMT',
    cpuModel: '',
    emulatedMachine: '',
    migration: 'migratable',
    createdAt: Date.now(),
    generation: 0,
    attachments: [],
    nics: [],
    ovfExtras: {},
    ovfItems: [],
    ovf: '',
  };
}

function update(call: Call): Reply {
  const { context } = call;
  const vm = vmOf(call);
  if (vm.status === 'image_locked') throw refused(409, `Cannot edit VM. VM is locked. ${BUSY}`);
  const unlock = context.lock('edit VM', vm.id);
  try {
    updateVm(context, vm, call.body);
  } finally {
    unlock();
  }
  context.event(35, 'normal', `VM ${vm.name} configuration was updated by ${context.state.user.name}.`, {
    vmId: vm.id,
    clusterId: vm.clusterId,
    ...call.cause,
  });
  vmChanged(call, vm);
  return entity('vm', vmView(context, vm, call.allContent));
}

function remove(call: Call): Reply {
  const { context } = call;
  const vm = vmOf(call);
  if (vm.deleteProtected)
    throw refused(
      409,
      'Cannot remove VM. Delete protection is enabled. In order to delete, disable Delete protection first.',
    );
  if (vm.status === 'image_locked') throw refused(409, `Cannot remove VM. VM is locked. ${BUSY}`);
  if (vm.status !== 'down') throw refused(409, 'Cannot remove VM. VM is running.');
  const disks = new Set(call.parameters.flag('detach_only') === true ? [] : vm.attachments.map((one) => one.diskId));
  context.state.vms = context.state.vms.filter((one) => one !== vm);
  context.state.disks = context.state.disks.filter((disk) => !disks.has(disk.id));
  context.event(9, 'normal', `VM ${vm.name} was removed by ${context.state.user.name}.`, {
    clusterId: vm.clusterId,
    ...call.cause,
  });
  return deleted();
}

/** Global maintenance: through the host the engine VM runs on (engine.md 8.5). */
async function maintenance(call: Call): Promise<Reply | PlainReply> {
  const { context, body } = call;
  const vm = vmOf(call);
  const enabled = flag(body, 'maintenance_enabled');
  if (enabled === undefined) throw incomplete('Action [maintenanceEnabled] required for maintenance');
  if (!isHostedEngine(vm))
    return {
      status: 400,
      plain: 'Moving to maintenance mode is currently only available for the VM containing the hosted engine.',
    };
  const host = context.state.hosts.find((one) => one.id === vm.hostId);
  const verb = enabled ? 'enable' : 'disable';
  if (host?.status !== 'up')
    throw refused(409, `Cannot ${verb} Hosted Engine maintenance. Host status is illegal, it must be Up.`);
  if (host.ha?.configured !== true)
    throw refused(400, `Cannot ${verb} Hosted Engine maintenance. Hosted Engine HA is not configured on the Host.`);
  const job = context.startJob(`Setting Hosted Engine maintenance on Host ${host.name}`, call.cause);
  const facts = { hostId: host.id, vmId: vm.id, ...call.cause };
  try {
    await context.gateway.setHaMaintenance(host, 'GLOBAL', enabled);
  } catch (error) {
    context.event(10451, 'error', `Hosted Engine maintenance mode on host ${host.name} could not be updated.`, facts);
    context.log(`global maintenance: ${messageOf(error)}`);
    context.endJob(job.id, 'failed');
    throw refused(400);
  }
  context.event(10450, 'normal', `Hosted Engine maintenance mode was updated on host ${host.name}.`, facts);
  context.endJob(job.id, 'finished');
  return actionReply(call, job.id);
}

/** Live migration, which the hosted-engine VM takes too (engine.md 10); without a host the scheduler chooses. */
function migrate(call: Call): Reply {
  const { context, body } = call;
  const vm = vmOf(call);
  if (vm.status === 'migrating') throw refused(409, `Cannot migrate VM. VM is in migration. ${BUSY}`);
  const source = context.state.hosts.find((one) => one.id === vm.hostId);
  if (vm.status !== 'up' || source === undefined) throw refused(409, 'Cannot migrate VM. VM is not running.');
  const target = bestHostFor(context, vm, text(body, 'host', 'id'));
  if (target === undefined) throw refused(409, `Cannot migrate VM. ${NO_HOST_FITS}`);
  return actionReply(call, startMigration(context, vm, source, target, call.cause));
}

/** Commands that no hosted-engine VM takes; on others the lab does only what needs no host. */
function power(verb: string): Route {
  return {
    method: 'POST',
    path: `vms/:vm/${verb}`,
    action: true,
    handler: (call) => {
      const vm = vmOf(call);
      if (isHostedEngine(vm)) throw refused(400, `Cannot ${verb} VM. ${NOT_MANAGED_BY_ENGINE}`);
      throw refused(409, `Cannot ${verb} VM. The lab's hosts run only the hosted engine VM.`);
    },
  };
}

export const vmRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'vms',
    handler: (call) =>
      listing(call, {
        root: 'vms',
        item: 'vm',
        all: call.context.state.vms,
        fields: (one) => vmFields(call.context, one),
        view: (one) => vmView(call.context, one, call.allContent),
      }),
  },
  { method: 'POST', path: 'vms', handler: addVm },
  {
    method: 'GET',
    path: 'vms/:vm',
    handler: (call) => entity('vm', vmView(call.context, vmOf(call), call.allContent)),
  },
  { method: 'PUT', path: 'vms/:vm', handler: update },
  { method: 'DELETE', path: 'vms/:vm', handler: remove },
  { method: 'POST', path: 'vms/:vm/maintenance', action: true, handler: maintenance },
  { method: 'POST', path: 'vms/:vm/migrate', action: true, handler: migrate },
  ...[
    'start',
    'stop',
    'shutdown',
    'reboot',
    'reset',
    'suspend',
    'detach',
    'clone',
    'export',
    'freezefilesystems',
    'thawfilesystems',
    'previewsnapshot',
  ].map(power),
  {
    method: 'POST',
    path: 'vms/:vm/snapshots',
    handler: (call) => {
      const vm = vmOf(call);
      if (isHostedEngine(vm)) throw refused(400, `Cannot create Snapshot. ${NOT_MANAGED_BY_ENGINE}`);
      throw refused(409, 'Cannot create Snapshot. The lab has no snapshots.');
    },
  },
  {
    method: 'POST',
    path: 'vms/:vm/backups',
    handler: (call) => {
      const vm = vmOf(call);
      if (isHostedEngine(vm))
        throw refused(409, 'Cannot backup VM. The operation is not supported for the hosted engine VM.');
      throw refused(409, 'Cannot backup VM. The lab has no backups.');
    },
  },
  ...(
    [
      ['cdroms', 'cdroms', 'cdrom'],
      ['snapshots', 'snapshots', 'snapshot'],
      ['applications', 'applications', 'application'],
      ['reporteddevices', 'reported_devices', 'reported_device'],
      ['sessions', 'sessions', 'session'],
      ['statistics', 'statistics', 'statistic'],
      ['permissions', 'permissions', 'permission'],
      ['tags', 'tags', 'tag'],
      ['affinitylabels', 'affinity_labels', 'affinity_label'],
      ['watchdogs', 'watchdogs', 'watchdog'],
      ['hostdevices', 'host_devices', 'host_device'],
      ['numanodes', 'vm_numa_nodes', 'vm_numa_node'],
      ['graphicsconsoles', 'graphics_consoles', 'graphics_console'],
    ] as const
  ).map(([path, root, item]): Route => ({
    method: 'GET',
    path: `vms/:vm/${path}`,
    handler: (call) => {
      vmOf(call);
      return list(root, item, []);
    },
  })),
];
