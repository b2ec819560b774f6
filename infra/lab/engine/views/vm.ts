import type { Node } from '../codec/tree.ts';
import type { Context } from '../context.ts';
import type { SearchRecord } from '../search/match.ts';
import type { DiskAttachment, Nic, Vm } from '../state/model.ts';
import { actions, BLANK_TEMPLATE, links, ref } from './links.ts';

const MIB = 1024 * 1024;
const ACTIONS = [
  'cancelmigration',
  'clone',
  'detach',
  'export',
  'freezefilesystems',
  'logon',
  'maintenance',
  'migrate',
  'previewsnapshot',
  'reboot',
  'reordermacaddresses',
  'reset',
  'screenshot',
  'shutdown',
  'start',
  'stop',
  'suspend',
  'thawfilesystems',
  'ticket',
  'undosnapshot',
] as const;
const LINKS = [
  'affinitylabels',
  'applications',
  'backups',
  'cdroms',
  'diskattachments',
  'graphicsconsoles',
  'hostdevices',
  'katelloerrata',
  'nics',
  'numanodes',
  'permissions',
  'reporteddevices',
  'sessions',
  'snapshots',
  'statistics',
  'tags',
  'watchdogs',
] as const;

/** `vm`. With all_content also the parts the engine reads apart, the OVF among them (engine.md 5). */
export function vmView(context: Context, one: Vm, allContent: boolean): Node {
  const base = `/vms/${one.id}`;
  return {
    ...ref('vms', one.id),
    name: one.name,
    description: one.description,
    comment: one.comment,
    status: one.status,
    origin: one.origin,
    type: one.type,
    ...resources(one),
    ...behaviour(context, one),
    cluster: ref('clusters', one.clusterId),
    template: ref('templates', BLANK_TEMPLATE),
    original_template: ref('templates', BLANK_TEMPLATE),
    ...(one.hostId !== undefined && { host: ref('hosts', one.hostId) }),
    creation_time: new Date(one.createdAt),
    ...(one.startedAt !== undefined && { start_time: new Date(one.startedAt) }),
    ...(allContent && fullContent(one)),
    actions: actions(base, ...ACTIONS),
    link: links(base, ...LINKS),
  };
}

function resources(one: Vm): Node {
  return {
    memory: one.memoryMb * MIB,
    memory_policy: { guaranteed: one.guaranteedMb * MIB, max: one.maxMemoryMb * MIB, ballooning: one.ballooning },
    cpu: { architecture: 'x86_64', topology: { cores: one.cores, sockets: one.sockets, threads: one.threads } },
    cpu_shares: 0,
    io: { threads: one.ioThreads },
    bios: { type: one.biosType, boot_menu: { enabled: false } },
    os: { type: one.osType, boot: { devices: { device: ['hd'] } } },
    display: {
      type: one.display,
      monitors: 1,
      allow_override: false,
      copy_paste_enabled: true,
      file_transfer_enabled: true,
      disconnect_action: 'LOCK_SCREEN',
      single_qxl_pci: false,
      smartcard_enabled: false,
      keyboard_layout: '',
    },
    ...(one.emulatedMachine !== '' && { custom_emulated_machine: one.emulatedMachine }),
    ...(one.cpuModel !== '' && { custom_cpu_model: one.cpuModel }),
  };
}

function behaviour(context: Context, one: Vm): Node {
  return {
    delete_protected: one.deleteProtected,
    stateless: one.stateless,
    start_paused: false,
    high_availability: { enabled: one.highlyAvailable, priority: one.priority },
    placement_policy: { affinity: one.migration },
    migration: { auto_converge: 'inherit', compressed: 'inherit', encrypted: 'inherit' },
    migration_downtime: -1,
    next_run_configuration_exists: false,
    run_once: false,
    has_illegal_images: false,
    multi_queues_enabled: true,
    storage_error_resume_behaviour: 'auto_resume',
    sso: { methods: { method: [{ id: 'guest_agent' }] } },
    time_zone: { name: one.timeZone },
    usb: { enabled: false },
    use_latest_template_version: false,
    tpm_enabled: false,
    auto_pinning_policy: 'disabled',
    ...(isHostedEngine(one) && one.status !== 'down' && { fqdn: context.fixture.engine.fqdn }),
    stop_time: one.status === 'down' ? new Date(one.createdAt) : undefined,
  };
}

function fullContent(one: Vm): Node {
  return {
    console: { enabled: one.ovfItems.some((item) => item['Type'] === 'console') },
    virtio_scsi: { enabled: one.ovfItems.some((item) => item['Device'] === 'virtio-scsi') },
    soundcard_enabled: false,
    rng_device: { source: 'urandom' },
    initialization: { configuration: { type: 'ovf', data: one.ovf } },
  };
}

/** True for both kinds: `managed_hosted_engine` and the `hosted_engine` still unmanaged. */
export function isHostedEngine(one: Vm): boolean {
  return one.origin === 'managed_hosted_engine' || one.origin === 'hosted_engine';
}

export function vmFields(context: Context, one: Vm): SearchRecord {
  const cluster = context.state.clusters.find((candidate) => candidate.id === one.clusterId);
  const host = context.state.hosts.find((candidate) => candidate.id === one.hostId)?.name;
  const dataCenter = context.state.dataCenters.find((dc) => dc.id === cluster?.dataCenterId)?.name;
  return {
    name: one.name,
    description: one.description,
    comment: one.comment,
    status: one.status,
    id: one.id,
    cluster: cluster?.name,
    'cluster.name': cluster?.name,
    datacenter: dataCenter,
    'datacenter.name': dataCenter,
    host,
    'host.name': host,
    hosts: host,
    memory: one.memoryMb,
    os: one.osType,
    type: one.type,
    template: 'Blank',
    fqdn: isHostedEngine(one) ? context.fixture.engine.fqdn : '',
    'storage.name': context.state.disks
      .filter((d) => one.attachments.some((a) => a.diskId === d.id))
      .map((d) => domainName(context, d.domainId)),
  };
}

function domainName(context: Context, id: string): string {
  return context.state.domains.find((domain) => domain.id === id)?.name ?? '';
}

/** `disk_attachment` of a VM. */
export function attachmentView(vm: Vm, one: DiskAttachment): Node {
  return {
    id: one.diskId,
    href: `/vms/${vm.id}/diskattachments/${one.diskId}`,
    active: one.active,
    bootable: one.bootable,
    interface: one.interface,
    pass_discard: false,
    read_only: one.readOnly,
    uses_scsi_reservation: false,
    disk: ref('disks', one.diskId),
    vm: ref('vms', vm.id),
  };
}

/** `nic` of a VM. */
export function nicView(vm: Vm, one: Nic): Node {
  const base = `/vms/${vm.id}/nics/${one.id}`;
  return {
    id: one.id,
    href: base,
    name: one.name,
    interface: one.interface,
    linked: one.linked,
    plugged: one.plugged,
    synced: true,
    mac: { address: one.mac },
    ...(one.profileId !== undefined && { vnic_profile: ref('vnicprofiles', one.profileId) }),
    vm: ref('vms', vm.id),
    actions: actions(base, 'activate', 'deactivate'),
    link: links(base, 'reporteddevices', 'statistics'),
  };
}
