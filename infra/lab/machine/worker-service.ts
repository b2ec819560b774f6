/**
 * `bellwether-host.service` of a simulated host: the very bundle that was put there, as a process, with a sanlock daemon
 * (the model) of its own. Only paths and times are the lab's; all else is the configuration that lies on the host.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, type RunningProcess } from '../../processes.ts';
import { labPaths } from '../fixture.ts';
import { initLeases, placesOf, startLabSanlock, type LabSanlock, type NamedPlace } from '../sanlock/index.ts';
import type { HostState } from '../vdsm/host-state.ts';
import type { Shell } from './shell.ts';
import type { Service } from './units.ts';

const BUNDLE = '/usr/lib/bellwether-host/bellwether-host.mjs';
const UNIT = '/etc/systemd/system/bellwether-host.service';
const CONF = '/etc/bellwether-host.conf';
/** Of the lab profile. */
const IO_SECONDS = 2;
const WATCHDOG_SECONDS = 10;
/** sanlock's clock: no test waits for all of its seconds; an id is lost when this process stands still for 8 io of them. */
const SANLOCK_SPEED = 4;
const REJOIN_MS = 500;
const STOP_MS = 10_000;
/** A worker writes each second. */
const SILENT_MS = 10_000;

/** Labs whose lockspaces are written; the others' are empty files. */
const prepared = new Set<string>();

function prepareLeases(state: HostState): void {
  const { fixture, storage } = state;
  if (prepared.has(fixture.dir)) return;
  prepared.add(fixture.dir);
  const places = placesOf(fixture, storage.lockspacePath);
  initLeases({ kind: 'model', ioSeconds: IO_SECONDS, lockspace: places.domain, leases: [places.lease] });
  initLeases({ kind: 'model', ioSeconds: IO_SECONDS, lockspace: places.board, leases: [] });
}

export class WorkerService implements Service {
  readonly #state: HostState;
  readonly #shell: Shell;
  /** What its journal shows. */
  readonly log: string;
  #wanted = false;
  #sanlock: LabSanlock | undefined;
  #worker: RunningProcess | undefined;
  #queue: Promise<void> = Promise.resolve();
  #heard: { readonly timestamp: number; readonly atMs: number } | undefined;

  constructor(state: HostState, shell: Shell, log: string) {
    this.#state = state;
    this.#shell = shell;
    this.log = log;
  }

  get #dir(): string {
    return join(this.#state.dir, 'worker');
  }

  exists(): boolean {
    return existsSync(this.#shell.path(UNIT));
  }

  /** Its process lives and its slot changes. */
  alive(): boolean {
    if (this.#worker?.alive() !== true) return false;
    const timestamp = this.#state.storage.hostBlock(this.#state.hostId)?.timestamp ?? 0;
    const now = performance.now();
    if (this.#heard?.timestamp !== timestamp) this.#heard = { timestamp, atMs: now };
    return now - this.#heard.atMs < SILENT_MS;
  }

  start(): void {
    this.#wanted = true;
    this.#queue = this.#queue
      .then(() => (this.#wanted && this.#worker === undefined ? this.#begin() : undefined))
      .catch((error: unknown) => writeFileSync(this.log, `${String(error)}\n`, { flag: 'a' }));
  }

  async stop(clean: boolean): Promise<void> {
    this.#wanted = false;
    this.#queue = this.#queue.then(() => this.#end(clean)).catch(() => undefined);
    await this.#queue;
  }

  async #begin(): Promise<void> {
    const { fixture, storage, config } = this.#state;
    prepareLeases(this.#state);
    const { domain } = placesOf(fixture, storage.lockspacePath);
    this.#sanlock = await startLabSanlock({
      dir: fixture.dir,
      host: config.name,
      hostId: this.#state.hostId,
      ioSeconds: IO_SECONDS,
      watchdogSeconds: WATCHDOG_SECONDS,
      speed: SANLOCK_SPEED,
      kind: 'model',
    });
    await this.#sanlock.join(domain);
    void this.#keepJoined(this.#sanlock, domain);
    mkdirSync(this.#dir, { recursive: true });
    const flags = /^ExecStart=\/usr\/bin\/node ((?:--\S+ )*)\//m.exec(
      readFileSync(this.#shell.path(UNIT), 'utf8'),
    )?.[1];
    const words = (flags ?? '').split(' ').filter((word) => word !== '');
    const args = [...words, this.#shell.path(BUNDLE), 'run', '--config', this.#configuration(this.#sanlock)];
    const bin = join(this.#dir, 'bin');
    mkdirSync(bin, { recursive: true });
    // systemd's word on the whole machine, as the worker asks for it.
    writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\necho running\n', { mode: 0o755 });
    const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    this.#worker = startProcess(process.execPath, args, { env, logFile: this.log });
  }

  /** As VDSM does: a host id that is lost is taken again. */
  async #keepJoined(daemon: LabSanlock, domain: NamedPlace): Promise<void> {
    while (this.#sanlock === daemon) {
      await daemon.join(domain).catch(() => undefined);
      await new Promise((resolve) => {
        setTimeout(resolve, REJOIN_MS).unref();
      });
    }
  }

  async #end(clean: boolean): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) {
      if (clean) await worker.stop(STOP_MS);
      // With the process that does its I/O.
      else if (worker.alive()) process.kill(-worker.pid, 'SIGKILL');
      await worker.exited;
    }
    const sanlock = this.#sanlock;
    this.#sanlock = undefined;
    await sanlock?.kill();
  }

  /** The file on the host, with the lab's places and times instead of a real host's. */
  #configuration(sanlock: LabSanlock): string {
    const { fixture, config, port, dir } = this.#state;
    const paths = labPaths(fixture.dir);
    const heConf = join(this.#dir, 'hosted-engine.conf');
    // The lab's network answers for as long as the machine's sshd does.
    const base = readFileSync(join(dir, 'hosted-engine.conf'), 'utf8');
    const network = `network_test=tcp\ntcp_t_address=${config.address}\ntcp_t_port=${config.sshPort ?? 0}\n`;
    writeFileSync(heConf, `${base.replace(/^(network_test|tcp_t_address|tcp_t_port)=.*\n/gm, '')}${network}`);
    const lines = {
      profile: 'lab',
      'sanlock-io': IO_SECONDS,
      'sanlock-watchdog': WATCHDOG_SECONDS / SANLOCK_SPEED,
      'hosted-engine-conf': heConf,
      'ha-conf': join(dir, 'ha.conf'),
      'broker-socket': join(this.#dir, 'broker.socket'),
      'control-socket': join(this.#dir, 'control.socket'),
      'state-dir': join(this.#dir, 'state'),
      'vdsm-address': config.address,
      'vdsm-port': port,
      'vdsm-ca': paths.ca,
      'vdsm-cert': paths.clientCert,
      'vdsm-key': paths.clientKey,
      'sanlock-socket': sanlock.socketPath,
      'health-url': `https://${fixture.engine.address}:${fixture.engine.port}/ovirt-engine/services/health`,
      'health-ca': paths.ca,
      hostname: config.name,
    };
    const given = readFileSync(this.#shell.path(CONF), 'utf8').split('\n');
    const own = given.filter((line) => !Object.keys(lines).some((key) => line.startsWith(`${key}=`)));
    const file = join(this.#dir, 'worker.conf');
    const ours = Object.entries(lines).map(([key, value]) => `${key}=${value}`);
    writeFileSync(file, `${[...own, ...ours].join('\n')}\n`);
    return file;
  }
}
