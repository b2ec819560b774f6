/** Reads a backup by its manifest. */
import type { BackupRef } from '../../workflows/model/hosted-engine.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { Archive } from './client.ts';
import { parseManifest, type Manifest } from './manifest.ts';

export interface Backup {
  readonly manifest: Manifest;
  /** Content of the entry of that name; undefined when the backup has none. */
  find(name: string): Promise<Buffer | undefined>;
  /** Reads every entry. @throws CounterpartError for the first that is missing or not what was written */
  verify(): Promise<void>;
}

function damaged(key: string, why: string): CounterpartError {
  return new CounterpartError({
    type: 's3/damaged',
    kind: 'needs-operator',
    subject: key,
    what: 'the backup is not what was written',
    why,
    remedy: 'Use another backup, or an older version of this object.',
  });
}

export async function readBackup(archive: Archive, ref: BackupRef): Promise<Backup> {
  const bytes = await archive.get(ref.manifestKey);
  if (sha256(bytes) !== ref.manifestSha256) throw damaged(ref.manifestKey, 'the manifest’s SHA-256 differs');
  const manifest = parseManifest(ref.manifestKey, bytes);
  const find = async (name: string): Promise<Buffer | undefined> => {
    const entry = manifest.entries.find((candidate) => candidate.name === name);
    if (entry === undefined) return undefined;
    const content = await archive.get(entry.key);
    if (sha256(content) !== entry.sha256) throw damaged(entry.key, 'its SHA-256 differs from the manifest’s');
    return content;
  };
  return {
    manifest,
    find,
    async verify() {
      for (const { name } of manifest.entries) await find(name);
    },
  };
}
