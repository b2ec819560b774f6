import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';

import type { Context } from '../context.ts';
import type { Disk, DiskAttachment, Nic, OvfItem, Vm } from '../state/model.ts';
import { ENGINE_VERSION } from '../views/links.ts';
import { BIOS_TYPES, MIGRATION, NIC_MODELS, ORIGINS, ovfDate, VM_TYPES } from './enums.ts';

const NAMESPACES = {
  'xmlns:ovf': 'http://schemas.dmtf.org/ovf/envelope/1/',
  'xmlns:rasd': 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData',
  'xmlns:vssd': 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData',
  'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
};
const ZEROS = '00000000-0000-0000-0000-000000000000';
const VERSION = `${ENGINE_VERSION.major}.${ENGINE_VERSION.minor}.${ENGINE_VERSION.build}.${ENGINE_VERSION.revision}`;
const DISK_INTERFACES = { virtio: 'VirtIO', virtio_scsi: 'VirtIO_SCSI', ide: 'IDE', sata: 'SATA' } as const;

interface AttachedDisk {
  readonly disk: Disk;
  readonly attachment: DiskAttachment;
}

/** Generates the OVF of a VM from the database, in the writer's order (engine.md 12). */
export function writeOvf(context: Context, vm: Vm): string {
  const disks = vm.attachments.flatMap((attachment): AttachedDisk[] => {
    const disk = context.state.disks.find((one) => one.id === attachment.diskId);
    return disk === undefined ? [] : [{ disk, attachment }];
  });
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  // Attributes with a prefix are set by their literal names: the reader looks them up that way.
  const envelope = document.ele('ovf:Envelope', { ...NAMESPACES, 'ovf:version': VERSION });
  writeReferences(envelope, disks);
  const networks = envelope.ele('NetworkSection');
  networks.ele('Info').txt('List of networks');
  for (const name of new Set(vm.nics.map((nic) => nic.network))) networks.ele('Network', { 'ovf:name': name });
  writeDiskSection(envelope, vm, disks);
  const content = envelope.ele('Content', { 'ovf:id': 'out', 'xsi:type': 'ovf:VirtualSystem_Type' });
  for (const [name, value] of Object.entries(contentMembers(context, vm))) content.ele(name).txt(value);
  const os = content.ele('Section', {
    'ovf:id': vm.id,
    'ovf:required': 'false',
    'xsi:type': 'ovf:OperatingSystemSection_Type',
  });
  os.ele('Info').txt('Guest Operating System');
  os.ele('Description').txt(vm.osType);
  writeHardware(content, context, vm, disks);
  const snapshots = content.ele('Section', { 'xsi:type': 'ovf:SnapshotsSection_Type' });
  const snapshot = snapshots.ele('Snapshot', { 'ovf:id': snapshotId(vm) });
  fill(snapshot, { Type: 'ACTIVE', Description: 'Active VM', CreationDate: ovfDate(vm.createdAt) });
  return document.end();
}

/** The active snapshot's id: one per VM here, derived so that it stays the same. */
function snapshotId(vm: Vm): string {
  return `a${vm.id.slice(1)}`;
}

function fill(parent: XMLBuilder, members: Readonly<Record<string, string | number | boolean>>): void {
  for (const [name, value] of Object.entries(members)) parent.ele(name).txt(String(value));
}

function writeReferences(envelope: XMLBuilder, disks: readonly AttachedDisk[]): void {
  const references = envelope.ele('References');
  for (const { disk } of disks) {
    references.ele('File', {
      'ovf:href': `${disk.id}/${disk.volumeId}`,
      'ovf:id': disk.volumeId,
      'ovf:size': String(disk.provisionedSize),
      'ovf:description': 'Active VM',
      'ovf:disk_storage_type': 'IMAGE',
      'ovf:cinder_volume_type': '',
    });
  }
}

