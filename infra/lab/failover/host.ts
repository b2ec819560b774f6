/** One host of the failover lab: VDSM, sanlock, a network target, and a real worker process. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { askSnapshot } from '../../../workers/host/control/client.ts';
import { parseSnapshot } from '../../../workers/host/journal/codec.ts';
import type { Snapshot } from '../../../workers/host/snapshot.ts';
import { startProcess, until, type RunningProcess } from '../../processes.ts';
import type { LabFaultBoard } from '../faults.ts';
import { labPaths, type LabFixture, type LabHost } from '../fixture.ts';
import { startLabSanlock, type LabSanlock, type NamedPlace, type SanlockKind } from '../sanlock/index.ts';
import { hostedEngineConf } from '../storage/index.ts';
import { preparedDir, type EngineProgram, type HostHandle } from '../vdsm/index.ts';

/** A thing on the management network that answers while this host is not cut off. */
export interface Target {
  readonly address: string;
  readonly port: number;
  up(): Promise<void>;
  down(): void;
}

/** What is real below the lab's hosts instead of a stand-in (`qemu/ground.ts`). Whoever made it closes it, after the lab. */
export interface Ground {
  readonly healthUrl: string;
  /** How long an engine VM that runs may be silent on its disk. */
  readonly silentMs: number;
  healthy(): Promise<boolean>;
  /** What to put before a command so that it runs on that host. */
  inside(host: string): readonly string[];
  target(host: string): Target;
  engineProgram(): EngineProgram;
  /** Of the engine VM's program on that host, beside its lease. */
  environment(host: string): Readonly<Record<string, string>>;
  /** How that host sees a file of the storage. */
  path(host: string, file: string): string;
  /** Before the first daemon: the storage, the engine VM's disk and what its guests write (`guest-log.ts`), VDSM's ports. */
  start(lab: {
    readonly storageRoot: string;
    readonly disk: string;
    readonly log: string;
    readonly vdsmPorts: ReadonlyMap<string, number>;
  }): Promise<void>;
  hangStorage(host: string): void;
  /** Whatever else of that host dies in a power cut. */
  powerOff(host: string): Promise<void>;
  /** Whatever hung goes on, so that it can be ended. */
  healStorage(): void;
}

export interface FailoverLabOptions {
  /** Default: the engine VM is a process, the network a port. */
  readonly ground?: Ground;
  /** Short: sockets lie below it. */
  readonly dir: string;
  readonly sanlock?: 'auto' | SanlockKind;
  /** Command and arguments of the worker, before `run --config FILE`. Default: from the sources. */
  readonly worker?: readonly string[];
  /** sanlock's seconds; default 2 and 10, of the lab profile. */
  readonly ioSeconds?: number;
  readonly watchdogSeconds?: number;
  /** Of sanlock alone; default 1. */
  readonly speed?: number;
  /** Of the workers; default `lab`. */
  readonly profile?: 'default' | 'fast' | 'lab';
  /** How many of the three hosts have a worker; default all. */
  readonly hosts?: number;
}

const START_MS = 60_000;

/** The management network as a port that is open or not. */
export class NetworkTarget implements Target {
  readonly address = '127.0.0.1';
  /** Chosen when it first comes up, and kept. */
  port = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  async up(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
  }

  down(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }
}

export interface FailoverHost {
  readonly name: string;
  readonly id: number;
  readonly vdsm: HostHandle;
  sanlock(): LabSanlock;
  /** Of the worker's journal, log and sockets. */
  readonly dir: string;
  workerPid(): number | undefined;
  /** Milliseconds from its start to its first answer. */
  startedMs(): number;
  startWorker(): void;
  /** SIGTERM, as systemd stops a service; `shutdown`: systemd says that the whole host goes down. */
  stopWorker(how?: 'restart' | 'shutdown'): Promise<void>;
  killWorker(): Promise<void>;
  powerOff(): Promise<void>;
  /** Resolves when VDSM holds its host id again. */
  powerOn(): Promise<void>;
  network(up: boolean): Promise<void>;
  /** The daemon dies (SIGKILL), the VM lives on; a new daemon has joined when it resolves. */
  restartSanlock(): Promise<void>;
  /** This host's path to the storage hangs: sanlock's, and that of the worker's I/O process. */
  hangStorage(): Promise<void>;
  /** What its worker tells; undefined while it does not answer. */
  ask(): Promise<Snapshot | undefined>;
  readonly socket: string;
}

