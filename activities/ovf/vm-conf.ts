/**
 * vm.conf, the engine VM's definition on a hosted-engine host (ha-agent.md 5.5, engine.md 13).
 *
 * Two real readers differ: the set-up drops every blank and everything after `#`, the agent keeps both. We cut comments
 * and trim around keys and values, which reads every real file as both do, and warn where they would differ.
 */
import { type BraceMap, braceText, formatBrace, parseBrace } from './brace.ts';
import type { ConversionProblem, ConversionWarning, Refused } from './problems.ts';
import { type DeviceLine, devicesFromOldKeys, driveLine, isOldDeviceKey, normaliseDevice } from './vm-conf-old.ts';
import { checkDevices } from './vm-conf-devices.ts';

export interface VmConf {
  readonly vmId: string;
  readonly vmName: string;
  readonly memSizeMb: number;
  /** Virtual CPUs at start. */
  readonly smp: number;
  readonly maxVCpus?: number;
  /** libvirt model with flags, e.g. `SandyBridge,+pcid`. */
  readonly cpuType?: string;
  readonly emulatedMachine?: string;
  /** `vnc` or `qxl` in what deployments write; kept as found. */
  readonly display?: string;
  readonly spiceSecureChannels?: string;
  /** Base64 of the libvirt domain XML (4.2 and later). */
  readonly xmlBase64?: string;
  /** In the file's order; ids spelled the new way (`imageID`), old `drive=` and `cdrom=` lines included. */
  readonly devices: readonly BraceMap[];
  /** `custom_*` keys, with their prefix. */
  readonly custom: Readonly<Record<string, string>>;
  /** Every other key, as found. */
  readonly other: Readonly<Record<string, string>>;
}

export interface VmConfRead {
  readonly ok: true;
  readonly conf: VmConf;
  readonly warnings: readonly ConversionWarning[];
}
export type VmConfResult = VmConfRead | Refused;

/** Real files have 1 to 2 KiB, with xmlBase64 up to about 20 KiB. */
export const VM_CONF_BYTES_MAX = 64 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** The engine knows its own VM by this name (config `HostedEngineVmName`). */
const DEFAULT_NAME = 'HostedEngine';
const INT_MAX = 2 ** 31 - 1;
/** What XML 1.0 cannot hold could not go into an OVF either; also catches halves of surrogate pairs. */
const UNPRINTABLE = /[^\t\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

interface Entry {
  readonly line: number;
  readonly value: string;
}

interface Lines {
  readonly scalars: Map<string, Entry>;
  readonly devices: DeviceLine[];
  readonly problems: ConversionProblem[];
  readonly warnings: ConversionWarning[];
}

/** One line's text without its comment; warns where the agent, which keeps `#`, would read something else. */
function withoutComment(text: string, line: number, warnings: ConversionWarning[]): string {
  const hash = text.indexOf('#');
  if (hash < 0) return text;
  if (hash > 0 && !/\s/.test(text[hash - 1] ?? '')) {
    const key = text.split('=', 1)[0]?.trim() ?? '';
    const why = 'a comment starts at #: the set-up reads the value without it, the HA agent with it';
    warnings.push({ code: 'ambiguous', line, key, what: 'text after # was left out', why });
  }
  return text.slice(0, hash);
}

function readDevice(key: string, value: string, line: number, into: Lines): void {
  const parsed = parseBrace(key === 'devices' ? value : driveLine(value));
  if (!parsed.ok) {
    into.problems.push({ line, key, what: `the device ${parsed.what}`, remedy: parsed.remedy });
    return;
  }
  for (const name of parsed.duplicates) {
    const why = 'a key stands more than once in this device; the last one counts';
    into.warnings.push({ code: 'duplicate', line, key: name, what: 'an earlier value was left out', why });
  }
  const { device, old } = normaliseDevice(parsed.value, key);
  if (old.length > 0) {
    const why = `written in the manner of an older version: ${old.join(', ')}`;
    into.warnings.push({ code: 'old-style', line, key, what: 'read as the newer form', why });
  }
  into.devices.push({ line, device });
}

function readScalar(key: string, value: string, line: number, into: Lines): void {
  const earlier = into.scalars.get(key);
  if (earlier !== undefined) {
    const why = `the key stands on line ${earlier.line} too; the last one counts, as for the HA agent`;
    into.warnings.push({ code: 'duplicate', line, key, what: 'the earlier value was left out', why });
  }
  into.scalars.set(key, { line, value });
}

function readLines(text: string): Lines {
  const into: Lines = { scalars: new Map(), devices: [], problems: [], warnings: [] };
  const rows = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, raw] of rows.entries()) {
    const line = index + 1;
    const row = withoutComment(raw, line, into.warnings).trim();
    if (row === '') continue;
    const equals = row.indexOf('=');
    const key = (equals < 0 ? row : row.slice(0, equals)).trim();
    if (UNPRINTABLE.test(row)) {
      const what = 'the line holds a control character or broken text';
      into.problems.push({
        line,
        key: key.replace(/[^\w.-]/g, '?').slice(0, 40),
        what,
        remedy: 'Save it as plain UTF-8.',
      });
    } else if (equals < 0) {
      const what = `${JSON.stringify(row.slice(0, 40))} is not key=value`;
      into.problems.push({ line, key: key.slice(0, 40), what, remedy: 'Write key=value, or put # before a remark.' });
    } else if (!/^[A-Za-z_][\w.-]*$/.test(key)) {
      const what = `${JSON.stringify(key.slice(0, 40))} cannot be a key`;
      into.problems.push({ line, key: key.slice(0, 40), what, remedy: 'Keys are letters, digits, _ . and -.' });
    } else if (key === 'devices' || key === 'drive' || key === 'drives') {
      readDevice(key, row.slice(equals + 1).trim(), line, into);
    } else {
      readScalar(key, row.slice(equals + 1).trim(), line, into);
    }
  }
  return into;
}