function writeDiskSection(envelope: XMLBuilder, vm: Vm, disks: readonly AttachedDisk[]): void {
  const section = envelope.ele('Section', { 'xsi:type': 'ovf:DiskSection_Type' });
  section.ele('Info').txt('List of Virtual Disks');
  for (const { disk, attachment } of disks) {
    section.ele('Disk', {
      'ovf:diskId': disk.volumeId,
      'ovf:size': String(Math.ceil(disk.provisionedSize / 1024 ** 3)),
      'ovf:actual_size': String(Math.ceil(disk.actualSize / 1024 ** 3)),
      'ovf:vm_snapshot_id': snapshotId(vm),
      'ovf:parentRef': '',
      'ovf:fileRef': `${disk.id}/${disk.volumeId}`,
      'ovf:format':
        disk.format === 'raw'
          ? 'http://www.vmware.com/specifications/vmdk.html#sparse'
          : 'http://www.gnome.org/~markmc/qcow-image-format.html',
      'ovf:volume-format': disk.format.toUpperCase(),
      'ovf:volume-type': disk.sparse ? 'Sparse' : 'Preallocated',
      'ovf:disk-interface': DISK_INTERFACES[attachment.interface],
      'ovf:read-only': String(attachment.readOnly),
      'ovf:shareable': String(disk.shareable),
      'ovf:boot': String(attachment.bootable),
      'ovf:pass-discard': 'false',
      'ovf:incremental-backup': 'false',
      'ovf:disk-alias': disk.name,
      'ovf:disk-description': disk.description,
      'ovf:wipe-after-delete': String(disk.wipeAfterDelete),
    });
  }
}

function contentMembers(context: Context, vm: Vm): Record<string, string> {
  const cluster = context.state.clusters.find((one) => one.id === vm.clusterId);
  return {
    // What the engine only keeps comes first, so that what it rules wins.
    ...vm.ovfExtras,
    Name: vm.name,
    Description: vm.description,
    Comment: vm.comment,
    CreationDate: ovfDate(vm.createdAt),
    ExportDate: ovfDate(Date.now()),
    DeleteProtected: String(vm.deleteProtected),
    SsoMethod: vm.ovfExtras['SsoMethod'] ?? 'guest_agent',
    IsSmartcardEnabled: 'false',
    NumOfIoThreads: String(vm.ioThreads),
    TimeZone: vm.timeZone,
    default_boot_sequence: vm.ovfExtras['default_boot_sequence'] ?? '0',
    Generation: String(vm.generation),
    ClusterCompatibilityVersion: `${cluster?.major ?? 4}.${cluster?.minor ?? 7}`,
    VmType: String(VM_TYPES.indexOf(vm.type)),
    ResumeBehavior: vm.ovfExtras['ResumeBehavior'] ?? 'AUTO_RESUME',
    MinAllocatedMem: String(vm.guaranteedMb),
    IsStateless: String(vm.stateless),
    IsRunAndPause: 'false',
    AutoStartup: String(vm.highlyAvailable),
    Priority: String(vm.priority),
    MigrationSupport: String(MIGRATION.indexOf(vm.migration)),
    IsBootMenuEnabled: 'false',
    CustomEmulatedMachine: vm.emulatedMachine,
    BiosType: String(
      Math.max(
        0,
        BIOS_TYPES.findIndex((name) => name === vm.biosType),
      ),
    ),
    CustomCpuName: vm.cpuModel,
    MaxMemorySizeMb: String(vm.maxMemoryMb),
    BalloonEnabled: String(vm.ballooning),
    ClusterName: cluster?.name ?? '',
    TemplateId: ZEROS,
    TemplateName: 'Blank',
    IsInitilized: vm.ovfExtras['IsInitilized'] ?? 'false',
    Origin: String(ORIGINS.findIndex((name) => name === vm.origin)),
    DefaultDisplayType: vm.display === 'spice' ? '1' : (vm.ovfExtras['DefaultDisplayType'] ?? '2'),
    TrustedService: 'false',
    UseLatestVersion: 'false',
  };
}

