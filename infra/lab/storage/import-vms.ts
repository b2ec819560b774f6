/** The two VMs that lie unregistered on the import domain, with an OVF as the engine writes it (engine.md 12). */
import { create } from 'xmlbuilder2';
import type { LabFixture } from '../fixture.ts';
import { uuidFrom } from './ids.ts';
import { BLANK_UUID } from './volume-metadata.ts';

export interface ImportVm {
  readonly id: string;
  readonly name: string;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly mac: string;
  readonly disk: { readonly image: string; readonly volume: string; readonly sizeBytes: number };
}

const GIB = 1024 ** 3;
const OVF = 'http://schemas.dmtf.org/ovf/envelope/1/';
const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';

export function importVms(fixture: LabFixture): readonly ImportVm[] {
  const vm = (name: string, memoryMb: number, cpus: number, mac: string): ImportVm => ({
    id: uuidFrom(fixture.importDomain.id, name),
    name,
    memoryMb,
    cpus,
    mac,
    disk: {
      image: uuidFrom(fixture.importDomain.id, name, 'image'),
      volume: uuidFrom(fixture.importDomain.id, name, 'volume'),
      sizeBytes: GIB,
    },
  });
  return [vm('imported-web', 2048, 2, '00:16:3e:5a:00:01'), vm('imported-db', 4096, 4, '00:16:3e:5a:00:02')];
}

function ovfDate(date: Date): string {
  return date.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
}

function hardware(vm: ImportVm, fixture: LabFixture): object[] {
  const { image, volume } = vm.disk;
  return [
    {
      'rasd:Caption': `${vm.cpus} virtual cpu`,
      'rasd:InstanceId': 1,
      'rasd:ResourceType': 3,
      'rasd:num_of_sockets': vm.cpus,
      'rasd:cpu_per_socket': 1,
      'rasd:threads_per_cpu': 1,
      'rasd:VirtualQuantity': vm.cpus,
    },
    {
      'rasd:Caption': `${vm.memoryMb} MB of memory`,
      'rasd:InstanceId': 2,
      'rasd:ResourceType': 4,
      'rasd:AllocationUnits': 'MegaBytes',
      'rasd:VirtualQuantity': vm.memoryMb,
    },
    {
      'rasd:Caption': `${vm.name}_Disk1`,
      'rasd:InstanceId': volume,
      'rasd:ResourceType': 17,
      'rasd:HostResource': `${image}/${volume}`,
      'rasd:Parent': BLANK_UUID,
      'rasd:Template': BLANK_UUID,
      'rasd:ApplicationList': '',
      'rasd:StorageId': fixture.importDomain.id,
      'rasd:StoragePoolId': BLANK_UUID,
      Type: 'disk',
      Device: 'disk',
      'rasd:Address': '',
      BootOrder: 1,
      IsPlugged: true,
      IsReadOnly: false,
      Alias: '',
    },
    {
      'rasd:Caption': 'Ethernet adapter on ovirtmgmt',
      'rasd:InstanceId': uuidFrom(vm.id, 'nic1'),
      'rasd:ResourceType': 10,
      'rasd:OtherResourceType': 'ovirtmgmt',
      'rasd:ResourceSubType': 3,
      'rasd:Connection': 'ovirtmgmt',
      'rasd:Linked': true,
      'rasd:Name': 'nic1',
      'rasd:ElementName': 'nic1',
      'rasd:MACAddress': vm.mac,
      Type: 'interface',
      Device: 'bridge',
      'rasd:Address': '',
      BootOrder: 0,
      IsPlugged: true,
      IsReadOnly: false,
      Alias: '',
    },
    { 'rasd:Caption': 'USB Controller', 'rasd:InstanceId': 3, 'rasd:ResourceType': 23, 'rasd:UsbPolicy': 'DISABLED' },
    {
      'rasd:Caption': 'Graphical Framebuffer',
      'rasd:InstanceId': uuidFrom(vm.id, 'vnc'),
      'rasd:ResourceType': 26,
      Type: 'graphics',
      Device: 'vnc',
    },
  ];
}