/** Takes known keys out of the pool, collecting what is wrong with them. */
class Taker {
  readonly #lines: Lines;
  constructor(lines: Lines) {
    this.#lines = lines;
  }

  /** Empty counts as absent, as for the agent. */
  text(key: string): string | undefined {
    const entry = this.#lines.scalars.get(key);
    this.#lines.scalars.delete(key);
    if (entry === undefined || entry.value === 'None') return undefined;
    if (entry.value === '') {
      const why = 'an empty value is read as if the key were absent';
      this.#lines.warnings.push({ code: 'defaulted', line: entry.line, key, what: 'the key has no value', why });
      return undefined;
    }
    if (/\s/.test(entry.value)) {
      const why = 'the set-up drops blanks inside a value, the HA agent keeps them; they were kept';
      this.#lines.warnings.push({ code: 'ambiguous', line: entry.line, key, what: 'the value holds blanks', why });
    }
    return entry.value;
  }

  problem(key: string, line: number | undefined, what: string, remedy: string): void {
    this.#lines.problems.push({ ...(line === undefined ? {} : { line }), key, what, remedy });
  }

  line(key: string): number | undefined {
    return this.#lines.scalars.get(key)?.line;
  }

  count(key: string, unit: string, absent: 'required' | 'optional'): number | undefined {
    const line = this.line(key);
    const text = this.text(key);
    if (text === undefined) {
      if (absent === 'required') this.problem(key, line, 'is missing', `Add ${key}=<${unit}>.`);
      return undefined;
    }
    const value = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= INT_MAX) return value;
    this.problem(key, line, `is ${JSON.stringify(text.slice(0, 40))}`, `It must be a whole number above 0 (${unit}).`);
    return undefined;
  }

  uuid(key: string): string | undefined {
    const line = this.line(key);
    const text = this.text(key);
    if (text !== undefined && UUID.test(text)) return text;
    const remedy = 'It must be the UUID of the engine VM, as in hosted-engine.conf under vmid.';
    this.problem(
      key,
      line,
      text === undefined ? 'is missing' : `is ${JSON.stringify(text.slice(0, 60))}, no UUID`,
      remedy,
    );
    return undefined;
  }

  xmlBase64(): string | undefined {
    const line = this.line('xmlBase64');
    const text = this.text('xmlBase64');
    if (text === undefined || (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0)) return text;
    this.problem('xmlBase64', line, 'is not base64', 'Copy the whole line again, or remove it.');
    return undefined;
  }
}

function pick(scalars: ReadonlyMap<string, Entry>, custom: boolean): Record<string, string> {
  const chosen = [...scalars].filter(([key]) => key.startsWith('custom_') === custom);
  return Object.fromEntries(chosen.map(([key, entry]) => [key, entry.value]));
}

function oldKeyDevices(lines: Lines): void {
  const old = new Map([...lines.scalars].filter(([key]) => isOldDeviceKey(key)));
  for (const made of devicesFromOldKeys(old, lines.devices)) {
    lines.devices.push({ line: made.line, device: made.device });
    for (const key of made.from) lines.scalars.delete(key);
    const why = 'a key of versions before 3.4; it is a device since';
    lines.warnings.push({
      code: 'old-style',
      line: made.line,
      key: made.from.join(', '),
      what: 'read as a device',
      why,
    });
  }
}

