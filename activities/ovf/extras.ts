/**
 * What a vm.conf has and the HA agent would not find again in the OVF, kept in an element of our own at the end of it.
 *
 * The engine's reader and the agents look elements up by path and pass over it; the engine drops it when it writes the
 * OVF anew. Each entry remembers what the agent reads in its place, and is given back only while that is still so: an
 * edited OVF is never overruled by an old file.
 */
import { type BraceMap, type BraceValue, braceText, formatBrace, parseBrace, sameBrace } from './brace.ts';
import type { ConversionWarning } from './problems.ts';
import { type XmlElement, child, childrenNamed } from './xml-read.ts';
import { element, type XmlOut } from './xml-write.ts';

const NAMESPACE = 'urn:bellwether:vm-conf:1';
const PREFIX = 'bellwether';

export interface Parts {
  readonly scalars: readonly (readonly [string, string])[];
  readonly devices: readonly BraceMap[];
}

interface KeyExtra {
  readonly name: string;
  readonly value: string;
  /** What the agent reads there; undefined for nothing. */
  readonly instead: string | undefined;
}

interface DeviceKeyExtra {
  /** `category` and `nth` of the device among those of its category. */
  readonly category: string;
  readonly nth: number;
  readonly name: string;
  readonly value: BraceValue;
  readonly instead: BraceValue | undefined;
}

export interface Extras {
  readonly keys: readonly KeyExtra[];
  readonly deviceKeys: readonly DeviceKeyExtra[];
  readonly devices: readonly BraceMap[];
}

/** Never given back: the lease depends on them, and the agent always writes them so (ha-agent.md 5.7). */
const HA_CONSTANTS: Readonly<Record<string, readonly string[]>> = {
  'disk/disk': ['poolID', 'shared', 'propagateErrors'],
};

/** Disks and CDs are counted apart, all else by type: the agent renames devices inside a type. */
export function category(device: BraceMap): string {
  const type = braceText(device, 'type') ?? '';
  return type === 'disk' ? `disk/${braceText(device, 'device') ?? ''}` : type;
}

/** Volume for disks, MAC for NICs; undefined where only the order tells devices of a category apart. */
function identity(device: BraceMap): string | undefined {
  return braceText(device, 'volumeID') ?? braceText(device, 'macAddr')?.toLowerCase();
}

function byCategory(devices: readonly BraceMap[]): Map<string, BraceMap[]> {
  const groups = new Map<string, BraceMap[]>();
  for (const device of devices) groups.set(category(device), [...(groups.get(category(device)) ?? []), device]);
  return groups;
}

/** Place of the same device in the agent's view; `taken` keeps twins (one MAC twice) apart. */
function counterpart(device: BraceMap, read: readonly BraceMap[], taken: Set<number>): number | undefined {
  const id = identity(device);
  const found = read.findIndex((each, at) => !taken.has(at) && identity(each) === id);
  if (found < 0) return undefined;
  taken.add(found);
  return found;
}

function ownValue(map: BraceMap, key: string): BraceValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function deviceDifference(device: BraceMap, read: BraceMap, nth: number): readonly DeviceKeyExtra[] {
  return Object.entries(device).flatMap(([name, value]) => {
    const instead = ownValue(read, name);
    return sameBrace(value, instead) ? [] : [{ category: category(device), nth, name, value, instead }];
  });
}

const WHY_KEY: Readonly<Record<string, string>> = {
  spiceSecureChannels: 'HA agents always write the same eight channels; the engine decides on its own',
  display: 'the engine knows display types, of which HA agents make vnc or qxl only',
};
const WHY_ASIDE =
  'an OVF has no place for it that HA agents read; kept in an element of its own, which the engine drops when it writes the OVF anew';

/** What is in `wanted` and would be lost on the way through `read`, the agent's view of the OVF. */
export function findExtras(wanted: Parts, read: Parts): { extras: Extras; warnings: readonly ConversionWarning[] } {
  const warnings: ConversionWarning[] = [];
  const keys: KeyExtra[] = [];
  const readScalars = new Map(read.scalars);
  for (const [name, value] of wanted.scalars) {
    const instead = readScalars.get(name);
    // The domain XML is in the OVF whole; whether it may be used is not for a copy to overrule.
    if (instead === value || name === 'xmlBase64') continue;
    keys.push({ name, value, instead });
    warnings.push({ code: 'kept-aside', key: name, what: `${name} was kept aside`, why: WHY_KEY[name] ?? WHY_ASIDE });
  }
  const { deviceKeys, devices } = deviceExtras(wanted.devices, read.devices, warnings);
  return { extras: { keys, deviceKeys, devices }, warnings };
}

function deviceExtras(
  wanted: readonly BraceMap[],
  read: readonly BraceMap[],
  warnings: ConversionWarning[],
): { deviceKeys: DeviceKeyExtra[]; devices: BraceMap[] } {
  const deviceKeys: DeviceKeyExtra[] = [];
  const devices: BraceMap[] = [];
  const readGroups = byCategory(read);
  for (const [group, members] of byCategory(wanted)) {
    const taken = new Set<number>();
    for (const [nth, device] of members.entries()) {
      const key = `devices ${group} ${nth + 1}`;
      const readMembers = readGroups.get(group) ?? [];
      const at = counterpart(device, readMembers, taken);
      const other = at === undefined ? undefined : readMembers[at];
      if (at === undefined || other === undefined) {
        devices.push(device);
        warnings.push({ code: 'kept-aside', key, what: 'the whole device was kept aside', why: WHY_ASIDE });
        continue;
      }
      const difference = deviceDifference(device, other, at);
      const constants = difference.filter((each) => HA_CONSTANTS[group]?.includes(each.name) === true);
      const kept = difference.filter((each) => !constants.includes(each));
      deviceKeys.push(...kept);
      if (kept.length > 0) {
        const what = `${kept.map((each) => each.name).join(', ')} kept aside`;
        warnings.push({ code: 'kept-aside', key, what, why: WHY_ASIDE });
      }
      for (const each of constants) {
        const what = `${each.name} becomes ${formatBrace(each.instead ?? '')} instead of ${formatBrace(each.value)}`;
        warnings.push({
          code: 'ha-constant',
          key,
          what,
          why: 'the disk lease depends on it, and HA agents always write it so',
        });
      }
    }
  }
  return { deviceKeys, devices };
}