function writeHardware(content: XMLBuilder, context: Context, vm: Vm, disks: readonly AttachedDisk[]): void {
  const cpus = vm.sockets * vm.cores * vm.threads;
  const section = content.ele('Section', { 'xsi:type': 'ovf:VirtualHardwareSection_Type' });
  section.ele('Info').txt(`${cpus} CPU, ${vm.memoryMb} Memory`);
  section.ele('System').ele('vssd:VirtualSystemType').txt(`ENGINE ${VERSION}`);
  fill(section.ele('Item'), {
    'rasd:Caption': `${cpus} virtual cpu`,
    'rasd:Description': 'Number of virtual CPU',
    'rasd:InstanceId': 1,
    'rasd:ResourceType': 3,
    'rasd:num_of_sockets': vm.sockets,
    'rasd:cpu_per_socket': vm.cores,
    'rasd:threads_per_cpu': vm.threads,
    'rasd:max_num_of_vcpus': vm.maxVcpus,
    'rasd:VirtualQuantity': cpus,
  });
  fill(section.ele('Item'), {
    'rasd:Caption': `${vm.memoryMb} MB of memory`,
    'rasd:Description': 'Memory Size',
    'rasd:InstanceId': 2,
    'rasd:ResourceType': 4,
    'rasd:AllocationUnits': 'MegaBytes',
    'rasd:VirtualQuantity': vm.memoryMb,
  });
  for (const one of disks) writeDiskItem(section, context, vm, one);
  for (const nic of vm.nics) writeNicItem(section, context, nic);
  for (const item of vm.ovfItems) writeKeptItem(section, item);
}

function writeDiskItem(section: XMLBuilder, context: Context, vm: Vm, { disk, attachment }: AttachedDisk): void {
  const domain = context.state.domains.find((one) => one.id === disk.domainId);
  fill(section.ele('Item'), {
    'rasd:Caption': disk.name,
    'rasd:InstanceId': disk.volumeId,
    'rasd:ResourceType': 17,
    'rasd:HostResource': `${disk.id}/${disk.volumeId}`,
    'rasd:Parent': ZEROS,
    'rasd:Template': ZEROS,
    'rasd:ApplicationList': '',
    'rasd:StorageId': disk.domainId,
    'rasd:StoragePoolId': domain?.attachment?.dataCenterId ?? ZEROS,
    'rasd:CreationDate': ovfDate(vm.createdAt),
    'rasd:LastModified': ovfDate(0),
    'rasd:last_modified_date': ovfDate(Date.now()),
    Type: 'disk',
    Device: 'disk',
    'rasd:Address': attachment.address,
    // The HA agent adds one to what it reads here (engine.md 13).
    BootOrder: 0,
    IsPlugged: attachment.active,
    IsReadOnly: attachment.readOnly,
    Alias: `ua-${disk.id}`,
  });
}

function writeNicItem(section: XMLBuilder, context: Context, nic: Nic): void {
  const profile = context.state.profiles.find((one) => one.id === nic.profileId);
  fill(section.ele('Item'), {
    'rasd:Caption': `Ethernet adapter on ${nic.network}`,
    'rasd:InstanceId': nic.id,
    'rasd:ResourceType': 10,
    'rasd:OtherResourceType': profile?.name ?? '',
    'rasd:ResourceSubType': Math.max(
      0,
      NIC_MODELS.findIndex((name) => name === nic.interface),
    ),
    'rasd:Connection': nic.network,
    'rasd:Linked': nic.linked,
    'rasd:Name': nic.name,
    'rasd:ElementName': nic.name,
    'rasd:MACAddress': nic.mac,
    'rasd:speed': 10_000,
    Type: 'interface',
    Device: 'bridge',
    'rasd:Address': nic.address,
    BootOrder: 0,
    IsPlugged: nic.plugged,
    IsReadOnly: 'false',
    Alias: `ua-${nic.id}`,
  });
}

function writeKeptItem(section: XMLBuilder, item: OvfItem): void {
  const element = section.ele('Item');
  for (const [name, value] of Object.entries(item)) {
    if (typeof value === 'string') element.ele(name).txt(value);
    else fill(element.ele(name), value);
  }
}
