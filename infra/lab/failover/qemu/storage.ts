/** A host's own path to the shared storage, through FUSE, which can be made to hang (lab.md 4). */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../../processes.ts';
import { cacheDir, onPath } from '../../../setup/tools.mjs';

const SOURCE = fileURLToPath(new URL('faultfs.c', import.meta.url));
const MOUNT_MS = 10_000;

export type FaultFs =
  | { readonly available: true; readonly program: string }
  | { readonly available: false; readonly why: string };

/** The file system's program, compiled into the cache (a second, once), or what is missing for it. */
export function findFaultFs(): FaultFs {
  if (!existsSync('/dev/fuse')) return { available: false, why: '/dev/fuse' };
  for (const [program, deb] of [
    ['fusermount3', 'fuse3'],
    ['gcc', 'gcc libc6-dev'],
    ['pkg-config', 'pkg-config libfuse3-dev'],
  ] as const) {
    if (onPath(program) === undefined) return { available: false, why: `${program} (apt-get install ${deb})` };
  }
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const folder = join(cacheDir(), 'guest');
  const program = join(folder, `faultfs-${hash}`);
  if (existsSync(program)) return { available: true, program };
  try {
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8', stdio: 'pipe' });
    mkdirSync(folder, { recursive: true });
    const made = `${program}.${process.pid}`;
    execFileSync('gcc', ['-O2', '-Wall', SOURCE, '-o', made, ...flags.trim().split(/\s+/)], { stdio: 'pipe' });
    renameSync(made, program);
  } catch {
    return {
      available: false,
      why: 'libfuse3 to compile with (apt-get install gcc libc6-dev pkg-config libfuse3-dev)',
    };
  }
  return { available: true, program };
}

/** Takes away the mounts of labs that were killed: nobody serves them any more. */
export function sweepMounts(): void {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, mount, type = ''] = line.split(' ');
    if (mount === undefined || !type.startsWith('fuse.faultfs-')) continue;
    try {
      statSync(mount);
    } catch {
      execFileSync('fusermount3', ['-u', '-z', mount], { stdio: 'ignore' });
    }
  }
}

export class FaultMount {
  readonly #mount: string;
  readonly #backing: string;
  readonly #control: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** @param dir an own folder of this host */
  constructor(program: string, backing: string, dir: string) {
    this.#backing = backing;
    this.#mount = join(dir, 'mnt');
    this.#control = join(dir, 'storage-fault');
    mkdirSync(this.#mount, { recursive: true });
    this.set('ok');
    const log = openSync(join(dir, 'log'), 'a');
    // Told to end, it unmounts itself: so it does when this process is killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'TERM', program, backing, this.#mount, this.#control], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  /** @throws Error when it is not mounted within 10 s */
  async ready(): Promise<void> {
    const above = statSync(join(this.#mount, '..')).dev;
    await until(`${this.#mount} to be mounted`, () => statSync(this.#mount).dev !== above, MOUNT_MS);
  }

  /** How this host sees a file of the storage. */
  path(file: string): string {
    return file.startsWith(`${this.#backing}/`) ? this.#mount + file.slice(this.#backing.length) : file;
  }

  set(state: 'ok' | 'hang' | 'eio'): void {
    writeFileSync(this.#control, `${state}\n`);
  }

  /** What is open there stays so until it is closed. */
  unmount(): void {
    try {
      execFileSync('fusermount3', ['-u', '-z', this.#mount], { stdio: 'pipe' });
    } catch {
      // It was never mounted.
    }
  }

  async close(): Promise<void> {
    this.set('ok');
    this.unmount();
    // Without its mount it ends by itself; one that does not is of no use to anybody.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), MOUNT_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
