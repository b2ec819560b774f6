/** The appliance: a raw disk image, in S3 or on the worker's machine. Read as a stream: it is gigabytes. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CounterpartError } from '../errors.ts';
import type { Archive } from './client.ts';

export interface Appliance {
  readonly source: string;
  readonly bytes: number;
  /** As its holder recorded it; undefined: only reading it all tells. */
  readonly sha256: string | undefined;
  read(): Promise<Readable>;
}

function unreadable(source: string, why: string, cause?: unknown): CounterpartError {
  return new CounterpartError(
    {
      type: 'appliance/not-readable',
      kind: 'needs-operator',
      subject: `appliance ${source}`,
      what: 'it can’t be read',
      why,
      remedy: 'Put the raw disk image there, readable for the worker, then retry.',
    },
    { cause },
  );
}

/**
 * @param source `s3://bucket/key`, or an absolute path
 * @throws CounterpartError needs-operator when it is not there or empty; those of the archive
 */
export async function openAppliance(archive: Archive, source: string, signal: AbortSignal): Promise<Appliance> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(source) ?? [];
  if (bucket !== undefined && key !== undefined) {
    const { bytes, sha256, read } = await archive.openObject({ bucket, key }, { signal });
    if (bytes < 1) throw unreadable(source, 'it is empty');
    return { source, bytes, sha256, read };
  }
  const found = await stat(source).catch((error: unknown) => {
    throw unreadable(source, error instanceof Error ? error.message : String(error), error);
  });
  if (!found.isFile() || found.size < 1) throw unreadable(source, found.isFile() ? 'it is empty' : 'it is no file');
  return { source, bytes: found.size, sha256: undefined, read: async () => createReadStream(source) };
}
