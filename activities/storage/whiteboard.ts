/**
 * The HA metadata volume, on which hosts tell each other how they are (ha-agent.md 1.2 to 1.5).
 *
 * Slots of 4096 bytes: slot 0 for flags of the whole cluster, slot N for the host with id N. Each slot is read by itself
 * and by bytes: a broken one is a verdict, never an end of the reading (the original's agents all die of one bad number).
 */
import { crc32 } from 'node:zlib';

export const BLOCK_BYTES = 4096;
export const MACHINE_BYTES = 512;
/** Host ids that agents scan. */
export const HOST_ID_MAX = 2000;
const PARSE_VERSION = 1;
const FEATURE_VERSION = 1;

/** The words that clients search for with grep; values are the broker's (ha-agent.md 4.4). */
export interface EngineStatus {
  readonly vm: string;
  readonly health: string;
  readonly detail: string;
  readonly reason?: string;
}

export interface HostBlock {
  /** The id inside the block; readers go by the slot. */
  readonly hostId: number;
  /** Writer's seconds since boot: only whether it changes means anything. */
  readonly hostTs: number;
  /** 0 to 3400. */
  readonly score: number;
  readonly engineStatus: EngineStatus;
  readonly hostname: string;
  readonly localMaintenance: boolean;
  readonly stopped: boolean;
  readonly confOnSharedStorage?: boolean;
  /** Writer's seconds since boot at its last good refresh of vm.conf. */
  readonly localConfTimestamp?: number;
  /** Human part as it lies there, without padding: `key=value` lines. */
  readonly extra: string;
}

export type SlotReading =
  | { readonly kind: 'empty' }
  | { readonly kind: 'host'; readonly block: HostBlock }
  /** Written by a newer agent: nothing in it may be relied on. */
  | { readonly kind: 'too-new'; readonly parseVersion: number }
  | { readonly kind: 'too-old'; readonly featureVersion: number }
  | { readonly kind: 'bad'; readonly fault: SlotFault; readonly why: string };

export type SlotFault = 'truncated' | 'not-text' | 'too-few-fields' | 'bad-checksum' | 'bad-field';

export interface GlobalReading {
  /** undefined: not said, or not in words that anybody defined. */
  readonly maintenance: boolean | undefined;
  /** Set when the block holds something that could not be understood. */
  readonly fault: string | undefined;
}

/** Zlib's polynomial, over the fields as text. */
function checksum(fields: readonly string[]): string {
  return crc32(Buffer.from(fields.join('|'), 'utf8'))
    .toString(16)
    .padStart(8, '0');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0);
  try {
    return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    return undefined;
  }
}

/** Byte offset of a host's slot. */
export function slotOffset(hostId: number): number {
  return hostId * BLOCK_BYTES;
}

/** Slot 0. Never throws; an empty block means that maintenance was never set. */
export function parseGlobalBlock(block: Buffer): GlobalReading {
  const text = textOf(block.subarray(0, BLOCK_BYTES));
  if (text === undefined) return { maintenance: undefined, fault: 'the block is not text' };
  let reading: GlobalReading = { maintenance: undefined, fault: undefined };
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals < 0 || line.slice(0, equals).trim() !== 'maintenance') continue;
    const word = line
      .slice(equals + 1)
      .trim()
      .toLowerCase();
    const first = word[0] ?? '';
    if ('ty1'.includes(first) && first !== '') reading = { maintenance: true, fault: undefined };
    else if ('fn0'.includes(first) && first !== '') reading = { maintenance: false, fault: undefined };
    else reading = { maintenance: undefined, fault: `maintenance is ${JSON.stringify(word.slice(0, 40))}` };
  }
  return reading;
}

/** Slot 0 as agents write it: the one flag, no newline (a second key would run into it). */
export function formatGlobalBlock(maintenance: boolean): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(`maintenance=${maintenance ? 1 : 0}`, 'utf8');
  return block;
}

function bad(fault: SlotFault, why: string): SlotReading {
  return { kind: 'bad', fault, why };
}

function parseStatus(text: string): EngineStatus | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const member = (key: string): string => {
      const found: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
      return typeof found === 'string' ? found : '';
    };
    const status = { vm: member('vm'), health: member('health'), detail: member('detail') };
    const reason = member('reason');
    return reason === '' ? status : { ...status, reason };
  } catch {
    return undefined;
  }
}

const INTEGER = /^-?\d{1,15}$/;

