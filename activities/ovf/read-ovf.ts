/**
 * What an OVF says about the engine VM, for people and for comparing two of them.
 */
import type { Refused } from './problems.ts';
import { RESOURCE, parseOvfDate } from './tables.ts';
import { type XmlElement, child, childrenNamed, descendants, parseXml, textOf } from './xml-read.ts';

export { validateForImport } from './import-rules.ts';

export interface OvfDisk {
  readonly image: string;
  readonly volume: string;
  /** Storage domain; empty when the OVF does not say. */
  readonly domain: string;
}

export interface OvfNic {
  readonly mac: string | undefined;
  readonly network: string;
  readonly linked: boolean;
}

export interface OvfDescription {
  readonly vmId: string;
  readonly name: string;
  readonly memoryMb: number;
  /** Sockets × cores × threads, as the engine counts. */
  readonly vcpus: number;
  readonly disks: readonly OvfDisk[];
  readonly nics: readonly OvfNic[];
  /** 5 hosted engine, 6 managed hosted engine (engine.md 13); undefined when the OVF does not say. */
  readonly origin: number | undefined;
  readonly deleteProtected: boolean;
  /** The engine's database generation: the higher of two is the newer. 1 when the OVF does not say. */
  readonly generation: number;
  readonly engineVersion: string;
  /** When the engine wrote the OVF; undefined when it does not say. */
  readonly exportDate: Date | undefined;
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}

function describeDisk(item: XmlElement): OvfDisk {
  const [image = '', volume = ''] = (textOf(item, 'rasd:HostResource') ?? '').split('/');
  return { image, volume, domain: textOf(item, 'rasd:StorageId') ?? '' };
}

function describeNic(item: XmlElement): OvfNic {
  return {
    mac: textOf(item, 'rasd:MACAddress'),
    network: textOf(item, 'rasd:Connection') ?? '',
    linked: (textOf(item, 'rasd:Linked') ?? 'true').toLowerCase() !== 'false',
  };
}

/**
 * Reads what matters of an OVF written by any engine. Never throws; an OVF without an engine VM in it (no id, no
 * memory, no CPUs) is refused with the places where they should be.
 */
export function describeOvf(ovf: string): { readonly ok: true; readonly description: OvfDescription } | Refused {
  const parsed = parseXml(ovf, 'OVF');
  if (!parsed.ok) return parsed;
  const content = child(parsed.root, 'Content');
  const items = content === undefined ? [] : [...descendants(content)].filter((each) => each.name === 'Item');
  const ofType = (type: string) => items.filter((item) => textOf(item, 'rasd:ResourceType') === type);
  const os = childrenNamed(content, 'Section').find(
    (section) => section.attributes.get('xsi:type') === 'ovf:OperatingSystemSection_Type',
  );
  const cpu = ofType(RESOURCE.cpu)[0];
  const sockets = integer(textOf(cpu, 'rasd:num_of_sockets')) ?? integer(textOf(cpu, 'rasd:VirtualQuantity'));
  const cores = integer(textOf(cpu, 'rasd:cpu_per_socket')) ?? 1;
  const threads = integer(textOf(cpu, 'rasd:threads_per_cpu')) ?? 1;
  const memoryMb = integer(textOf(ofType(RESOURCE.memory)[0], 'rasd:VirtualQuantity'));
  const vmId = os?.attributes.get('ovf:id');
  const name = textOf(content, 'Name');
  if (vmId === undefined || name === undefined || sockets === undefined || memoryMb === undefined) {
    const missing = [
      ...(vmId === undefined ? ['Content/Section[OperatingSystemSection_Type]/@ovf:id'] : []),
      ...(name === undefined ? ['Content/Name'] : []),
      ...(sockets === undefined ? ['Item[cpu]/rasd:num_of_sockets'] : []),
      ...(memoryMb === undefined ? ['Item[memory]/rasd:VirtualQuantity'] : []),
    ];
    const remedy = 'Give the OVF of a VM, as an engine wrote it.';
    return { ok: false, problems: missing.map((key) => ({ key, what: 'is missing or no number', remedy })) };
  }
  const description: OvfDescription = {
    vmId,
    name,
    memoryMb,
    vcpus: sockets * cores * threads,
    disks: ofType(RESOURCE.disk).map(describeDisk),
    nics: ofType(RESOURCE.nic).map(describeNic),
    origin: integer(textOf(content, 'Origin')),
    deleteProtected: textOf(content, 'DeleteProtected')?.toLowerCase() === 'true',
    generation: integer(textOf(content, 'Generation')) ?? 1,
    engineVersion: parsed.root.attributes.get('ovf:version') ?? '',
    exportDate: parseOvfDate(textOf(content, 'ExportDate') ?? ''),
  };
  return { ok: true, description };
}

type ComparedField = Exclude<keyof OvfDescription, 'exportDate'>;

/** Names of the fields in which two descriptions differ; order of disks and NICs does not count, nor does the date of export. */
export function compareOvfs(a: OvfDescription, b: OvfDescription): readonly ComparedField[] {
  const plain = (description: OvfDescription): Record<ComparedField, string> => ({
    vmId: description.vmId.toLowerCase(),
    name: description.name,
    memoryMb: String(description.memoryMb),
    vcpus: String(description.vcpus),
    disks: description.disks
      .map((disk) => `${disk.domain}/${disk.image}/${disk.volume}`.toLowerCase())
      .sort()
      .join(' '),
    nics: description.nics
      .map((nic) => `${nic.mac?.toLowerCase() ?? ''} ${nic.network} ${nic.linked}`)
      .sort()
      .join('\n'),
    origin: String(description.origin),
    deleteProtected: String(description.deleteProtected),
    generation: String(description.generation),
    engineVersion: description.engineVersion,
  });
  const [left, right] = [plain(a), plain(b)];
  const fields: readonly ComparedField[] = [
    'vmId',
    'name',
    'memoryMb',
    'vcpus',
    'disks',
    'nics',
    'origin',
    'deleteProtected',
    'generation',
    'engineVersion',
  ];
  return fields.filter((field) => left[field] !== right[field]);
}
