/**
 * An OVF as the hosted-engine HA agent reads it (ha-agent.md 5.7 and 15).
 *
 * Quirks are kept on purpose, because this is how every host of a running cluster will see the VM: boot order one
 * higher, index 0 for every disk, threads ignored, a fixed CD-ROM, console and random source made up when missing.
 */
import type { BraceMap, BraceValue } from './brace.ts';
import { parseBrace } from './brace.ts';
import { base64OfText, readEngineXml } from './engine-xml.ts';
import type { ConversionProblem, ConversionWarning } from './problems.ts';
import {
  BLANK_UUID,
  DISPLAY_OF_AGENT,
  NIC_MODELS,
  NIC_MODEL_MAX_OF_AGENT,
  RESOURCE,
  SPICE_CHANNELS,
} from './tables.ts';
import { type XmlElement, child, childrenNamed, descendants, textOf } from './xml-read.ts';

export interface AgentReading {
  /** Keys and texts, in the order of vm.conf. */
  readonly scalars: readonly (readonly [string, string])[];
  readonly devices: readonly BraceMap[];
  readonly problems: readonly ConversionProblem[];
  readonly warnings: readonly ConversionWarning[];
}

const FIXED_CDROM: BraceMap = {
  index: '2',
  iface: 'ide',
  address: { controller: '0', target: '0', unit: '0', bus: '1', type: 'drive' },
  readonly: 'true',
  deviceId: '8c3179ac-b322-4f5c-9449-c52e3665e0ae',
  path: '',
  device: 'cdrom',
  shared: 'false',
  type: 'disk',
};
const MADE_RNG: BraceMap = { type: 'rng', device: 'virtio', model: 'virtio', specParams: { source: 'urandom' } };
const MADE_CONSOLE: BraceMap = { type: 'console', device: 'console' };
const AGENT_FAILS = 'The HA agent fails on this OVF and falls back to an old definition; let the engine write it anew.';

class Reading {
  readonly problems: ConversionProblem[] = [];
  readonly warnings: ConversionWarning[] = [];
  readonly root: XmlElement;
  readonly content: XmlElement | undefined;
  readonly items: readonly XmlElement[];

  constructor(root: XmlElement) {
    this.root = root;
    this.content = child(root, 'Content');
    this.items =
      this.content === undefined ? [] : [...descendants(this.content)].filter((each) => each.name === 'Item');
  }

  missing(key: string, what = 'is missing'): undefined {
    this.problems.push({ key, what, remedy: AGENT_FAILS });
    return undefined;
  }

  integer(text: string | undefined, key: string): number | undefined {
    if (text === undefined) return this.missing(key);
    const plain = text.trim();
    return /^[+-]?\d{1,9}$/.test(plain)
      ? Number(plain)
      : this.missing(key, `is ${JSON.stringify(text.slice(0, 40))}, no whole number`);
  }

  /** First of this name in any hardware item, as the agent's path expression finds it. */
  hardware(name: string): string | undefined {
    const item = this.items.find((each) => child(each, name) !== undefined);
    return textOf(item, name);
  }
}

/** `{type=pci, slot=0x06}` to a map; text that is no map is handed on as it is, with the colons. */
function address(item: XmlElement): BraceValue | undefined {
  const text = textOf(item, 'rasd:Address')?.replaceAll('=', ':').trim();
  if (text === undefined || text === '') return undefined;
  const parsed = parseBrace(text);
  return parsed.ok ? parsed.value : text;
}

type Fields = readonly (readonly [string, BraceValue | undefined])[];