function readFields(fields: readonly string[], extra: string): SlotReading {
  const at = (index: number) => fields[index] ?? '';
  for (const [index, name] of [
    [2, 'timestamp'],
    [3, 'host id'],
    [4, 'score'],
  ] as const) {
    if (!INTEGER.test(at(index))) return bad('bad-field', `${name} is ${JSON.stringify(at(index).slice(0, 40))}`);
  }
  for (const [index, name] of [
    [7, 'local maintenance'],
    [8, 'stopped'],
    [10, 'conf on shared storage'],
  ] as const) {
    if (fields.length > index && !/^[01]$/.test(at(index)))
      return bad('bad-field', `${name} is ${JSON.stringify(at(index).slice(0, 40))}`);
  }
  const engineStatus = parseStatus(at(5));
  if (engineStatus === undefined)
    return bad('bad-field', `engine status is ${JSON.stringify(at(5).slice(0, 40))}, no JSON object`);
  const shared = fields.length >= 12;
  if (shared && !INTEGER.test(at(11)))
    return bad('bad-field', `vm.conf timestamp is ${JSON.stringify(at(11).slice(0, 40))}`);
  return {
    kind: 'host',
    block: {
      hostId: Number(at(3)),
      hostTs: Number(at(2)),
      score: Number(at(4)),
      engineStatus,
      hostname: at(6),
      localMaintenance: at(7) === '1',
      stopped: at(8) === '1',
      ...(shared ? { confOnSharedStorage: at(10) === '1', localConfTimestamp: Number(at(11)) } : {}),
      extra,
    },
  };
}

/**
 * One host's slot. Never throws.
 *
 * Versions are judged before anything else, as a newer agent may have changed all the rest; the checksum (from the tenth
 * field on, older agents wrote none) before any field is believed.
 */
export function parseHostBlock(block: Buffer): SlotReading {
  if (block.length < MACHINE_BYTES) return bad('truncated', `${block.length} bytes instead of ${BLOCK_BYTES}`);
  if (block[0] === 0) return { kind: 'empty' };
  const text = textOf(block.subarray(0, MACHINE_BYTES));
  if (text === undefined) return bad('not-text', 'the machine part is not UTF-8');
  const fields = text.split('|');
  const parseVersion = /^\d{1,9}/.exec(text)?.[0];
  if (parseVersion === undefined) return bad('bad-field', 'the block does not start with a version');
  if (Number(parseVersion) > PARSE_VERSION) return { kind: 'too-new', parseVersion: Number(parseVersion) };
  if (fields.length < 7) return bad('too-few-fields', `${fields.length} fields, at least 7 are needed`);
  const feature = fields[1] ?? '';
  if (!INTEGER.test(feature)) return bad('bad-field', `feature version is ${JSON.stringify(feature.slice(0, 40))}`);
  if (Number(feature) < FEATURE_VERSION) return { kind: 'too-old', featureVersion: Number(feature) };
  if (fields.length >= 10) {
    const written = fields[9] ?? '';
    const computed = checksum(fields.with(9, '00000000'));
    if (written !== computed)
      return bad('bad-checksum', `${JSON.stringify(written.slice(0, 20))} instead of ${computed}`);
  }
  return readFields(fields, textOf(block.subarray(MACHINE_BYTES, BLOCK_BYTES)) ?? '');
}

/** JSON as Python writes it, with a blank after `:` and `,`: `hosted-engine` greps for `"vm": "up"` (ha-agent.md 15). */
function pythonJson(status: EngineStatus): string {
  const pairs = [
    ['vm', status.vm],
    ['health', status.health],
    ['detail', status.detail],
    ...(status.reason === undefined ? [] : [['reason', status.reason]]),
  ];
  const ascii = (text: string) =>
    JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `{${pairs.map(([key = '', value = '']) => `${ascii(key)}: ${ascii(value)}`).join(', ')}}`;
}

export type FormattedBlock =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly why: string };

/** The machine part without padding. */
export function hostBlockText(block: HostBlock): string {
  const flag = (value: boolean) => (value ? '1' : '0');
  const fields = [
    String(PARSE_VERSION),
    String(FEATURE_VERSION),
    String(block.hostTs),
    String(block.hostId),
    String(block.score),
    pythonJson(block.engineStatus),
    block.hostname,
    flag(block.localMaintenance),
    flag(block.stopped),
    '00000000',
    flag(block.confOnSharedStorage ?? true),
    String(block.localConfTimestamp ?? 0),
  ];
  return fields.with(9, checksum(fields)).join('|');
}

