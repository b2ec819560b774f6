/**
 * Names of objects in the archive: `cluster/operation-id/phase/name`. Pure.
 *
 * Each part keeps to characters that every S3, and a file system below it, takes unchanged; any other byte becomes
 * `!` and two hex digits, so that two different names never meet.
 */
import { CounterpartError } from '../errors.ts';

/** `manual`: taken for its own sake, not around a change. */
export type BackupPhase = 'before' | 'after' | 'manual';

/** A part is a file's name on the servers that keep objects as files. */
const PART_BYTES_MAX = 255;
const SAFE = /^[0-9A-Za-z_.-]$/;

/** One part of a key. @throws CounterpartError `archive/bad-name` when it is empty or too long. */
export function encodePart(text: string): string {
  let encoded = '';
  for (const character of text) {
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

/**
 * Folder of one backup, without a slash at its end. The operation is its workflow id: its slashes are encoded, so that
 * it stays one part of the key.
 */
export function backupFolder(cluster: string, operationId: string, phase: BackupPhase): string {
  return `${encodePart(cluster)}/${encodePart(operationId)}/${phase}`;
}

/**
 * Key of one file of a backup: `vm.conf` lies at `<folder>/vm-9f86d081884c.conf`. The content's SHA-256 is in it, since
 * a backup that is tried again may find other content (HA metadata changes all the time), and nothing is overwritten.
 */
export function entryKey(folder: string, name: string, sha256: string): string {
  const { stem = '', extension = '' } = /^(?<stem>.+?)(?<extension>\.[^.]*)?$/s.exec(name)?.groups ?? {};
  return `${folder}/${encodePart(`${stem}-${sha256.slice(0, 12)}${extension}`)}`;
}

/** Key of the backup's manifest, which is written last: where there is none, there is no complete backup. */
export function manifestKey(folder: string): string {
  return `${folder}/manifest.json`;
}
