/**
 * Reads an OVF as strictly as the engine's reader does (engine.md 12, "Minimum the reader needs").
 *
 * Names and prefixes are literal: `ovf:id`, `xsi:type`, `rasd:ResourceType`. Whatever the engine's reader would stumble
 * over is an `OvfUnreadable` here, with the part in its message.
 */
import type { OvfItem } from '../state/model.ts';
import { attribute, child, childText, children, document } from './xml.ts';
import type { XmlNode } from './xml.ts';

export class OvfUnreadable extends Error {}

export interface OvfDisk {
  readonly image: string;
  readonly volume: string;
  readonly sizeBytes: number;
  readonly format: 'raw' | 'cow';
  readonly sparse: boolean;
  readonly interface: 'virtio' | 'virtio_scsi' | 'ide' | 'sata';
  readonly boot: boolean;
  readonly alias: string;
  readonly plugged: boolean;
  readonly readOnly: boolean;
  readonly address: string;
}

export interface OvfNic {
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  readonly network: string;
  readonly model: number;
  readonly mac: string;
  readonly linked: boolean;
  readonly plugged: boolean;
  readonly address: string;
}

export interface ReadOvf {
  readonly id: string;
  readonly name: string;
  readonly os: string;
  readonly memoryMb: number;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  readonly maxVcpus: number | undefined;
  readonly disks: readonly OvfDisk[];
  readonly nics: readonly OvfNic[];
  /** Direct members of Content that are plain texts. */
  readonly content: Readonly<Record<string, string>>;
  readonly items: readonly OvfItem[];
}

const FORMATS = { RAW: 'raw', COW: 'cow' } as const;
const TYPES = { Preallocated: false, Sparse: true } as const;
const INTERFACES = { VirtIO: 'virtio', VirtIO_SCSI: 'virtio_scsi', IDE: 'ide', SATA: 'sata' } as const;

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * What attaching a domain needs of each file in its OVF_STORE: who the VM is. Anything more is read at registration.
 *
 * @throws {OvfUnreadable}
 */
export function identifyOvf(text: string): { readonly id: string; readonly name: string } {
  const content = contentOf(document(text, OvfUnreadable));
  return { id: osSection(content).id, name: childText(content, 'Name') ?? '' };
}

/** @throws {OvfUnreadable} naming the part that is missing or wrong */
export function readOvf(text: string): ReadOvf {
  const envelope = document(text, OvfUnreadable);
  if (envelope.name !== 'ovf:Envelope') fail(`root element is ${envelope.name}, not ovf:Envelope`);
  needAttribute(envelope, 'ovf:version');
  const files = children(child(envelope, 'References') ?? fail('References is missing'), 'File');
  for (const file of files) for (const name of ['ovf:id', 'ovf:href', 'ovf:description']) needAttribute(file, name);
  const content = contentOf(envelope);
  if (childText(content, 'TemplateId') === undefined) fail('Content/TemplateId is missing');
  const { id, os } = osSection(content);
  const hardware =
    sectionOf(content, 'ovf:VirtualHardwareSection_Type') ?? fail('the VirtualHardwareSection is missing');
  const items = children(hardware, 'Item').map((item) => ({ item, type: resourceType(item) }));
  const ofType = (type: number) => items.filter((one) => one.type === type).map((one) => one.item);
  const memory = ofType(4)[0] ?? fail('there is no memory item (ResourceType 4)');
  const diskElements = disksOf(envelope);
  return {
    id,
    os,
    name: childText(content, 'Name') ?? '',
    memoryMb: need(int(memory, 'rasd:VirtualQuantity'), 'memory item: rasd:VirtualQuantity'),
    ...processors(ofType(3)[0] ?? fail('there is no processor item (ResourceType 3)')),
    disks: ofType(17).map((item) => readDisk(item, diskElements, files)),
    nics: ofType(10).map(readNic),
    content: plainMembers(content),
    items: items.filter(({ type }) => ![3, 4, 10, 17].includes(type)).map(({ item, type }) => keptItem(item, type)),
  };
}

function fail(what: string): never {
  throw new OvfUnreadable(what);
}

function need<T>(value: T | undefined, what: string): T {
  return value ?? fail(`${what} is missing`);
}

function needAttribute(node: XmlNode, name: string): string {
  return attribute(node, name) ?? fail(`${node.name} has no attribute ${name}`);
}

function int(node: XmlNode, name: string): number | undefined {
  const text = childText(node, name)?.trim();
  if (text === undefined || text === '') return undefined;
  return /^-?\d+$/.test(text) ? Number(text) : fail(`${name}: '${text}' is not a number`);
}

function contentOf(envelope: XmlNode): XmlNode {
  return child(envelope, 'Content') ?? fail('Content is missing');
}

/** Every Section below Content must say its type; the reader of the engine does not survive one that does not. */
function sectionOf(content: XmlNode, type: string): XmlNode | undefined {
  const sections = children(content, 'Section');
  return sections.find((section) => needAttribute(section, 'xsi:type') === type);
}

function osSection(content: XmlNode): { id: string; os: string } {
  for (const section of children(content, 'Section')) needAttribute(section, 'xsi:type');
  const section =
    sectionOf(content, 'ovf:OperatingSystemSection_Type') ?? fail('the OperatingSystemSection is missing');
  const id = needAttribute(section, 'ovf:id').toLowerCase();
  if (!UUID.test(id)) fail(`the VM id '${id}' is not a UUID`);
  return { id, os: childText(section, 'Description') ?? 'other' };
}