/** A value of the brace language as text; wrapped, so that any value can be read back with `parseBrace`. */
function wrapped(value: BraceValue): string {
  return formatBrace({ v: value });
}

function unwrapped(text: string | undefined): BraceValue | undefined {
  if (text === undefined) return undefined;
  const parsed = parseBrace(text);
  return parsed.ok ? ownValue(parsed.value, 'v') : undefined;
}

/** Nothing when there is nothing to keep. */
export function extrasElement(extras: Extras): readonly XmlOut[] {
  const rows = [
    ...extras.keys.map(({ name, value, instead }) =>
      element(`${PREFIX}:Key`, value, { name, ...(instead === undefined ? {} : { instead }) }),
    ),
    ...extras.deviceKeys.map(({ category, nth, name, value, instead }) =>
      element(`${PREFIX}:DeviceKey`, wrapped(value), {
        device: category,
        nth: String(nth),
        name,
        ...(instead === undefined ? {} : { instead: wrapped(instead) }),
      }),
    ),
    ...extras.devices.map((device) => element(`${PREFIX}:Device`, formatBrace(device))),
  ];
  return rows.length === 0 ? [] : [element(`${PREFIX}:VmConfExtras`, rows, { [`xmlns:${PREFIX}`]: NAMESPACE })];
}

/** Extras of an OVF; undefined when it has none or they are not of this version. Entries that cannot be read are left out. */
export function readExtras(root: XmlElement): Extras | undefined {
  const holder = child(root, `${PREFIX}:VmConfExtras`);
  if (holder?.attributes.get(`xmlns:${PREFIX}`) !== NAMESPACE) return undefined;
  const keys = childrenNamed(holder, `${PREFIX}:Key`).map((each) => ({
    name: each.attributes.get('name') ?? '',
    value: each.text,
    instead: each.attributes.get('instead'),
  }));
  const deviceKeys = childrenNamed(holder, `${PREFIX}:DeviceKey`).flatMap((each) => {
    const value = unwrapped(each.text);
    const [name, group, nth] = ['name', 'device', 'nth'].map((attribute) => each.attributes.get(attribute));
    if (value === undefined || name === undefined || group === undefined || !/^\d{1,3}$/.test(nth ?? '')) return [];
    return [{ category: group, nth: Number(nth), name, value, instead: unwrapped(each.attributes.get('instead')) }];
  });
  const devices = childrenNamed(holder, `${PREFIX}:Device`).flatMap((each) => {
    const parsed = parseBrace(each.text);
    return parsed.ok ? [parsed.value] : [];
  });
  return { keys: keys.filter((each) => /^[A-Za-z_][\w.-]*$/.test(each.name)), deviceKeys, devices };
}

function patchedDevice(device: BraceMap, nth: number, extras: Extras, stale: string[]): BraceMap {
  const entries = new Map(Object.entries(device));
  for (const each of extras.deviceKeys) {
    if (each.category !== category(device) || each.nth !== nth) continue;
    if (HA_CONSTANTS[each.category]?.includes(each.name) === true) continue;
    if (sameBrace(ownValue(device, each.name), each.instead)) entries.set(each.name, each.value);
    else stale.push(`${each.category} ${each.name}`);
  }
  return Object.fromEntries(entries);
}

/** The agent's reading with the extras put back where the OVF still says what it said then. */
export function applyExtras(read: Parts, extras: Extras): { parts: Parts; warnings: readonly ConversionWarning[] } {
  const stale: string[] = [];
  const scalars = new Map(read.scalars);
  for (const { name, value, instead } of extras.keys) {
    if (name === 'xmlBase64' || name === 'vmId' || name === 'devices') continue;
    if (scalars.get(name) === instead) scalars.set(name, value);
    else stale.push(name);
  }
  const counts = new Map<string, number>();
  const devices = read.devices.map((device) => {
    const nth = counts.get(category(device)) ?? 0;
    counts.set(category(device), nth + 1);
    return patchedDevice(device, nth, extras, stale);
  });
  const added = extras.devices.filter((device) => {
    const id = identity(device);
    return id === undefined || !devices.some((each) => identity(each) === id);
  });
  const warnings = stale.map((key): ConversionWarning => {
    const why = 'the OVF was changed after it was made from a vm.conf; the OVF counts';
    return { code: 'kept-aside', key, what: 'an old value was left aside', why };
  });
  return { parts: { scalars: [...scalars], devices: [...devices, ...added] }, warnings };
}

/** False for a device that vm.conf cannot carry: the brace language has no quotes. */
export function speakable(device: BraceMap): boolean {
  const text = formatBrace(device);
  const parsed = parseBrace(text);
  return parsed.ok && sameBrace(parsed.value, device) && !/[#\r\n]/.test(text);
}
