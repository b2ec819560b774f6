/**
 * `dom_md/metadata` of a file domain, version 5: sorted `KEY=value` lines with a SHA-1 over them.
 *
 * Keys that the lab does not know are kept: others may write to the same file.
 */
import { createHash } from 'node:crypto';
import { parseLines, sortedLines } from './key-value.ts';

export interface DomainMetadata {
  readonly uuid: string;
  readonly name: string;
  readonly role: 'Master' | 'Regular';
  readonly class: string;
  readonly type: string;
  readonly version: number;
  /** Pools it is attached to: none or one. */
  readonly pools: readonly string[];
  /** `server:/path`. */
  readonly remotePath: string;
  /** Lines of keys not named above. */
  readonly others: ReadonlyMap<string, string>;
}

const DEFAULTS: readonly (readonly [string, string])[] = [
  ['ALIGNMENT', '1048576'],
  ['BLOCK_SIZE', '512'],
  ['IOOPTIMEOUTSEC', '10'],
  ['LEASERETRIES', '3'],
  ['LEASETIMESEC', '60'],
  ['LOCKPOLICY', ''],
  ['LOCKRENEWALINTERVALSEC', '5'],
];
const OWN = ['SDUUID', 'DESCRIPTION', 'ROLE', 'CLASS', 'TYPE', 'VERSION', 'POOL_UUID', 'REMOTE_PATH', '_SHA_CKSUM'];

/** Metadata of a data domain on NFS as VDSM writes it at creation: attached to nothing. */
export function newDomainMetadata(domain: { uuid: string; name: string; remotePath: string }): DomainMetadata {
  return { ...domain, role: 'Regular', class: 'Data', type: 'NFS', version: 5, pools: [], others: new Map(DEFAULTS) };
}

export function formatDomainMetadata(domain: DomainMetadata): string {
  const values = new Map<string, string | number>(domain.others);
  values.set('SDUUID', domain.uuid).set('DESCRIPTION', domain.name).set('ROLE', domain.role);
  values.set('CLASS', domain.class).set('TYPE', domain.type).set('VERSION', domain.version);
  values.set('POOL_UUID', domain.pools.join(',')).set('REMOTE_PATH', domain.remotePath);
  const lines = sortedLines(values);
  const checksum = createHash('sha1').update(lines.join(''), 'utf8').digest('hex');
  return `${[...lines, `_SHA_CKSUM=${checksum}`].join('\n')}\n`;
}

/** Undefined when it is no domain's metadata or its checksum is wrong: VDSM does not show such a domain. */
export function parseDomainMetadata(text: string): DomainMetadata | undefined {
  const values = parseLines(text);
  const uuid = values.get('SDUUID');
  if (uuid === undefined) return undefined;
  const declared = values.get('_SHA_CKSUM');
  const others = new Map([...values].filter(([key]) => !OWN.includes(key)));
  const domain: DomainMetadata = {
    uuid,
    name: values.get('DESCRIPTION') ?? '',
    role: values.get('ROLE') === 'Master' ? 'Master' : 'Regular',
    class: values.get('CLASS') ?? 'Data',
    type: values.get('TYPE') ?? 'NFS',
    version: Number(values.get('VERSION') ?? '5'),
    pools: (values.get('POOL_UUID') ?? '').split(',').filter((pool) => pool !== ''),
    remotePath: values.get('REMOTE_PATH') ?? '',
    others,
  };
  values.delete('_SHA_CKSUM');
  const computed = createHash('sha1').update(sortedLines(values).join(''), 'utf8').digest('hex');
  return declared === undefined || declared === computed ? domain : undefined;
}
