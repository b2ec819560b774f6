/**
 * Volumes of one file domain: `images/<image>/<volume>` with its `.meta` and `.lease`.
 *
 * The truth is in the files and is read at each call: tests tamper with them, and so does another process of the lab.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BLANK_UUID, formatVolumeMetadata, parseVolumeMetadata, type VolumeMetadata } from './volume-metadata.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const STAT_BLOCK_BYTES = 512;
const LEASE_BYTES = 1024 * 1024;

export interface NewVolume {
  readonly image: string;
  readonly volume: string;
  readonly sizeBytes: number;
  readonly format?: 'RAW' | 'COW';
  readonly type?: 'SPARSE' | 'PREALLOCATED';
  readonly disktype?: string;
  readonly description?: string;
  readonly sequence?: number;
  /** Seconds since the epoch. */
  readonly ctime: number;
}

export interface VolumeFile {
  readonly image: string;
  readonly volume: string;
  readonly path: string;
  /** Undefined when the `.meta` file is missing or can't be understood. */
  readonly metadata: VolumeMetadata | undefined;
  readonly apparentSize: number;
  readonly trueSize: number;
}

export function volumePath(domainDir: string, image: string, volume: string): string {
  return join(domainDir, 'images', image, volume);
}

export function listImages(domainDir: string): string[] {
  const images = join(domainDir, 'images');
  return existsSync(images) ? readdirSync(images).filter((name) => UUID.test(name)) : [];
}

/** Volume ids of one image (a volume is a file whose name is a UUID and that has a `.meta` beside it). */
export function listVolumes(domainDir: string, image: string): string[] {
  const dir = join(domainDir, 'images', image);
  if (!existsSync(dir)) return [];
  return readdirSync(dir).filter((name) => UUID.test(name) && existsSync(join(dir, `${name}.meta`)));
}

/** Undefined when there is no such volume. */
export function readVolume(domainDir: string, image: string, volume: string): VolumeFile | undefined {
  const path = volumePath(domainDir, image, volume);
  if (!existsSync(path)) return undefined;
  const stat = statSync(path);
  const meta = existsSync(`${path}.meta`) ? parseVolumeMetadata(readFileSync(`${path}.meta`, 'utf8')) : undefined;
  return {
    image,
    volume,
    path,
    metadata: meta,
    apparentSize: stat.size,
    trueSize: stat.blocks * STAT_BLOCK_BYTES,
  };
}

/** Replaces the `.meta` file in one step, as VDSM does, so that a reader never sees half of it. */
export function writeVolumeMetadata(path: string, metadata: VolumeMetadata): void {
  writeFileSync(`${path}.meta.new`, formatVolumeMetadata(metadata));
  renameSync(`${path}.meta.new`, `${path}.meta`);
}

/**
 * Creates image folder, volume (always sparse on the lab's disk), metadata and lease.
 * @returns false, and nothing is changed, when the volume exists.
 */
export function createVolume(domainDir: string, domainId: string, wanted: NewVolume): boolean {
  const path = volumePath(domainDir, wanted.image, wanted.volume);
  if (existsSync(path)) return false;
  mkdirSync(join(domainDir, 'images', wanted.image), { recursive: true });
  writeFileSync(path, '');
  truncateSync(path, wanted.sizeBytes);
  writeFileSync(`${path}.lease`, '');
  truncateSync(`${path}.lease`, LEASE_BYTES);
  writeVolumeMetadata(path, {
    domain: domainId,
    image: wanted.image,
    parent: BLANK_UUID,
    capacity: wanted.sizeBytes,
    format: wanted.format ?? 'RAW',
    type: wanted.type ?? 'SPARSE',
    voltype: 'LEAF',
    disktype: wanted.disktype ?? 'DATA',
    description: wanted.description ?? '',
    legality: 'LEGAL',
    ctime: wanted.ctime,
    generation: 0,
    sequence: wanted.sequence ?? 0,
  });
  return true;
}

/** Removes one volume with what belongs to it, and the image's folder when it was the last. */
export function removeVolume(domainDir: string, image: string, volume: string): void {
  const path = volumePath(domainDir, image, volume);
  for (const suffix of ['', '.meta', '.lease']) rmSync(`${path}${suffix}`, { force: true });
  if (listVolumes(domainDir, image).length === 0) removeImage(domainDir, image);
}

export function removeImage(domainDir: string, image: string): void {
  rmSync(join(domainDir, 'images', image), { recursive: true, force: true });
}