/** A slot of 4096 bytes, or why there can be none: other agents could not read it, so it must not be written. */
export function formatHostBlock(block: HostBlock): FormattedBlock {
  const words = [block.hostname, ...Object.values(block.engineStatus)];
  if (words.some((word) => typeof word === 'string' && word.includes('|'))) {
    return { ok: false, why: 'a name or status holds |, which separates the fields' };
  }
  // Old brokers cut the volume by characters after decoding: one wider character shifts every later host's slot.
  if (/[^\t\n\x20-\x7e]/.test(block.hostname + block.extra))
    return { ok: false, why: 'host name or extra is not plain ASCII' };
  if (![block.hostTs, block.hostId, block.score, block.localConfTimestamp ?? 0].every(Number.isSafeInteger)) {
    return { ok: false, why: 'a number is not whole' };
  }
  const machine = Buffer.from(hostBlockText(block), 'utf8');
  if (machine.length > MACHINE_BYTES)
    return { ok: false, why: `the machine part has ${machine.length} bytes, at most 512 fit` };
  const human = Buffer.from(block.extra, 'utf8');
  if (human.length > BLOCK_BYTES - MACHINE_BYTES)
    return { ok: false, why: `extra has ${human.length} bytes, at most 3584 fit` };
  const bytes = Buffer.alloc(BLOCK_BYTES);
  machine.copy(bytes, 0);
  human.copy(bytes, MACHINE_BYTES);
  return { ok: true, bytes };
}

export interface ExtraFacts {
  /** Seconds since boot, and the wall clock at that moment. */
  readonly hostTs: number;
  readonly at: Date;
  readonly hostId: number;
  readonly score: number;
  readonly localConfTimestamp: number;
  readonly confRefreshedAt: Date;
  readonly confOnSharedStorage: boolean;
  /** The state's own keys; written sorted. `state`, `maintenance`, `stopped`, in timed states `timeout`. */
  readonly state: Readonly<Record<string, string | boolean>>;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** C's ctime, in UTC: `Wed Jul  1 11:43:07 2020`. */
function ctime(date: Date): string {
  const day = DAYS[date.getUTCDay()] ?? '';
  const month = MONTHS[date.getUTCMonth()] ?? '';
  const two = (value: number) => (value < 10 ? `0${value}` : `${value}`);
  const number = date.getUTCDate();
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${month} ${number < 10 ? ' ' : ''}${number} ${time} ${date.getUTCFullYear()}`;
}

/** The human part (ha-agent.md 1.4), keys in the original's order: tools read the state's name out of it. */
export function extraText(facts: ExtraFacts): string {
  const python = (value: string | boolean) => (typeof value === 'string' ? value : value ? 'True' : 'False');
  const own = Object.entries(facts.state).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    `metadata_parse_version=${PARSE_VERSION}`,
    `metadata_feature_version=${FEATURE_VERSION}`,
    `timestamp=${facts.hostTs} (${ctime(facts.at)})`,
    `host-id=${facts.hostId}`,
    `score=${facts.score}`,
    `vm_conf_refresh_time=${facts.localConfTimestamp} (${ctime(facts.confRefreshedAt)})`,
    `conf_on_shared_storage=${python(facts.confOnSharedStorage)}`,
    ...own.map(([key, value]) => `${key}=${python(value)}`),
    '',
  ].join('\n');
}

/** Human part as `key=value`, for those who look for the state's name: it stands nowhere else. */
export function extraFields(extra: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of extra.split('\n')) {
    const equals = line.indexOf('=');
    if (equals >= 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return fields;
}

/** Every host slot of a volume's content that is not empty, by host id. A partial last block counts as truncated. */
export function parseWhiteboard(volume: Buffer): { global: GlobalReading; hosts: ReadonlyMap<number, SlotReading> } {
  const hosts = new Map<number, SlotReading>();
  const count = Math.min(HOST_ID_MAX, Math.ceil(volume.length / BLOCK_BYTES) - 1);
  for (let id = 1; id <= count; id += 1) {
    const reading = parseHostBlock(volume.subarray(slotOffset(id), slotOffset(id + 1)));
    if (reading.kind !== 'empty') hosts.set(id, reading);
  }
  return { global: parseGlobalBlock(volume.subarray(0, BLOCK_BYTES)), hosts };
}