function withDefault<T extends string | number>(lines: Lines, key: string, value: T | undefined, usual: T): T {
  if (value !== undefined) return value;
  lines.warnings.push({ code: 'defaulted', key, what: `${usual} was taken`, why: 'the file does not say' });
  return usual;
}

/**
 * Reads a vm.conf of any era (3.3 to 4.5).
 *
 * Never throws: a file that cannot be used gives *all* its problems, each with line, key and remedy.
 */
export function parseVmConf(text: string): VmConfResult {
  if (text.length > VM_CONF_BYTES_MAX || Buffer.byteLength(text) > VM_CONF_BYTES_MAX) {
    const what = `is larger than ${VM_CONF_BYTES_MAX / 1024} KiB`;
    return { ok: false, problems: [{ line: 1, key: 'vm.conf', what, remedy: 'Give a vm.conf, not another file.' }] };
  }
  const lines = readLines(text);
  oldKeyDevices(lines);
  const take = new Taker(lines);
  const vmId = take.uuid('vmId');
  const vmName = take.text('vmName');
  const memSizeMb = take.count('memSize', 'MB', 'required');
  const smp = take.count('smp', 'virtual CPUs', 'optional');
  const maxVCpus = take.count('maxVCpus', 'virtual CPUs', 'optional');
  const optional = {
    cpuType: take.text('cpuType'),
    emulatedMachine: take.text('emulatedMachine'),
    display: take.text('display'),
    spiceSecureChannels: take.text('spiceSecureChannels'),
    xmlBase64: take.xmlBase64(),
  };
  checkDevices(lines.devices, lines.problems, lines.warnings);
  if (lines.problems.length > 0 || vmId === undefined || memSizeMb === undefined) {
    return { ok: false, problems: lines.problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  }
  const conf: VmConf = {
    vmId,
    vmName: withDefault(lines, 'vmName', vmName, DEFAULT_NAME),
    memSizeMb,
    smp: withDefault(lines, 'smp', smp, 1),
    ...(maxVCpus === undefined ? {} : { maxVCpus }),
    ...definedOnly(optional),
    devices: lines.devices.map(({ device }) => device),
    custom: pick(lines.scalars, true),
    other: pick(lines.scalars, false),
  };
  return { ok: true, conf, warnings: lines.warnings };
}

type TextKeys = 'cpuType' | 'emulatedMachine' | 'display' | 'spiceSecureChannels' | 'xmlBase64';

function definedOnly(values: Record<TextKeys, string | undefined>): Partial<Record<TextKeys, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** All keys but `devices`, as text, in the order in which they are written. */
export function confScalars(conf: VmConf): readonly (readonly [string, string])[] {
  const known: readonly (readonly [string, string | number | undefined])[] = [
    ['vmId', conf.vmId],
    ['vmName', conf.vmName],
    ['memSize', conf.memSizeMb],
    ['smp', conf.smp],
    ['maxVCpus', conf.maxVCpus],
    ['cpuType', conf.cpuType],
    ['emulatedMachine', conf.emulatedMachine],
    ['display', conf.display],
    ['spiceSecureChannels', conf.spiceSecureChannels],
    ...Object.entries(conf.other),
    ...Object.entries(conf.custom),
    ['xmlBase64', conf.xmlBase64],
  ];
  return known.flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as const]));
}

/** Text of a vm.conf from its parts; `xmlBase64`, which nobody reads by eye, comes last. */
export function vmConfText(scalars: readonly (readonly [string, string])[], devices: readonly BraceMap[]): string {
  const rows = scalars.map(([key, value]) => ({ key, row: `${key}=${value}` }));
  const last = rows.filter(({ key }) => key === 'xmlBase64');
  const first = rows.filter(({ key }) => key !== 'xmlBase64');
  const deviceRows = devices.map((device) => `devices=${formatBrace(device)}`);
  return [...first.map(({ row }) => row), ...deviceRows, ...last.map(({ row }) => row), ''].join('\n');
}

/** Text of a vm.conf; `parseVmConf` of it gives the same `VmConf`. */
export function formatVmConf(conf: VmConf): string {
  return vmConfText(confScalars(conf), conf.devices);
}

/** True for the VM's own disks: the ones that hold data, not a CD or a floppy. */
export function isDisk(device: BraceMap): boolean {
  return braceText(device, 'type') === 'disk' && braceText(device, 'device') === 'disk';
}
