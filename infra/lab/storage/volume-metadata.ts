/** `<volume>.meta` of a file domain, version 5 (sizes in bytes), and what VDSM makes of it. Pure. */
import { parseLines, sortedLines } from './key-value.ts';

export const BLANK_UUID = '00000000-0000-0000-0000-000000000000';

/** VDSM cuts a longer description: a block domain's metadata has 512 bytes. */
const DESCRIPTION_MAX = 210;

export interface VolumeMetadata {
  readonly domain: string;
  readonly image: string;
  readonly parent: string;
  readonly capacity: number;
  readonly format: string;
  readonly type: string;
  readonly voltype: string;
  readonly disktype: string;
  readonly description: string;
  readonly legality: string;
  /** Seconds since the epoch. */
  readonly ctime: number;
  readonly generation: number;
  readonly sequence: number;
}

export function formatVolumeMetadata(volume: VolumeMetadata): string {
  const values = new Map<string, string | number>([
    ['CAP', volume.capacity],
    ['CTIME', volume.ctime],
    ['DESCRIPTION', volume.description.slice(0, DESCRIPTION_MAX)],
    ['DISKTYPE', volume.disktype],
    ['DOMAIN', volume.domain],
    ['FORMAT', volume.format],
    ['GEN', volume.generation],
    ['IMAGE', volume.image],
    ['LEGALITY', volume.legality],
    ['PUUID', volume.parent],
    ['SEQ', volume.sequence],
    ['TYPE', volume.type],
    ['VOLTYPE', volume.voltype],
  ]);
  return `${sortedLines(values).join('\n')}\nEOF\n`;
}

/** Undefined when a required key is missing or a number is none: VDSM reports such a volume with status INVALID. */
export function parseVolumeMetadata(text: string): VolumeMetadata | undefined {
  const values = parseLines(text);
  const texts = ['DOMAIN', 'IMAGE', 'PUUID', 'FORMAT', 'TYPE', 'VOLTYPE', 'DISKTYPE', 'DESCRIPTION', 'LEGALITY'];
  const [domain, image, parent, format, type, voltype, disktype, description, legality] = texts.map((k) =>
    values.get(k),
  );
  const numbers = [values.get('CAP'), values.get('CTIME'), values.get('GEN') ?? '0', values.get('SEQ') ?? '0'];
  const [capacity = NaN, ctime = NaN, generation = NaN, sequence = NaN] = numbers.map((text) =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) : NaN,
  );
  if (domain === undefined || image === undefined || parent === undefined || format === undefined) return undefined;
  if (type === undefined || voltype === undefined || disktype === undefined) return undefined;
  if (description === undefined || legality === undefined) return undefined;
  if ([capacity, ctime, generation, sequence].some(Number.isNaN)) return undefined;
  return {
    domain,
    image,
    parent,
    capacity,
    format,
    type,
    voltype,
    disktype,
    description,
    legality,
    ctime,
    generation,
    sequence,
  };
}
