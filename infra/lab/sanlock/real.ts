/**
 * The real sanlock daemon, several of them on one machine: each has its own run directory and its own host name (lab.md 1).
 *
 * No watchdog, no real-time priority and no locked memory, so it runs as any user. libfaketime makes its seconds shorter.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { connect } from 'node:net';
import { delimiter } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { joinThrough, leaveThrough } from './join.ts';
import { type LabSanlock, type LabSanlockOptions, type NamedPlace, runDir, type StorageState } from './types.ts';

/** sanlock 3.8 knows no other; `watchdog_fire_timeout` came with 3.9. */
const WATCHDOG_SECONDS = 60;
const START_MS = 10_000;

export type RealSanlock =
  | { readonly available: true; readonly program: string; readonly faketime: string | undefined }
  | { readonly available: false; readonly why: string };

function find(program: string): string | undefined {
  // /usr/sbin is not in everybody's path.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => `${folder}/${program}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What this machine has of the packages `sanlock` and `faketime`. */
export function findRealSanlock(): RealSanlock {
  const program = find('sanlock');
  if (program === undefined)
    return { available: false, why: 'sanlock is not installed (apt-get install sanlock faketime)' };
  const libraries = readdirSync('/usr/lib').map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`);
  return { available: true, program, faketime: libraries.find((path) => existsSync(path)) };
}

/** Starts a daemon and waits until it answers. @throws Error with the end of its log */
export async function startReal(options: LabSanlockOptions, real: RealSanlock): Promise<LabSanlock> {
  if (!real.available) throw new Error(real.why);
  const endMs = performance.now() + START_MS;
  for (;;) {
    const daemon = new RealDaemon(options, real.program, real.faketime);
    if (await daemon.ready(endMs)) return daemon;
    // The helper of a daemon that was killed keeps the lock file for a moment.
    if (performance.now() > endMs) throw new Error(`sanlock does not start: ${daemon.logEnd()}`);
    await sleep(50);
  }
}

/** Writes lockspace and leases in sanlock's own format. */
export function formatReal(program: string, io: number, lockspace: NamedPlace, leases: readonly NamedPlace[]): void {
  const env = { ...process.env, SANLOCK_PRIVILEGED: '0' };
  const run = (...args: string[]) => execFileSync(program, ['direct', 'init', ...args], { env, stdio: 'pipe' });
  // The command line's separator, which mount folders are full of.
  const place = ({ path, offset }: NamedPlace) => `${path.replaceAll(':', '\\:')}:${offset}`;
  run('-s', `${lockspace.name}:0:${place(lockspace)}`, '-o', `${io}`);
  for (const lease of leases) run('-r', `${lockspace.name}:${lease.name}:${place(lease)}`);
}

class RealDaemon implements LabSanlock {
  readonly kind = 'real';
  readonly host: string;
  readonly hostId: number;
  readonly socketPath: string;
  readonly speed: number;
  readonly ioSeconds: number;
  readonly watchdogSeconds = WATCHDOG_SECONDS;
  readonly note: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #program: string;
  readonly #dir: string;
  #running = true;
  readonly #atExit = () => this.#signal('SIGKILL');

  constructor(options: LabSanlockOptions, program: string, faketime: string | undefined) {
    const { dir, socketPath } = runDir(options);
    this.host = options.host;
    this.hostId = options.hostId;
    this.socketPath = socketPath;
    this.ioSeconds = options.ioSeconds;
    this.speed = faketime === undefined ? 1 : options.speed;
    this.#program = program;
    this.#dir = dir;
    const clock = this.speed === options.speed ? `${this.speed} times faster` : 'at real speed: faketime is missing';
    const watchdog =
      options.watchdogSeconds === WATCHDOG_SECONDS ? '' : `, watchdog ${WATCHDOG_SECONDS} s whatever is asked for`;
    this.note = `the real sanlock, seconds run ${clock}${watchdog}`;
    mkdirSync(dir, { recursive: true });
    rmSync(socketPath, { force: true });
    this.#child = this.#start(faketime);
    this.#ended = new Promise((resolve) => {
      const done = () => {
        this.#running = false;
        process.removeListener('exit', this.#atExit);
        resolve();
      };
      this.#child.once('exit', done);
      this.#child.once('error', done);
    });
    process.once('exit', this.#atExit);
  }

  #start(faketime: string | undefined): ChildProcess {
    const id = (option: string) => execFileSync('id', [option], { encoding: 'utf8' }).trim();
    const args = ['daemon', '-D', '-w', '0', '-h', '0', '-l', '0', '-e', this.host, '-L', '-1', '-S', '-1'];
    const fast =
      faketime === undefined || this.speed === 1
        ? {}
        : { LD_PRELOAD: faketime, FAKETIME: `+0 x${this.speed}`, FAKETIME_NO_CACHE: '1' };
    const log = openSync(`${this.#dir}/log`, 'a');
    try {
      return spawn(this.#program, [...args, '-U', id('-un'), '-G', id('-gn')], {
        env: { ...process.env, ...fast, SANLOCK_RUN_DIR: this.#dir, SANLOCK_PRIVILEGED: '0' },
        stdio: ['ignore', log, log],
      });
    } finally {
      closeSync(log);
    }
  }

  async ready(endMs: number): Promise<boolean> {
    while (this.#running && performance.now() < endMs) {
      const there = await new Promise<boolean>((resolve) => {
        const socket = connect(this.socketPath);
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
      });
      if (there) return true;
      await sleep(20);
    }
    await this.kill();
    return false;
  }

  logEnd(): string {
    return readFileSync(`${this.#dir}/log`, 'utf8').split('\n').slice(-4).join(' | ');
  }

  join(lockspace: NamedPlace): Promise<void> {
    return joinThrough(this, lockspace);
  }

  leave(lockspace: NamedPlace): Promise<void> {
    return leaveThrough(this, lockspace);
  }

  async stop(): Promise<void> {
    this.freeze(false);
    const env = { ...process.env, SANLOCK_RUN_DIR: this.#dir };
    if (this.#running) spawn(this.#program, ['client', 'shutdown', '-f', '1', '-w', '1'], { env, stdio: 'ignore' });
    await Promise.race([this.#ended, sleep(START_MS, undefined, { ref: false })]);
    await this.kill();
    rmSync(this.socketPath, { force: true });
  }

  async kill(): Promise<void> {
    if (this.#running) this.#signal('SIGKILL');
    await this.#ended;
  }

  freeze(on: boolean): void {
    if (this.#running) this.#signal(on ? 'SIGSTOP' : 'SIGCONT');
  }

  storage(state: StorageState): void {
    if (state !== 'ok') throw new RangeError('unsupported: the real sanlock keeps its files open');
  }

  /** To the daemon and its helper, which sends the signals to owners. */
  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
      for (const child of children === '' ? [] : children.split(' ')) process.kill(Number(child), signal);
    } catch {
      // It is ending by itself.
    }
    this.#child.kill(signal);
  }
}
