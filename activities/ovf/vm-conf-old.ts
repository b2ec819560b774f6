/**
 * Spellings of vm.conf from the years before 3.6, read as their newer form.
 *
 * `drive=` lines and drive specs name their ids `pool`, `domain`, `image`, `volume`; later ones add `ID`
 * (ha-agent.md 5.5). `cdrom=` and `macAddr=` were keys of the VM before they were devices.
 */
import { type BraceMap, type BraceValue, braceText, isBraceMap } from './brace.ts';

export interface DeviceLine {
  readonly line: number;
  readonly device: BraceMap;
}

const DRIVE_IDS: Readonly<Record<string, string>> = {
  pool: 'poolID',
  domain: 'domainID',
  image: 'imageID',
  volume: 'volumeID',
};
const OLD_KEYS = new Set(['cdrom', 'macAddr', 'nicModel', 'bridge', 'network']);

export function isOldDeviceKey(key: string): boolean {
  return OLD_KEYS.has(key);
}

/** `drive=pool:..,domain:..` has no braces of its own. */
export function driveLine(value: string): string {
  return value.startsWith('{') ? value : `{${value}}`;
}

/** The agent writes Python's `None` for what is absent. */
function withoutNone(map: BraceMap): BraceMap {
  const kept = Object.entries(map).filter(([, value]) => value !== 'None');
  return Object.fromEntries(
    kept.map(([key, value]): [string, BraceValue] => [key, isBraceMap(value) ? withoutNone(value) : value]),
  );
}

/** What a device line without `type` must be, where its keys leave no doubt. */
function guessedType(map: BraceMap): Readonly<Record<string, string>> {
  if (Object.hasOwn(map, 'imageID') || Object.hasOwn(map, 'volumeID')) return { type: 'disk' };
  if (Object.hasOwn(map, 'macAddr')) return { type: 'interface' };
  return {};
}

const USUAL_DEVICE: Readonly<Record<string, string>> = { disk: 'disk', interface: 'bridge', console: 'console' };

/** Newer form of one device, and in words what was old about it. */
export function normaliseDevice(given: BraceMap, key: string): { device: BraceMap; old: readonly string[] } {
  const old: string[] = key === 'devices' ? [] : [`${key}= line`];
  const entries = new Map(Object.entries(withoutNone(given)));
  const type = entries.get('type');
  const rename = (from: string, to: string) => {
    const value = entries.get(from);
    if (value === undefined || entries.has(to)) return;
    entries.delete(from);
    entries.set(to, value);
    old.push(`${from} for ${to}`);
  };
  if (type === undefined || type === 'disk') for (const [from, to] of Object.entries(DRIVE_IDS)) rename(from, to);
  if (key !== 'devices') {
    for (const from of ['if', 'bus']) rename(from, 'iface');
    if (entries.get('boot') === 'true' && !entries.has('bootOrder')) {
      entries.delete('boot');
      entries.set('bootOrder', '1');
    }
  }
  if (type === undefined) {
    for (const [name, value] of Object.entries(guessedType(Object.fromEntries(entries)))) {
      entries.set(name, value);
      old.push('no type');
    }
  }
  const usual = USUAL_DEVICE[braceText(Object.fromEntries(entries), 'type') ?? ''];
  if (usual !== undefined && !entries.has('device')) {
    entries.set('device', usual);
    old.push('no device');
  }
  return { device: Object.fromEntries(entries), old };
}

interface OldEntry {
  readonly line: number;
  readonly value: string;
}

interface MadeDevice extends DeviceLine {
  /** The keys that it was made of. */
  readonly from: readonly string[];
}

/** Devices out of top-level keys; nothing where the file has such devices already, so the keys stay as they are. */
export function devicesFromOldKeys(old: ReadonlyMap<string, OldEntry>, known: readonly DeviceLine[]): MadeDevice[] {
  const made: MadeDevice[] = [];
  const has = (type: string, device?: string) =>
    known.some(
      (line) =>
        braceText(line.device, 'type') === type &&
        (device === undefined || braceText(line.device, 'device') === device),
    );
  const cdrom = old.get('cdrom');
  if (cdrom !== undefined && !/[,{}]/.test(cdrom.value) && !has('disk', 'cdrom')) {
    const device = { type: 'disk', device: 'cdrom', iface: 'ide', index: '2', readonly: 'true', path: cdrom.value };
    made.push({ line: cdrom.line, device, from: ['cdrom'] });
  }
  const mac = old.get('macAddr');
  if (mac !== undefined && !/[{}]/.test(mac.value) && mac.value !== '' && !has('interface')) {
    const from = ['macAddr', 'nicModel', 'network', 'bridge'].filter((key) => old.has(key));
    const list = (key: string) =>
      old
        .get(key)
        ?.value.split(',')
        .map((text) => text.trim()) ?? [];
    const networks = list(old.has('network') ? 'network' : 'bridge');
    for (const [i, macAddr] of list('macAddr').entries()) {
      const nicModel = list('nicModel')[i] ?? list('nicModel')[0] ?? 'pv';
      const network = networks[i] ?? networks[0] ?? 'ovirtmgmt';
      const device = { type: 'interface', device: 'bridge', nicModel, macAddr, network, linkActive: 'true' };
      made.push({ line: mac.line, device, from });
    }
  }
  return made;
}
