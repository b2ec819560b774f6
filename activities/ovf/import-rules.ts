/**
 * Whether an engine can read an OVF at all (engine.md 12, "Minimum the reader needs").
 *
 * The engine's reader has few null checks: what is missing here makes the import of the whole VM fail with an error
 * that names nothing. So it is checked before anything is written to storage.
 */
import type { ConversionProblem } from './problems.ts';
import { DISK_INTERFACE_NAMES, RESOURCE, UUID, VOLUME_FORMAT_NAMES, VOLUME_TYPE_NAMES } from './tables.ts';
import { type XmlElement, child, childrenNamed, descendants, parseXml, textOf } from './xml-read.ts';

const CANNOT_READ = 'The engine cannot read the OVF so; make it anew from vm.conf or let the engine write it.';

class Rules {
  readonly problems: ConversionProblem[] = [];

  fail(key: string, what: string): void {
    this.problems.push({ key, what, remedy: CANNOT_READ });
  }

  attribute(element: XmlElement, name: string, key: string): string | undefined {
    const value = element.attributes.get(name);
    if (value === undefined) this.fail(`${key}/@${name}`, 'is missing');
    return value;
  }

  uuid(value: string | undefined, key: string): void {
    if (value !== undefined && !UUID.test(value)) this.fail(key, `is ${JSON.stringify(value.slice(0, 60))}, no UUID`);
  }

  needed(element: XmlElement, name: string, key: string): string | undefined {
    const found = child(element, name);
    if (found === undefined) this.fail(`${key}/${name}`, 'is missing');
    return found?.text;
  }

  integer(element: XmlElement | undefined, name: string, key: string): void {
    const text = textOf(element, name);
    if (text !== undefined && !/^[+-]?\d{1,10}$/.test(text)) {
      this.fail(`${key}/${name}`, `is ${JSON.stringify(text.slice(0, 40))}, no whole number`);
    }
  }

  oneOf(value: string | undefined, names: ReadonlySet<string>, key: string): void {
    if (value !== undefined && value !== '' && !names.has(value)) {
      this.fail(key, `is ${JSON.stringify(value.slice(0, 40))}; only ${[...names].join(', ')} exist, in this case`);
    }
  }
}

function checkEnvelope(rules: Rules, root: XmlElement): void {
  if (root.name !== 'ovf:Envelope') rules.fail('Envelope', `the root is ${root.name}, not ovf:Envelope`);
  rules.attribute(root, 'ovf:version', 'Envelope');
  for (const prefix of ['ovf', 'rasd', 'xsi']) rules.attribute(root, `xmlns:${prefix}`, 'Envelope');
}

function checkFilesAndDisks(rules: Rules, root: XmlElement): void {
  for (const file of [...descendants(root)].filter((each) => each.name === 'File')) {
    rules.uuid(rules.attribute(file, 'ovf:id', 'File'), 'File/@ovf:id');
    const href = rules.attribute(file, 'ovf:href', 'File');
    rules.uuid(href?.split('/')[0], 'File/@ovf:href');
    rules.attribute(file, 'ovf:description', 'File');
  }
  const disks = childrenNamed(root, 'Section').flatMap((section) => childrenNamed(section, 'Disk'));
  for (const disk of disks) {
    rules.uuid(rules.attribute(disk, 'ovf:diskId', 'Disk'), 'Disk/@ovf:diskId');
    rules.uuid(disk.attributes.get('ovf:vm_snapshot_id'), 'Disk/@ovf:vm_snapshot_id');
    for (const size of ['ovf:size', 'ovf:actual_size']) {
      const text = rules.attribute(disk, size, 'Disk');
      if (text !== undefined && !/^\d{0,18}$/.test(text))
        rules.fail(`Disk/@${size}`, `is ${JSON.stringify(text.slice(0, 40))}`);
    }
    rules.oneOf(disk.attributes.get('ovf:volume-format'), VOLUME_FORMAT_NAMES, 'Disk/@ovf:volume-format');
    rules.oneOf(disk.attributes.get('ovf:volume-type'), VOLUME_TYPE_NAMES, 'Disk/@ovf:volume-type');
    rules.oneOf(disk.attributes.get('ovf:disk-interface'), DISK_INTERFACE_NAMES, 'Disk/@ovf:disk-interface');
  }
}

const CONTENT_INTEGERS = [
  'default_boot_sequence',
  'Generation',
  'VmType',
  'MinAllocatedMem',
  'Priority',
  'MigrationSupport',
  'BiosType',
  'MaxMemorySizeMb',
  'Origin',
  'DefaultDisplayType',
] as const;
const RESUME_BEHAVIOURS = new Set(['AUTO_RESUME', 'LEAVE_PAUSED', 'KILL']);
const SNAPSHOT_TYPES = new Set(['REGULAR', 'ACTIVE', 'STATELESS', 'PREVIEW', 'NEXT_RUN']);

