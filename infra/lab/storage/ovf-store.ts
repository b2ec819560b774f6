/** Content and description of an OVF_STORE volume (engine.md 11.4, vdsm.md 11). */
import { packTar, unpackTar } from './tar.ts';

export const OVF_STORE_SIZE = 128 * 1024 * 1024;

export interface OvfStoreDescription {
  readonly domainId: string;
  readonly updated: boolean;
  /** Bytes of the tar; absent before the first update. */
  readonly size?: number;
  readonly lastUpdated?: Date;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As Java's `Date.toString` on a machine in UTC: `Wed Jul 01 11:43:07 UTC 2020`. */
export function javaDate(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())}`;
  return `${day} ${time} UTC ${date.getUTCFullYear()}`;
}

export function formatOvfStoreDescription(store: OvfStoreDescription): string {
  return JSON.stringify({
    Updated: store.updated,
    ...(store.size === undefined ? {} : { Size: store.size }),
    'Last Updated': store.lastUpdated === undefined ? null : javaDate(store.lastUpdated),
    'Storage Domains': [{ uuid: store.domainId }],
    'Disk Description': 'OVF_STORE',
  });
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Undefined when the text is no description of an OVF_STORE. */
export function parseOvfStoreDescription(text: string): OvfStoreDescription | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = record(json);
  if (fields?.['Disk Description'] !== 'OVF_STORE') return undefined;
  const domains: unknown = fields['Storage Domains'];
  const domainId = Array.isArray(domains) ? record(domains[0])?.['uuid'] : undefined;
  const date = typeof fields['Last Updated'] === 'string' ? new Date(fields['Last Updated']) : undefined;
  return {
    domainId: typeof domainId === 'string' ? domainId : '',
    updated: fields['Updated'] === true,
    ...(typeof fields['Size'] === 'number' ? { size: fields['Size'] } : {}),
    ...(date !== undefined && !Number.isNaN(date.getTime()) ? { lastUpdated: date } : {}),
  };
}

/** The tar: `info.json`, one `<id>.ovf` each, `metadata.json`. */
export function packOvfs(domainId: string, ovfs: ReadonlyMap<string, string>, date: Date): Promise<Buffer> {
  const info = { 'Last Updated': javaDate(date), 'Storage Domains': [{ uuid: domainId }] };
  const members = new Map([['info.json', JSON.stringify(info, null, 2)]]);
  for (const [id, xml] of ovfs) members.set(`${id}.ovf`, xml);
  members.set('metadata.json', JSON.stringify({ 'VM Status': {} }, null, 2));
  return packTar(members, date);
}

/** OVFs by id; empty when the bytes are no archive. */
export async function unpackOvfs(bytes: Buffer): Promise<Map<string, string>> {
  const ovfs = new Map<string, string>();
  try {
    for (const [name, body] of await unpackTar(bytes)) {
      if (name.endsWith('.ovf')) ovfs.set(name.slice(0, -'.ovf'.length), body.toString('utf8'));
    }
  } catch {
    return new Map();
  }
  return ovfs;
}