function references(vm: ImportVm): object {
  const { image, volume } = vm.disk;
  const file = {
    '@ovf:href': `${image}/${volume}`,
    '@ovf:id': volume,
    '@ovf:size': vm.disk.sizeBytes,
    '@ovf:description': 'Active VM',
    '@ovf:disk_storage_type': 'IMAGE',
    '@ovf:cinder_volume_type': '',
  };
  return { File: file };
}

function diskSection(vm: ImportVm): object {
  const { image, volume } = vm.disk;
  return {
    '@xsi:type': 'ovf:DiskSection_Type',
    Info: 'List of Virtual Disks',
    Disk: {
      '@ovf:diskId': volume,
      '@ovf:size': Math.ceil(vm.disk.sizeBytes / GIB),
      '@ovf:actual_size': 1,
      '@ovf:vm_snapshot_id': uuidFrom(vm.id, 'snapshot'),
      '@ovf:parentRef': '',
      '@ovf:fileRef': `${image}/${volume}`,
      '@ovf:format': 'http://www.vmware.com/specifications/vmdk.html#sparse',
      '@ovf:volume-format': 'RAW',
      '@ovf:volume-type': 'Sparse',
      '@ovf:disk-interface': 'VirtIO_SCSI',
      '@ovf:read-only': false,
      '@ovf:shareable': false,
      '@ovf:boot': true,
      '@ovf:pass-discard': false,
      '@ovf:disk-alias': `${vm.name}_Disk1`,
      '@ovf:disk-description': '',
      '@ovf:wipe-after-delete': false,
    },
  };
}

function content(vm: ImportVm, fixture: LabFixture, date: string): object {
  const version = `${fixture.cluster.version.major}.${fixture.cluster.version.minor}`;
  return {
    '@ovf:id': 'out',
    '@xsi:type': 'ovf:VirtualSystem_Type',
    Name: vm.name,
    Description: 'Unregistered VM of the lab',
    CreationDate: date,
    ExportDate: date,
    DeleteProtected: false,
    TimeZone: 'Etc/GMT',
    default_boot_sequence: 0,
    Generation: 1,
    ClusterCompatibilityVersion: version,
    VmType: 1,
    MinAllocatedMem: vm.memoryMb,
    IsStateless: false,
    IsRunAndPause: false,
    AutoStartup: false,
    Priority: 1,
    MigrationSupport: 0,
    BiosType: 1,
    MaxMemorySizeMb: vm.memoryMb * 4,
    ClusterName: fixture.cluster.name,
    TemplateId: BLANK_UUID,
    TemplateName: 'Blank',
    IsInitilized: false,
    Origin: 3,
    DefaultDisplayType: 2,
    Section: [
      {
        '@ovf:id': vm.id,
        '@ovf:required': false,
        '@xsi:type': 'ovf:OperatingSystemSection_Type',
        Info: 'Guest Operating System',
        Description: 'rhel_8x64',
      },
      {
        '@xsi:type': 'ovf:VirtualHardwareSection_Type',
        Info: `${vm.cpus} CPU, ${vm.memoryMb} Memory`,
        System: { 'vssd:VirtualSystemType': `ENGINE ${version}.0.0` },
        Item: hardware(vm, fixture),
      },
      {
        '@xsi:type': 'ovf:SnapshotsSection_Type',
        Snapshot: {
          '@ovf:id': uuidFrom(vm.id, 'snapshot'),
          Type: 'ACTIVE',
          Description: 'Active VM',
          CreationDate: date,
        },
      },
    ],
  };
}

export function importVmOvf(vm: ImportVm, fixture: LabFixture, date: Date): string {
  const envelope = {
    '@xmlns:ovf': OVF,
    '@xmlns:rasd': `${CIM}/CIM_ResourceAllocationSettingData`,
    '@xmlns:vssd': `${CIM}/CIM_VirtualSystemSettingData`,
    '@xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
    '@ovf:version': `${fixture.cluster.version.major}.${fixture.cluster.version.minor}.0.0`,
    References: references(vm),
    NetworkSection: { Info: 'List of networks', Network: { '@ovf:name': 'ovirtmgmt' } },
    Section: diskSection(vm),
    Content: content(vm, fixture, ovfDate(date)),
  };
  return create({ version: '1.0', encoding: 'UTF-8' }, { 'ovf:Envelope': envelope }).end();
}