/** A worker from the sources. */
export const SOURCES = [
  process.execPath,
  '--import',
  pathToFileURL(fileURLToPath(new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url))).href,
  fileURLToPath(new URL('../../../workers/host/cli/entry.ts', import.meta.url)),
];

export class Host implements FailoverHost {
  readonly vdsm: HostHandle;
  readonly dir: string;
  readonly socket: string;
  readonly #lab: Parts;
  readonly #config: LabHost;
  readonly #target: Target;
  readonly #file: string;
  #sanlock: LabSanlock | undefined;
  #worker: RunningProcess | undefined;
  #startedMs = 0;

  constructor(lab: Parts, vdsm: HostHandle, config: LabHost, target: Target) {
    this.#lab = lab;
    this.vdsm = vdsm;
    this.#config = config;
    this.#target = target;
    this.dir = join(lab.dir, config.name);
    this.socket = join(this.dir, 'control.socket');
    this.#file = join(this.dir, 'worker.conf');
    mkdirSync(join(this.dir, 'bin'), { recursive: true });
  }

  get name(): string {
    return this.#config.name;
  }

  get id(): number {
    return this.#config.spmId;
  }

  workerPid = () => this.#worker?.pid;
  startedMs = () => this.#startedMs;
  hasPower = () => this.#sanlock !== undefined;

  sanlock(): LabSanlock {
    if (this.#sanlock === undefined) throw new Error(`${this.name} has no power`);
    return this.#sanlock;
  }

  /** Its files, written once all ports are known. */
  writeFiles(hosts: readonly Host[]): void {
    const { fixture, options, guestPort } = this.#lab;
    const paths = labPaths(fixture.dir);
    const local = labPaths(fixture.dir).hostDir(this.name);
    const heConf = join(this.dir, 'hosted-engine.conf');
    const base = hostedEngineConf(fixture, this.id).replace(/^(network_test|tcp_t_address|tcp_t_port)=.*\n/gm, '');
    const { address, port } = this.#target;
    writeFileSync(heConf, `${base}network_test=tcp\ntcp_t_address=${address}\ntcp_t_port=${port}\n`);
    const peers = hosts.map((host) => `${host.name}=127.0.0.1:${host.vdsm.port}`).join(' ');
    const lines = {
      profile: options.profile ?? 'lab',
      'sanlock-io': options.ioSeconds ?? 2,
      'sanlock-watchdog': this.sanlock().watchdogSeconds / this.sanlock().speed,
      'hosted-engine-conf': heConf,
      'ha-conf': join(local, 'ha.conf'),
      'broker-socket': join(this.dir, 'broker.socket'),
      'control-socket': this.socket,
      'state-dir': this.dir,
      'vdsm-address': '127.0.0.1',
      'vdsm-port': this.vdsm.port,
      'vdsm-ca': paths.ca,
      'vdsm-cert': paths.clientCert,
      'vdsm-key': paths.clientKey,
      'sanlock-socket': this.sanlock().socketPath,
      'health-url': options.ground?.healthUrl ?? `http://127.0.0.1:${guestPort}/ovirt-engine/services/health`,
      hostname: this.name,
      ...(options.ground === undefined ? { 'migration-peers': peers } : {}),
      'guest-stop': 10,
      'engine-bad-health': 30,
    };
    writeFileSync(
      this.#file,
      Object.entries(lines)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    // systemd's word on what it is doing, as the worker asks for it.
    const file = join(this.dir, 'bin', 'systemctl');
    writeFileSync(file, `#!/bin/sh\ncat '${join(this.dir, 'systemd-state')}' 2>/dev/null || echo running\n`, {
      mode: 0o755,
    });
  }

  async startSanlock(): Promise<void> {
    const { options, places } = this.#lab;
    this.#sanlock = await startLabSanlock({
      dir: this.#lab.dir,
      host: this.name,
      hostId: this.id,
      ioSeconds: options.ioSeconds ?? 2,
      watchdogSeconds: options.watchdogSeconds ?? 10,
      speed: options.speed ?? 1,
      kind: options.sanlock ?? 'auto',
    });
    const path = options.ground?.path(this.name, places.domain.path) ?? places.domain.path;
    await this.#sanlock.join({ ...places.domain, path });
  }

