/** What a host gets: from the orchestrator's machine, with its checksum, and where it lies on the host. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CounterpartError } from '../errors.ts';

/** Paths on the orchestrator's machine. */
export interface HostWorkerFiles {
  readonly bundle: string;
  readonly unit: string;
  readonly conf: string;
}

export interface HostFile {
  /** On the host. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
  readonly sha256: string;
  /** An administrator's own version of it stays. */
  readonly keptIfThere: boolean;
}

export const WORKER_DIR = '/usr/lib/bellwether-host';
export const PLACES = {
  bundle: { path: `${WORKER_DIR}/bellwether-host.mjs`, mode: 0o755, keptIfThere: false },
  unit: { path: '/etc/systemd/system/bellwether-host.service', mode: 0o644, keptIfThere: false },
  conf: { path: '/etc/bellwether-host.conf', mode: 0o644, keptIfThere: true },
} as const;

async function readOne(name: keyof HostWorkerFiles, file: string): Promise<HostFile> {
  try {
    const content = await readFile(file);
    if (content.length === 0) throw new Error('it is empty');
    return { ...PLACES[name], content, sha256: createHash('sha256').update(content).digest('hex') };
  } catch (cause) {
    const facts = {
      type: 'configuration/host-worker',
      kind: 'needs-operator',
      subject: file,
      what: `the host worker’s ${name} can’t be read on the orchestrator’s machine`,
      why: cause instanceof Error ? cause.message : String(cause),
      remedy:
        name === 'bundle'
          ? 'Make it (npm run bundle), or name it with BELLWETHER_HOST_BUNDLE and restart the worker, then retry.'
          : 'Put the file back (infra/systemd), then retry.',
    } as const;
    throw new CounterpartError(facts, { cause });
  }
}

/** @throws CounterpartError needs-operator when one of them can't be read */
export async function readHostWorker(files: HostWorkerFiles | undefined): Promise<readonly HostFile[]> {
  if (files === undefined) {
    throw new CounterpartError({
      type: 'configuration/host-worker',
      kind: 'needs-operator',
      subject: 'the host worker',
      what: 'this orchestrator has none to put on a host',
      why: 'it was started without one',
      remedy: 'Start it with npm start, or name the bundle with BELLWETHER_HOST_BUNDLE, then retry.',
    });
  }
  // One after the other: of several that are missing the first is named, the same each time.
  const bundle = await readOne('bundle', files.bundle);
  return [bundle, await readOne('unit', files.unit), await readOne('conf', files.conf)];
}