function resourceType(item: XmlNode): number {
  return int(item, 'rasd:ResourceType') ?? fail('a hardware Item has no rasd:ResourceType');
}

function processors(item: XmlNode): Pick<ReadOvf, 'sockets' | 'cores' | 'threads' | 'maxVcpus'> {
  const sockets = int(item, 'rasd:num_of_sockets');
  const maxVcpus = int(item, 'rasd:max_num_of_vcpus');
  const cores = int(item, 'rasd:cpu_per_socket') ?? 1;
  const threads = int(item, 'rasd:threads_per_cpu') ?? 1;
  if (sockets !== undefined) return { sockets, cores, threads, maxVcpus };
  return {
    sockets: need(int(item, 'rasd:VirtualQuantity'), 'processor item: num_of_sockets or VirtualQuantity'),
    cores: 1,
    threads: 1,
    maxVcpus,
  };
}

function disksOf(envelope: XmlNode): ReadonlyMap<string, XmlNode> {
  const section = children(envelope, 'Section').find((one) => attribute(one, 'xsi:type') === 'ovf:DiskSection_Type');
  const disks = section === undefined ? [] : children(section, 'Disk');
  return new Map(disks.map((disk) => [needAttribute(disk, 'ovf:diskId'), disk]));
}

function readDisk(item: XmlNode, disks: ReadonlyMap<string, XmlNode>, files: readonly XmlNode[]): OvfDisk {
  const resource = childText(item, 'rasd:HostResource') ?? fail('a disk item has no rasd:HostResource');
  if (childText(item, 'rasd:Parent') === undefined) fail('a disk item has no rasd:Parent');
  const [image, volume] = resource.split('/');
  if (image === undefined || volume === undefined || !UUID.test(image) || !UUID.test(volume)) {
    fail(`rasd:HostResource '${resource}' is not image/volume`);
  }
  const disk = disks.get(volume) ?? fail(`volume ${volume} has no Disk element`);
  const file = files.find((one) => attribute(one, 'ovf:id') === volume);
  const gib = Number(attribute(disk, 'ovf:size') ?? 'NaN');
  const bytes = Number(file === undefined ? 'NaN' : (attribute(file, 'ovf:size') ?? 'NaN'));
  return {
    image: image.toLowerCase(),
    volume: volume.toLowerCase(),
    sizeBytes: Number.isFinite(gib) ? gib * 1024 ** 3 : Number.isFinite(bytes) ? bytes : 0,
    format: member(FORMATS, attribute(disk, 'ovf:volume-format') ?? 'RAW', 'ovf:volume-format'),
    sparse: member(TYPES, attribute(disk, 'ovf:volume-type') ?? 'Sparse', 'ovf:volume-type'),
    interface: member(INTERFACES, attribute(disk, 'ovf:disk-interface') ?? 'VirtIO', 'ovf:disk-interface'),
    boot: attribute(disk, 'ovf:boot') === 'true',
    alias: attribute(disk, 'ovf:disk-alias') ?? '',
    plugged: childText(item, 'IsPlugged') !== 'false',
    readOnly: childText(item, 'IsReadOnly') === 'true',
    address: childText(item, 'rasd:Address') ?? '',
  };
}

/** Names of Java enumerations: case matters, and a wrong one makes the whole OVF unreadable. */
function member<T>(table: Readonly<Record<string, T>>, name: string, where: string): T {
  return Object.hasOwn(table, name)
    ? need(table[name], where)
    : fail(`${where}: '${name}' is none of ${Object.keys(table).join(', ')}`);
}

function readNic(item: XmlNode): OvfNic {
  return {
    id: (childText(item, 'rasd:InstanceId') ?? childText(item, 'rasd:InstanceID') ?? '').toLowerCase(),
    name: childText(item, 'rasd:Name') ?? childText(item, 'rasd:ElementName') ?? '',
    profile: childText(item, 'rasd:OtherResourceType') ?? '',
    network: childText(item, 'rasd:Connection') ?? fail('a NIC item has no rasd:Connection'),
    model: int(item, 'rasd:ResourceSubType') ?? 3,
    mac: childText(item, 'rasd:MACAddress') ?? '',
    linked: childText(item, 'rasd:Linked') !== 'false',
    plugged: childText(item, 'IsPlugged') !== 'false',
    address: childText(item, 'rasd:Address') ?? '',
  };
}

function keptItem(item: XmlNode, type: number): OvfItem {
  if (type === 0 && childText(item, 'Type') === undefined) fail('a hardware Item of ResourceType 0 has no Type');
  if (type === 20) need(int(item, 'rasd:VirtualQuantity'), 'monitor item: rasd:VirtualQuantity');
  const kept: OvfItem = {};
  for (const one of item.children) {
    const inner = one.children.filter((grand) => grand.name !== '');
    kept[one.name] = inner.length > 0 ? plainMembers(one) : one.text;
  }
  return kept;
}

function plainMembers(node: XmlNode): Record<string, string> {
  const plain = node.children.filter((one) => one.children.length === 0 && one.name !== 'Section');
  return Object.fromEntries(plain.map((one) => [one.name, one.text]));
}