/** What is absent is left out; the agent writes `None`, which its own reader takes for text. */
function device(...fields: Fields): BraceMap {
  return Object.fromEntries(fields.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}

function specParams(item: XmlElement): BraceMap | undefined {
  const texts = child(item, 'SpecParams')?.children.filter((each) => each.text.trim() !== '') ?? [];
  return texts.length === 0 ? undefined : Object.fromEntries(texts.map((each) => [each.name, each.text.trim()]));
}

function plainFields(item: XmlElement): Fields {
  return [
    ['type', textOf(item, 'Type')],
    ['device', textOf(item, 'Device')],
    ['deviceId', textOf(item, 'rasd:InstanceId')],
    ['address', address(item)],
    ['specParams', specParams(item)],
  ];
}

function disks(reading: Reading, item: XmlElement): BraceMap[] {
  const id = textOf(item, 'rasd:InstanceId');
  const elements = childrenNamed(reading.root, 'Section').flatMap((section) => childrenNamed(section, 'Disk'));
  return elements.flatMap((disk) => {
    const at = (name: string) => disk.attributes.get(name) ?? reading.missing(`Disk/@${name}`);
    if (disk.attributes.get('ovf:diskId') !== id) return [];
    const [image, volume] = (at('ovf:fileRef') ?? '').split('/');
    if (volume === undefined) reading.missing('Disk/@ovf:fileRef', 'is not <image>/<volume>');
    const order = reading.integer(textOf(item, 'BootOrder'), 'Item/BootOrder');
    return [
      device(
        ['index', '0'],
        ['iface', at('ovf:disk-interface')?.toLowerCase()],
        ['format', at('ovf:volume-format')?.toLowerCase()],
        ['bootOrder', order === undefined ? undefined : String(order + 1)],
        ['address', address(item)],
        ['volumeID', volume],
        ['imageID', image],
        ['readonly', textOf(item, 'IsReadOnly')],
        ['domainID', textOf(item, 'rasd:StorageId')],
        ['deviceId', image],
        ['poolID', BLANK_UUID],
        ['device', 'disk'],
        ['shared', 'exclusive'],
        ['propagateErrors', 'off'],
        ['type', 'disk'],
      ),
    ];
  });
}

function nic(reading: Reading, item: XmlElement): BraceMap[] {
  const given = textOf(item, 'rasd:ResourceSubType');
  const number = given === undefined ? undefined : reading.integer(given, 'Item/rasd:ResourceSubType');
  const model = NIC_MODELS.find(([known]) => known === number)?.[1];
  if (number !== undefined && model === undefined)
    reading.missing('Item/rasd:ResourceSubType', `is ${number}, no NIC model`);
  if (number !== undefined && number > NIC_MODEL_MAX_OF_AGENT && model !== undefined) {
    const why = 'HA agents do not know this model and fail on the whole OVF; choose VirtIO in the engine';
    reading.warnings.push({ code: 'behaviour', key: 'nicModel', what: `${model} was read`, why });
  }
  const mac = textOf(item, 'rasd:MACAddress');
  if (mac === undefined || mac === 'None') {
    const why = 'the HA agent leaves out a NIC without a MAC address';
    reading.warnings.push({ code: 'behaviour', key: 'macAddr', what: 'a NIC was left out', why });
    return [];
  }
  return [
    device(
      ['nicModel', model],
      ['macAddr', mac],
      ['linkActive', textOf(item, 'rasd:Linked')],
      ['network', textOf(item, 'rasd:Connection')],
      ...plainFields(item),
    ),
  ];
}

function controller(item: XmlElement): BraceMap {
  const name = textOf(item, 'Device');
  const scsi = name === 'virtio-scsi' || name === 'scsi';
  return scsi
    ? { ...device(...plainFields(item)), device: 'scsi', model: 'virtio-scsi' }
    : device(...plainFields(item));
}

function allDevices(reading: Reading): BraceMap[] {
  const found: BraceMap[] = [];
  const seen = new Set<string>();
  for (const item of reading.items) {
    const type = textOf(item, 'Type');
    const name = textOf(item, 'Device');
    if (type === 'disk' && name === 'disk') found.push(...disks(reading, item));
    else if (type === 'disk' && name === 'cdrom' && !seen.has('cdrom')) {
      found.push(device(...Object.entries(FIXED_CDROM), ['specParams', specParams(item)]));
      seen.add('cdrom');
    } else if (type === 'interface') found.push(...nic(reading, item));
    else if (type === 'controller') found.push(controller(item));
    else if (type === 'console' || type === 'graphics') found.push(device(...plainFields(item)));
    else if (type === 'video') found.push({ ...device(...plainFields(item)), alias: 'video0' });
    else if (type === 'rng') {
      found.push(device(...plainFields(item), ['model', name], ['alias', textOf(item, 'Alias')]));
    }
    if (type !== undefined) seen.add(type);
  }
  if (!seen.has('rng')) found.push(MADE_RNG);
  if (!seen.has('console')) found.push(MADE_CONSOLE);
  return found;
}

function engineXml(reading: Reading, vmId: string | undefined): string | undefined {
  const holder = [...descendants(reading.root)].find((each) => each.name === 'EngineXml');
  if (holder === undefined || holder.text.trim() === '') return undefined;
  const warn = (what: string, why: string) => {
    reading.warnings.push({ code: 'engine-xml', key: 'EngineXml', what, why });
  };
  const read = readEngineXml(holder.text);
  if (read.uuid !== undefined && vmId !== undefined && read.uuid !== vmId) {
    warn(`its UUID is ${read.uuid}`, `VDSM takes the VM's id from it, not the OVF's ${vmId}`);
  }
  if (!read.usable) {
    warn('it was left out', read.why);
    return undefined;
  }
  if (read.aliasCut)
    warn('the alias of the console was cut to 24 characters', 'the HA agent does so for the sake of libvirt');
  return base64OfText(read.xml);
}

/** Reads; what stops the real agent is a problem. `root` is the Envelope. */
export function readAsAgent(root: XmlElement): AgentReading {
  const reading = new Reading(root);
  const { content } = reading;
  if (content === undefined) reading.missing('Content');
  const os = childrenNamed(content, 'Section').find(
    (section) => section.attributes.get('xsi:type') === 'ovf:OperatingSystemSection_Type',
  );
  const vmId = os?.attributes.get('ovf:id') ?? reading.missing('Content/Section[OperatingSystemSection_Type]/@ovf:id');
  const display = reading.integer(textOf(content, 'DefaultDisplayType'), 'Content/DefaultDisplayType');
  const sockets = reading.integer(reading.hardware('rasd:num_of_sockets'), 'Item/rasd:num_of_sockets');
  const cores = reading.integer(reading.hardware('rasd:cpu_per_socket'), 'Item/rasd:cpu_per_socket');
  const memory = reading.items.find((item) => textOf(item, 'rasd:ResourceType') === RESOURCE.memory);
  const memSize = textOf(memory, 'rasd:VirtualQuantity') ?? reading.missing('Item[memory]/rasd:VirtualQuantity');
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['vmId', vmId],
    ['vmName', textOf(content, 'Name')],
    ['memSize', memSize],
    ['smp', sockets === undefined || cores === undefined ? undefined : String(sockets * cores)],
    ['maxVCpus', reading.hardware('rasd:max_num_of_vcpus')],
    ['cpuType', textOf(content, 'CustomCpuName')],
    ['emulatedMachine', textOf(content, 'CustomEmulatedMachine')],
    ['display', display === undefined ? undefined : DISPLAY_OF_AGENT[display]],
    ['spiceSecureChannels', SPICE_CHANNELS],
    ['xmlBase64', engineXml(reading, vmId)],
  ];
  return {
    scalars: fields.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
    devices: allDevices(reading),
    problems: reading.problems,
    warnings: reading.warnings,
  };
}