  startWorker(): void {
    rmSync(join(this.dir, 'systemd-state'), { force: true });
    const { worker, ground } = this.#lab.options;
    const [command = '', ...args] = [...(ground?.inside(this.name) ?? []), ...(worker ?? SOURCES)];
    const env = { ...process.env, PATH: `${join(this.dir, 'bin')}:${process.env['PATH'] ?? ''}` };
    this.#worker = startProcess(command, [...args, 'run', '--config', this.#file], {
      env,
      logFile: join(this.dir, 'worker.log'),
    });
    const began = performance.now();
    void until('its first answer', async () => (await this.ask()) !== undefined, START_MS)
      .then(() => (this.#startedMs = performance.now() - began))
      .catch(() => undefined);
  }

  async stopWorker(how: 'restart' | 'shutdown' = 'restart'): Promise<void> {
    if (how === 'shutdown') writeFileSync(join(this.dir, 'systemd-state'), 'stopping\n');
    await this.#worker?.stop(60_000);
    this.#worker = undefined;
  }

  async killWorker(): Promise<void> {
    this.#worker?.kill('SIGKILL');
    await this.#worker?.exited;
    this.#worker = undefined;
  }

  /** With the process that may hang on storage: nobody else would ever end it. */
  async #endWorker(): Promise<void> {
    const pid = this.#worker?.pid;
    if (pid !== undefined && this.#worker?.alive() === true) process.kill(-pid, 'SIGKILL');
    await this.killWorker();
  }

  /** As lab.md 1: the daemon first, so that nobody lives to give the lease back in an orderly way. */
  async powerOff(): Promise<void> {
    appendFileSync(join(this.dir, 'worker.log'), '--- power cut ---\n');
    await this.#sanlock?.kill();
    await this.#lab.options.ground?.powerOff(this.name);
    await Promise.all([this.#endWorker(), this.vdsm.crash()]);
    this.#sanlock = undefined;
  }

  async powerOn(): Promise<void> {
    // What it kept is of an earlier boot: the machine below has not been restarted.
    const kept = join(this.dir, 'kept.json');
    if (existsSync(kept)) {
      writeFileSync(kept, readFileSync(kept, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"an earlier one"'));
    }
    await this.startSanlock();
    await this.vdsm.start();
    this.startWorker();
  }

  async network(up: boolean): Promise<void> {
    if (up) await this.#target.up();
    else this.#target.down();
  }

  async restartSanlock(): Promise<void> {
    await this.sanlock().kill();
    await this.startSanlock();
  }

  async hangStorage(): Promise<void> {
    const { ground } = this.#lab.options;
    if (ground === undefined) this.sanlock().storage('hang');
    else ground.hangStorage(this.name);
    this.#lab.faults().inject({ kind: 'storage-hang', host: this.name });
    const { image, volume } = this.#lab.fixture.heDisks.metadata;
    const dir = preparedDir(this.vdsm.state, this.#lab.fixture.heDomain.id, image);
    const real = realpathSync(dir);
    rmSync(dir, { force: true });
    if (ground !== undefined) {
      symlinkSync(ground.path(this.name, real), dir);
      return;
    }
    mkdirSync(dir);
    // Whoever opens it waits for the other end, which never comes.
    execFileSync('mkfifo', [join(dir, volume)]);
  }

  async ask(): Promise<Snapshot | undefined> {
    try {
      return parseSnapshot(await askSnapshot(this.socket));
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#endWorker();
    this.#target.down();
  }

  async closeSanlock(): Promise<void> {
    await this.#sanlock?.stop();
  }
}

/** What its hosts know of the lab. */
export interface Parts {
  readonly faults: () => LabFaultBoard;
  readonly dir: string;
  readonly options: FailoverLabOptions;
  readonly fixture: LabFixture;
  readonly guestPort: number;
  readonly places: {
    /** The engine VM's. */
    readonly disk: string;
    readonly domain: NamedPlace;
    readonly lease: NamedPlace & { readonly lockspace: string };
  };
}
