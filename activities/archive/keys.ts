/**
 * Names of objects in the archive: `cluster/operation-id/phase/name`. Pure.
 *
 * Each part keeps to characters that every S3, and a file system below it, takes unchanged; any other byte becomes
 * `!` and two hex digits, so that two different names never meet.
 */
import { CounterpartError } from '../errors.ts';

export type BackupPhase = 'before' | 'after';

export interface BackupPlace {
  readonly cluster: string;
  /** The operation's workflow id; its slashes are encoded, it stays one part of the key. */
  readonly operation: string;
  readonly phase: BackupPhase;
}

export const MANIFEST_NAME = 'manifest.json';
/** A part is a file's name on the servers that keep objects as files. */
const PART_BYTES_MAX = 255;
const SAFE = /^[0-9A-Za-z_.-]$/;

/** One part of a key. @throws CounterpartError `archive/bad-name` when it is empty or too long. */
export function encodePart(text: string): string {
  let encoded = '';
  for (const character of text.toWellFormed()) {
    // A leading dot would hide the file, or mean the folder above.
    const plain = SAFE.test(character) && !(character === '.' && encoded === '');
    if (plain) encoded += character;
    else for (const byte of new TextEncoder().encode(character)) encoded += `!${byte.toString(16).padStart(2, '0')}`;
  }
  if (encoded !== '' && encoded.length <= PART_BYTES_MAX) return encoded;
  throw new CounterpartError({
    type: 'archive/bad-name',
    kind: 'fatal',
    subject: `name ${JSON.stringify(text.slice(0, 60))}`,
    what: 'it can not be part of an archive key',
    why: encoded === '' ? 'it is empty' : `it needs ${encoded.length} bytes of at most ${PART_BYTES_MAX}`,
    remedy: 'Use a shorter name',
  });
}

/** The text that `encodePart` was given. */
export function decodePart(part: string): string {
  return decodeURIComponent(part.replace(/!([0-9a-f]{2})/g, '%$1'));
}

/** `cluster/operation/phase/`: the prefix of one backup. */
export function backupPrefix(place: BackupPlace): string {
  return `${encodePart(place.cluster)}/${encodePart(place.operation)}/${place.phase}/`;
}

/** Key of one file of a backup. */
export function backupKey(place: BackupPlace, name: string): string {
  return backupPrefix(place) + encodePart(name);
}

/** Key of the backup's manifest, which is written last: where there is none, there is no complete backup. */
export function manifestKey(place: BackupPlace): string {
  return backupPrefix(place) + MANIFEST_NAME;
}
