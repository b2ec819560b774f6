/**
 * Devices of a vm.conf as hardware items of an OVF (engine.md 12, table of items).
 */
import { type BraceMap, type BraceValue, braceText, isBraceMap } from './brace.ts';
import type { ConversionFacts } from './convert-facts.ts';
import {
  BLANK_UUID,
  DISK_INTERFACES,
  FORMAT_URIS,
  RESOURCE,
  UUID,
  derivedUuid,
  nicModelNumber,
  ovfDate,
} from './tables.ts';
import { element, type XmlOut } from './xml-write.ts';

/** A disk that has all the ids that the engine needs to find it. */
export interface MappedDisk {
  readonly device: BraceMap;
  readonly image: string;
  readonly volume: string;
  readonly alias: string;
  /** As the OVF has it: one less than vm.conf's, and the agent adds the one again, on every disk. */
  readonly bootOrder: number;
  readonly boot: boolean;
}

/** Address as the engine writes a map: `{type=pci, slot=0x06}`; the agent turns `=` back into `:`. */
function addressText(address: BraceValue | undefined): string {
  if (typeof address === 'string') return address;
  if (!isBraceMap(address)) return '';
  const parts = Object.entries(address).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${key}=${value}`] : [],
  );
  return parts.length === 0 ? '' : `{${parts.join(', ')}}`;
}

/** Only flat text fits into an OVF's SpecParams; the rest is kept aside (extras.ts). */
function specParams(device: BraceMap, extra: Readonly<Record<string, string>>): readonly XmlOut[] {
  const given = device['specParams'];
  const texts = new Map<string, string>(Object.entries(extra));
  for (const [key, value] of isBraceMap(given) ? Object.entries(given) : []) {
    if (typeof value === 'string' && value !== '' && /^[A-Za-z_][\w.-]*$/.test(key)) texts.set(key, value);
  }
  return texts.size === 0
    ? []
    : [
        element(
          'SpecParams',
          [...texts].map(([key, value]) => element(key, value)),
        ),
      ];
}

interface DeviceInfo {
  readonly type: string;
  readonly device: string;
  readonly bootOrder?: number;
  readonly readOnly?: string;
  readonly alias?: string;
  readonly spec?: Readonly<Record<string, string>>;
}

function deviceInfo(device: BraceMap, info: DeviceInfo): readonly XmlOut[] {
  return [
    element('Type', info.type),
    element('Device', info.device),
    element('rasd:Address', addressText(device['address'])),
    element('BootOrder', info.bootOrder ?? 0),
    element('IsPlugged', true),
    element('IsReadOnly', info.readOnly ?? 'false'),
    element('Alias', info.alias ?? braceText(device, 'alias') ?? ''),
    ...specParams(device, info.spec ?? {}),
  ];
}

/** The device's own id where it is one, else an id made of what it is. */
export function instanceId(device: BraceMap, seed: string): string {
  const own = braceText(device, 'deviceId') ?? '';
  return UUID.test(own) ? own : derivedUuid(seed);
}

export function cpuItem(topology: { sockets: number; cores: number }, maxVCpus: number | undefined): XmlOut {
  const count = topology.sockets * topology.cores;
  return element('Item', [
    element('rasd:Caption', `${count} virtual cpu`),
    element('rasd:Description', 'Number of virtual CPU'),
    element('rasd:InstanceId', 1),
    element('rasd:ResourceType', RESOURCE.cpu),
    element('rasd:num_of_sockets', topology.sockets),
    element('rasd:cpu_per_socket', topology.cores),
    element('rasd:threads_per_cpu', 1),
    ...(maxVCpus === undefined ? [] : [element('rasd:max_num_of_vcpus', maxVCpus)]),
    element('rasd:VirtualQuantity', count),
  ]);
}

export function memoryItem(memoryMb: number): XmlOut {
  return element('Item', [
    element('rasd:Caption', `${memoryMb} MB of memory`),
    element('rasd:Description', 'Memory Size'),
    element('rasd:InstanceId', 2),
    element('rasd:ResourceType', RESOURCE.memory),
    element('rasd:AllocationUnits', 'MegaBytes'),
    element('rasd:VirtualQuantity', memoryMb),
  ]);
}

/** The agent hands `IsReadOnly` on as text; the engine knows only `true`. */
function readOnly(device: BraceMap): string {
  return (braceText(device, 'readonly') ?? 'false').toLowerCase() === 'true' ? 'true' : 'false';
}

export function diskItem(disk: MappedDisk, facts: ConversionFacts): XmlOut {
  const date = ovfDate(facts.now);
  return element('Item', [
    element('rasd:Caption', disk.alias),
    element('rasd:InstanceId', disk.volume),
    element('rasd:ResourceType', RESOURCE.disk),
    element('rasd:HostResource', `${disk.image}/${disk.volume}`),
    element('rasd:Parent', BLANK_UUID),
    element('rasd:Template', BLANK_UUID),
    element('rasd:ApplicationList'),
    element('rasd:StorageId', braceText(disk.device, 'domainID') ?? ''),
    element('rasd:StoragePoolId', facts.dataCenterId),
    element('rasd:CreationDate', date),
    element('rasd:LastModified', date),
    element('rasd:last_modified_date', date),
    ...deviceInfo(disk.device, {
      type: 'disk',
      device: 'disk',
      bootOrder: disk.bootOrder,
      readOnly: readOnly(disk.device),
      alias: disk.alias,
    }),
  ]);
}

/** The `Disk` element of the disk section. Sizes are GiB there; an empty size means "unknown" to the reader. */
export function diskElement(disk: MappedDisk, facts: ConversionFacts): XmlOut {
  const known = facts.disks[disk.volume];
  const cow = ['cow', 'qcow2'].includes((braceText(disk.device, 'format') ?? 'raw').toLowerCase());
  const allocation = known?.allocation ?? (cow ? 'sparse' : 'preallocated');
  const GIB = 2 ** 30;
  return element('Disk', '', {
    'ovf:diskId': disk.volume,
    'ovf:size': known === undefined ? '' : String(Math.ceil(known.sizeBytes / GIB)),
    'ovf:actual_size': known === undefined ? '' : String(Math.floor(known.actualBytes / GIB)),
    'ovf:vm_snapshot_id': facts.snapshotId,
    'ovf:parentRef': '',
    'ovf:fileRef': `${disk.image}/${disk.volume}`,
    'ovf:format': cow ? FORMAT_URIS.COW : FORMAT_URIS.RAW,
    'ovf:volume-format': cow ? 'COW' : 'RAW',
    'ovf:volume-type': allocation === 'sparse' ? 'Sparse' : 'Preallocated',
    'ovf:disk-interface': DISK_INTERFACES[(braceText(disk.device, 'iface') ?? 'virtio').toLowerCase()] ?? 'VirtIO',
    'ovf:read-only': readOnly(disk.device),
    'ovf:shareable': 'false',
    'ovf:boot': String(disk.boot),
    'ovf:pass-discard': 'false',
    'ovf:incremental-backup': 'false',
    'ovf:disk-alias': disk.alias,
    'ovf:disk-description': '',
    'ovf:wipe-after-delete': 'false',
  });
}

export function fileElement(disk: MappedDisk, facts: ConversionFacts): XmlOut {
  return element('File', '', {
    'ovf:href': `${disk.image}/${disk.volume}`,
    'ovf:id': disk.volume,
    'ovf:size': String(facts.disks[disk.volume]?.sizeBytes ?? ''),
    'ovf:description': 'Active VM',
    'ovf:disk_storage_type': 'IMAGE',
    'ovf:cinder_volume_type': '',
  });
}

export function nicItem(device: BraceMap, nth: number, id: string): XmlOut {
  const network = braceText(device, 'network') ?? '';
  const name = `vnet${nth}`;
  const mac = braceText(device, 'macAddr');
  return element('Item', [
    element('rasd:Caption', `Ethernet adapter on ${network}`),
    element('rasd:InstanceId', id),
    element('rasd:ResourceType', RESOURCE.nic),
    element('rasd:OtherResourceType', network),
    element('rasd:ResourceSubType', nicModelNumber(braceText(device, 'nicModel') ?? 'pv') ?? 3),
    element('rasd:Connection', network),
    element('rasd:Linked', (braceText(device, 'linkActive') ?? 'true').toLowerCase() === 'false' ? 'false' : 'true'),
    element('rasd:Name', name),
    element('rasd:ElementName', name),
    ...(mac === undefined ? [] : [element('rasd:MACAddress', mac)]),
    element('rasd:speed', 1000),
    ...deviceInfo(device, { type: 'interface', device: 'bridge' }),
  ]);
}

export function usbItem(): XmlOut {
  return element('Item', [
    element('rasd:Caption', 'USB Controller'),
    element('rasd:InstanceId', 3),
    element('rasd:ResourceType', RESOURCE.usb),
    element('rasd:UsbPolicy', 'DISABLED'),
  ]);
}

export function videoItem(device: BraceMap, id: string): XmlOut {
  return element('Item', [
    element('rasd:Caption', 'Graphical Controller'),
    element('rasd:InstanceId', id),
    element('rasd:ResourceType', RESOURCE.video),
    element('rasd:VirtualQuantity', 1),
    element('rasd:SinglePciQxl', false),
    ...deviceInfo(device, { type: 'video', device: braceText(device, 'device') ?? 'vga' }),
  ]);
}

export function graphicsItem(device: BraceMap, id: string): XmlOut {
  return element('Item', [
    element('rasd:Caption', 'Graphical Framebuffer'),
    element('rasd:InstanceId', id),
    element('rasd:ResourceType', RESOURCE.graphics),
    ...deviceInfo(device, { type: 'graphics', device: braceText(device, 'device') ?? 'vnc' }),
  ]);
}

export function cdromItem(device: BraceMap, id: string): XmlOut {
  return element('Item', [
    element('rasd:Caption', 'CDROM'),
    element('rasd:InstanceId', id),
    element('rasd:ResourceType', RESOURCE.cdrom),
    ...deviceInfo(device, {
      type: 'disk',
      device: 'cdrom',
      readOnly: 'true',
      spec: { path: braceText(device, 'path') ?? '' },
    }),
  ]);
}

/** Name of the device inside its type, as the engine knows it. */
function engineDevice(device: BraceMap, type: string): string {
  const name = braceText(device, 'device') ?? '';
  if (type === 'rng') return 'virtio';
  const virtioScsi = braceText(device, 'model') === 'virtio-scsi' || !Object.hasOwn(device, 'model');
  if (type === 'controller' && name === 'scsi' && virtioScsi) return 'virtio-scsi';
  return name;
}

/** Resource type 0: everything that is told apart by Type and Device alone. */
export function otherItem(device: BraceMap, id: string): XmlOut {
  const type = braceText(device, 'type') ?? '';
  const source = type === 'rng' ? (braceText(device, 'source') ?? 'urandom') : undefined;
  return element('Item', [
    element('rasd:ResourceType', RESOURCE.other),
    element('rasd:InstanceId', id),
    ...deviceInfo(device, {
      type,
      device: engineDevice(device, type),
      ...(source === undefined ? {} : { spec: { source } }),
    }),
  ]);
}
