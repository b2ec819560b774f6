/**
 * The description of an OVF_STORE volume: JSON in VDSM's volume metadata (engine.md 11.4, vdsm.md 11).
 *
 * Written false before the data and true after it: `Updated` false means that a writer died in between.
 */

export interface OvfStoreDescription {
  readonly updated: boolean;
  /** Bytes of the tar; only those count. */
  readonly size: number | undefined;
  /** undefined before the first update, or when the date cannot be read. */
  readonly lastUpdated: Date | undefined;
  readonly domainIds: readonly string[];
}

export interface NewDescription {
  readonly updated: boolean;
  readonly domainId: string;
  readonly size?: number;
  readonly updatedAt?: Date;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** Hours from UTC of the zones that Java names by letters; IST is read as Israel's, where oVirt was at home. */
const ZONES: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  WEST: 1,
  BST: 1,
  CET: 1,
  CEST: 2,
  EET: 2,
  EEST: 3,
  IST: 2,
  IDT: 3,
  MSK: 3,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  BRT: -3,
  JST: 9,
  KST: 9,
  AEST: 10,
  AEDT: 11,
};

/** Java's `Date.toString` in UTC: `Wed Jul 01 11:43:07 UTC 2020`. */
export function javaDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  const day = `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())}`;
  return `${day} ${time} UTC ${date.getUTCFullYear()}`;
}

function zoneHours(zone: string): number {
  const offset = /^(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})$/.exec(zone);
  if (offset !== null) return (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) + Number(offset[3]) / 60);
  // An unknown zone is off by the same hours in both copies of one engine, so their order stays right.
  return ZONES[zone] ?? 0;
}

/** Inverse of `javaDate`, for any zone; undefined when it is no such date. */
export function parseJavaDate(text: string): Date | undefined {
  const parts = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\S{1,10}) (\d{4})$/.exec(
    text.trim(),
  );
  if (parts === null) return undefined;
  const [, month = '', day, hour, minute, second, zone = '', year] = parts;
  const at = Date.UTC(Number(year), MONTHS.indexOf(month), Number(day), Number(hour), Number(minute), Number(second));
  return MONTHS.includes(month) ? new Date(at - zoneHours(zone) * 3_600_000) : undefined;
}

function member(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** undefined for text that is not the description of an OVF_STORE, or was cut off. Never throws. */
export function parseOvfStoreDescription(text: string): OvfStoreDescription | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || member(value, 'Disk Description') !== 'OVF_STORE')
    return undefined;
  const updated = member(value, 'Updated');
  const size = member(value, 'Size');
  const last = member(value, 'Last Updated');
  const domains = member(value, 'Storage Domains');
  const number = typeof size === 'string' && /^\d{1,15}$/.test(size) ? Number(size) : size;
  const domainIds = (Array.isArray(domains) ? (domains as readonly unknown[]) : []).flatMap((domain) => {
    const uuid = typeof domain === 'object' && domain !== null ? member(domain, 'uuid') : undefined;
    return typeof uuid === 'string' ? [uuid] : [];
  });
  return {
    updated: updated === true || updated === 'true',
    size: typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined,
    lastUpdated: typeof last === 'string' ? parseJavaDate(last) : undefined,
    domainIds,
  };
}

/** VDSM keeps about 175 bytes of a description: no blanks in it, and `Size` only once there is one. */
export function formatOvfStoreDescription({ updated, domainId, size, updatedAt }: NewDescription): string {
  return JSON.stringify({
    Updated: updated,
    ...(size === undefined ? {} : { Size: size }),
    'Last Updated': updatedAt === undefined ? null : javaDate(updatedAt),
    'Storage Domains': [{ uuid: domainId }],
    'Disk Description': 'OVF_STORE',
  });
}