function checkItem(rules: Rules, item: XmlElement): void {
  const type = child(item, 'rasd:ResourceType')?.text;
  if (type === undefined) {
    rules.fail('Item/rasd:ResourceType', 'is missing');
    return;
  }
  const key = `Item[${type}]`;
  for (const name of ['BootOrder', 'rasd:VirtualQuantity', 'rasd:num_of_sockets', 'rasd:cpu_per_socket']) {
    rules.integer(item, name, key);
  }
  if (type === RESOURCE.cpu && textOf(item, 'rasd:num_of_sockets') === undefined) {
    if (textOf(item, 'rasd:VirtualQuantity') === undefined) rules.fail(`${key}/rasd:num_of_sockets`, 'is missing');
  } else if (type === RESOURCE.memory || type === RESOURCE.video) {
    if (textOf(item, 'rasd:VirtualQuantity') === undefined) rules.fail(`${key}/rasd:VirtualQuantity`, 'is missing');
  } else if (type === RESOURCE.disk) {
    rules.uuid(rules.needed(item, 'rasd:InstanceId', key), `${key}/rasd:InstanceId`);
    rules.uuid(rules.needed(item, 'rasd:HostResource', key)?.split('/')[0], `${key}/rasd:HostResource`);
    const parent = rules.needed(item, 'rasd:Parent', key);
    if (parent !== '') rules.uuid(parent, `${key}/rasd:Parent`);
  } else if (type === RESOURCE.nic) {
    const id = rules.needed(item, 'rasd:InstanceId', key);
    if (id !== undefined && !/^\d+$/.test(id)) rules.uuid(id, `${key}/rasd:InstanceId`);
    rules.needed(item, 'rasd:Connection', key);
    rules.integer(item, 'rasd:ResourceSubType', key);
  } else if (type === RESOURCE.usb) {
    rules.needed(item, 'rasd:UsbPolicy', key);
  } else if (type === RESOURCE.other) {
    if (textOf(item, 'Type') === undefined) rules.fail(`${key}/Type`, 'is missing');
    rules.needed(item, 'Device', key);
  }
}

function checkSections(rules: Rules, content: XmlElement): void {
  const sections = childrenNamed(content, 'Section');
  const ofType = (type: string) => sections.find((each) => each.attributes.get('xsi:type') === `ovf:${type}_Type`);
  for (const section of sections) rules.attribute(section, 'xsi:type', 'Content/Section');
  const os = ofType('OperatingSystemSection');
  if (os === undefined) rules.fail('Content/Section[OperatingSystemSection_Type]', 'is missing; it holds the VM id');
  else rules.uuid(rules.attribute(os, 'ovf:id', 'Content/Section[OperatingSystemSection_Type]'), 'the VM id');
  const hardware = ofType('VirtualHardwareSection');
  const items = childrenNamed(hardware, 'Item');
  for (const item of items) checkItem(rules, item);
  for (const [type, name] of [
    [RESOURCE.cpu, 'CPU'],
    [RESOURCE.memory, 'memory'],
  ] as const) {
    if (!items.some((item) => textOf(item, 'rasd:ResourceType') === type))
      rules.fail(`Item[${type}]`, `${name} is missing`);
  }
  for (const snapshot of childrenNamed(ofType('SnapshotsSection'), 'Snapshot')) {
    rules.uuid(rules.attribute(snapshot, 'ovf:id', 'Snapshot'), 'Snapshot/@ovf:id');
    rules.oneOf(rules.needed(snapshot, 'Type', 'Snapshot'), SNAPSHOT_TYPES, 'Snapshot/Type');
    for (const name of ['Description', 'CreationDate']) rules.needed(snapshot, name, 'Snapshot');
  }
}

/** All reasons for which an engine would fail to read this OVF; empty when there are none. Never throws. */
export function validateForImport(ovf: string): readonly ConversionProblem[] {
  const parsed = parseXml(ovf, 'OVF');
  if (!parsed.ok) return parsed.problems;
  const rules = new Rules();
  checkEnvelope(rules, parsed.root);
  checkFilesAndDisks(rules, parsed.root);
  const content = child(parsed.root, 'Content');
  if (content === undefined) {
    rules.fail('Content', 'is missing');
    return rules.problems;
  }
  if (content.attributes.get('xsi:type') !== 'ovf:VirtualSystem_Type') {
    rules.fail('Content/@xsi:type', 'is not ovf:VirtualSystem_Type');
  }
  rules.uuid(rules.needed(content, 'TemplateId', 'Content'), 'Content/TemplateId');
  for (const name of CONTENT_INTEGERS) rules.integer(content, name, 'Content');
  rules.oneOf(textOf(content, 'ResumeBehavior'), RESUME_BEHAVIOURS, 'Content/ResumeBehavior');
  checkSections(rules, content);
  return rules.problems;
}
