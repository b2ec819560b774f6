/** A few hosts with sanlock daemons for the tests, real or modelled, and VM processes that hold the lease. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { openSanlock, type SanlockView } from '../../../workers/host/env-linux/sanlock/index.ts';
import { holdingLease, initLeases, type LabSanlock, type SanlockKind, startLabSanlock } from './index.ts';

const IO = 2;
/**
 * The longest waits are 8 io + watchdog: 76 s of the real one, 26 s of the model. The model shares this process with the
 * tests, which must not keep it from renewing for 8 io.
 */
const SPEEDS = { real: 20, model: 10 } as const;
export const LOCKSPACE = 'f3a5f2e4-8a52-4d0e-9d0e-4d3e3f3d0001';

/** Built before the first daemon starts: it takes longer than the model in this process may be kept from renewing. */
const holder = buildSync({
  entryPoints: [fileURLToPath(new URL('hold-lease.ts', import.meta.url))],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  write: false,
  logLevel: 'error',
}).outputFiles[0]?.contents;

/** Waits for `check` to be true. @throws Error with `what` after `limitMs` */
export async function until(what: string, check: () => boolean, limitMs = 8000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!check()) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(5);
  }
}

/** A process that goes on only when it holds the lease. */
export class Vm {
  readonly child: ChildProcess;
  output = '';
  running = false;
  code: number | null | undefined;
  signal: NodeJS.Signals | null = null;
  readonly messages: unknown[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stdout?.on('data', () => (this.running = true));
    child.on('message', (message) => this.messages.push(message));
    child.once('exit', (code, signal) => {
      this.code = code;
      this.signal = signal;
      this.running = false;
    });
  }

  get ended(): boolean {
    return this.code !== undefined;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await until('the VM has ended', () => this.ended);
  }
}

export class TestHosts {
  readonly kind: SanlockKind;
  readonly dir = mkdtempSync(`${tmpdir()}/sl-`);
  readonly domain = { name: LOCKSPACE, path: `${this.dir}/ids`, offset: 0 };
  readonly board = { name: 'hosted-engine', path: `${this.dir}/board`, offset: 0, ioSeconds: IO };
  readonly lease = { name: 'engine-volume', path: `${this.dir}/ids`, offset: 1024 * 1024 };
  readonly speed: number;
  readonly ioSeconds = IO;
  readonly #daemons = new Set<LabSanlock>();
  readonly #views = new Set<SanlockView>();
  readonly #vms = new Set<Vm>();

  constructor(kind: SanlockKind) {
    this.kind = kind;
    this.speed = SPEEDS[kind];
    initLeases({ kind, ioSeconds: IO, lockspace: this.domain, leases: [this.lease] });
    initLeases({ kind, ioSeconds: IO, lockspace: this.board, leases: [] });
    writeFileSync(`${this.dir}/hold-lease.mjs`, holder ?? '');
  }

  async daemon(hostId: number, host = `host${hostId}`): Promise<LabSanlock> {
    const { dir, kind, speed } = this;
    const options = { dir, host, hostId, ioSeconds: IO, watchdogSeconds: 10, speed, kind };
    const daemon = await startLabSanlock(options);
    this.#daemons.add(daemon);
    return daemon;
  }

  /** Daemons 1 to `count`, in the domain's lockspace, as VDSM would have put them there. */
  async joined(count: number): Promise<LabSanlock[]> {
    const daemons = await Promise.all(Array.from({ length: count }, (_, i) => this.daemon(i + 1)));
    await Promise.all(daemons.map((daemon) => daemon.join(this.domain)));
    return daemons;
  }

  /** sanlock's seconds in wall milliseconds. */
  ms(seconds: number): number {
    return (1000 * seconds) / this.speed;
  }

  /** On the lab's clock, as the worker of such a lab would be. */
  view(daemon: LabSanlock, hostId = daemon.hostId): SanlockView {
    const view = openSanlock({
      socketPath: daemon.socketPath,
      hostId,
      domainLockspace: LOCKSPACE,
      lease: this.lease,
      board: this.board,
      watchdogSeconds: daemon.watchdogSeconds,
      pollMs: 40,
      bootMs: () => performance.now() * this.speed,
    });
    this.#views.add(view);
    return view;
  }

  /** @param loader how Node gets at `hold-lease.ts`: bundled once for all of them, as a start through tsx takes half a second */
  vm(daemon: LabSanlock, loader: 'bundle' | 'tsx' = 'bundle'): Vm {
    const { args, env } = holdingLease(daemon.socketPath, { ...this.lease, lockspace: LOCKSPACE });
    const load = loader === 'tsx' ? ['--import', 'tsx', ...args] : ['--import', `${this.dir}/hold-lease.mjs`];
    const program = `process.stdout.write('up'); setInterval(() => {}, 1e6)`;
    const child = spawn(process.execPath, [...load, '-e', program], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const vm = new Vm(child);
    this.#vms.add(vm);
    return vm;
  }

  async runningVm(daemon: LabSanlock): Promise<Vm> {
    const vm = this.vm(daemon);
    await until('the VM runs', () => vm.running || vm.ended);
    if (vm.ended) throw new Error(vm.output);
    return vm;
  }

  /** VMs first: a daemon that is stopped would have to wait for them. */
  async end(): Promise<void> {
    for (const view of this.#views) view.close();
    await Promise.all([...this.#vms].filter((vm) => !vm.ended).map((vm) => vm.kill()));
    await Promise.all([...this.#daemons].map((daemon) => daemon.kill()));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
