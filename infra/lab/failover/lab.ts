/**
 * The failover lab: hosts with a VDSM, a sanlock daemon, a network target and a real worker process each, shared storage,
 * and an engine VM that holds its lease. What is cut, killed or hung here is a real process, socket or file.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, until } from '../../processes.ts';
import { labPaths, type LabFixture } from '../fixture.ts';
import { startHosts, type LabHosts } from '../lab.ts';
import { defaultVmConf, makeFixture } from '../make-fixture.ts';
import { holdingLease, initLeases, placesOf, type LabSanlock } from '../sanlock/index.ts';
import type { EngineProgram } from '../vdsm/index.ts';
import { guestRuns, guestWrites, type GuestRun } from './guest-log.ts';
import {
  Host,
  NetworkTarget,
  SOURCES,
  type FailoverHost,
  type FailoverLabOptions,
  type Ground,
  type Parts,
} from './host.ts';

export type { FailoverHost, FailoverLabOptions } from './host.ts';

const GUEST_BOOT_MS = 300;
const START_MS = 60_000;

/** As the engine writes it: with a lease device, and the disk shared exclusively. */
function domainXml(fixture: LabFixture): string {
  const { id, name, memoryMb } = fixture.vm;
  const { volume } = fixture.heDisks.vm;
  return [
    '<domain type="kvm" xmlns:ovirt-vm="http://ovirt.org/vm/1.0">',
    `<name>${name}</name><uuid>${id}</uuid><memory unit="MiB">${memoryMb}</memory>`,
    `<devices><lease><key>${volume}</key><lockspace>${fixture.heDomain.id}</lockspace>`,
    `<target offset="LEASE-OFFSET:${volume}:${fixture.heDomain.id}" path="LEASE-PATH:${volume}:${fixture.heDomain.id}"/></lease></devices>`,
    '<metadata><ovirt-vm:vm><ovirt-vm:device devtype="disk" name="vda"><ovirt-vm:shared>exclusive</ovirt-vm:shared></ovirt-vm:device></ovirt-vm:vm></metadata>',
    '<os><type>hvm</type></os></domain>',
  ].join('');
}

export interface FailoverLab {
  readonly fixture: LabFixture;
  readonly hosts: readonly FailoverHost[];
  readonly note: string;
  /** As the first host's daemon really is. */
  readonly sanlock: Pick<LabSanlock, 'kind' | 'ioSeconds' | 'watchdogSeconds' | 'speed'>;
  /** Wall milliseconds of each write of any guest. */
  writes(): readonly number[];
  /** Engine VMs as their disk shows them. */
  runs(): readonly GuestRun[];
  /** The engine VM that writes now. */
  running(): GuestRun | undefined;
  healthy(): Promise<boolean>;
  /** The health page answers 500 from now on, or well again. */
  sick(on: boolean): void;
  /** Host whose VDSM has the engine VM, in whatever state but Down. */
  where(): FailoverHost | undefined;
  close(): Promise<void>;
}

/** How long a VM that writes every 100 ms may be silent. */
const SILENT_MS = 600;

/** The lab's default vm.conf with a domain XML in it; the ids are those that the lab makes of the same vm.conf. */
async function vmConfWithXml(dir: string): Promise<string> {
  const base = defaultVmConf();
  const xml = Buffer.from(domainXml(await makeFixture({ dir, vmConf: base }))).toString('base64');
  return `${base.trimEnd()}\nxmlBase64=${xml}\n`;
}

function guestProgram(dir: string, port: number, lease: Parts['places']['lease']): EngineProgram {
  const [command = '', ...loader] = SOURCES.slice(0, 3);
  return {
    command,
    args: [...loader, ...holdingLease('', lease).args, fileURLToPath(new URL('guest.ts', import.meta.url))],
    env: { LAB_GUEST_PORT: String(port), LAB_GUEST_DIR: dir, LAB_GUEST_BOOT_MS: String(GUEST_BOOT_MS) },
    holdsLease: true,
  };
}

async function freePortBeside(fixture: LabFixture): Promise<number> {
  const taken = [fixture.engine.port, ...fixture.hosts.map((host) => host.vdsmPort)];
  return (await freePorts(8)).find((port) => !taken.includes(port)) ?? 0;
}

class Lab implements FailoverLab {
  readonly fixture: LabFixture;
  readonly hosts: readonly Host[];
  readonly #dir: string;
  readonly #disk: string;
  readonly #guestPort: number;
  readonly #stood: LabHosts;
  readonly #parts: Parts;

  constructor(parts: Parts, hosts: readonly Host[], stood: LabHosts) {
    this.fixture = parts.fixture;
    this.hosts = hosts;
    this.#dir = parts.dir;
    this.#disk = join(parts.dir, 'disk.log');
    this.#guestPort = parts.guestPort;
    this.#stood = stood;
    this.#parts = parts;
  }

  get sanlock(): LabSanlock {
    const daemon = this.hosts.find((host) => host.hasPower())?.sanlock();
    if (daemon === undefined) throw new Error('no host has power');
    return daemon;
  }

  get note(): string {
    const { kind, note, ioSeconds, watchdogSeconds, speed } = this.sanlock;
    return `sanlock: ${kind} (${note}), io ${ioSeconds} s, watchdog ${watchdogSeconds} s, clock x${speed}`;
  }

  get #ground(): Ground | undefined {
    return this.#parts.options.ground;
  }

  get #silentMs(): number {
    return this.#ground?.silentMs ?? SILENT_MS;
  }

  writes = () => guestWrites(this.#disk);
  runs = () => guestRuns(this.#disk);
  running = () => this.runs().findLast((run) => Date.now() - run.lastMs < this.#silentMs);

  async healthy(): Promise<boolean> {
    if (this.#ground !== undefined) return this.#ground.healthy();
    const url = `http://127.0.0.1:${this.#guestPort}/ovirt-engine/services/health`;
    return fetch(url, { signal: AbortSignal.timeout(500) })
      .then((answer) => answer.ok)
      .catch(() => false);
  }

  sick(on: boolean): void {
    if (this.#ground !== undefined) throw new RangeError('a real guest can’t be made sick');
    const file = join(this.#dir, 'sick');
    if (on) writeFileSync(file, '');
    else rmSync(file, { force: true });
  }

  where(): Host | undefined {
    return this.hosts.find(({ vdsm }) => {
      const vm = vdsm.state.vms.get(this.fixture.vm.id);
      return vdsm.state.alive && vm !== undefined && vm.status !== 'Down';
    });
  }

  async start(): Promise<void> {
    const { hosts } = this;
    await this.#ground?.start({
      storageRoot: labPaths(this.fixture.dir).storageRoot,
      disk: this.#parts.places.disk,
      log: this.#disk,
      vdsmPorts: new Map(hosts.map(({ name, vdsm }) => [name, vdsm.port])),
    });
    await Promise.all(hosts.map((host) => host.startSanlock()));
    for (const host of hosts) await host.network(true);
    for (const host of hosts) host.writeFiles(hosts);
    this.#stood.world.startEngineVm(hosts[0]?.name ?? '');
    await until('the engine VM to be healthy', () => this.healthy(), START_MS);
    for (const host of hosts) host.startWorker();
    for (const host of hosts) {
      const answers = async () => (await host.ask())?.round !== undefined;
      await until(`the worker of ${host.name} to begin`, answers, START_MS);
    }
  }

  /** The ends of the workers' logs. */
  logs(): string {
    const ends = this.hosts.map((host) => {
      const log = join(host.dir, 'worker.log');
      return existsSync(log) ? `${host.name}: ${readFileSync(log, 'utf8').slice(-2000)}` : '';
    });
    return ends.join('\n');
  }

  async close(): Promise<void> {
    this.#ground?.healStorage();
    await Promise.all(this.hosts.map((host) => host.close()));
    await this.#stood.close();
    await Promise.all(this.hosts.map((host) => host.closeSanlock()));
  }
}

/**
 * Starts storage, daemons and hosts; the engine VM on the first host; then the workers. Resolves when each of them has had
 * its first round and the engine is healthy.
 * @throws Error when it does not come to that
 */
export async function startFailoverLab(options: FailoverLabOptions): Promise<FailoverLab> {
  const { dir, ioSeconds = 2, sanlock: kind = 'auto', ground } = options;
  mkdirSync(dir, { recursive: true });
  const vmConf = await vmConfWithXml(dir);
  const hosts: Host[] = [];
  const socketOf = (name: string) => {
    const host = hosts.find((each) => each.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host.sanlock().socketPath;
  };
  const made: Parts[] = [];
  const stood: LabHosts = await startHosts({ dir: join(dir, 'lab'), speed: 1, vmConf }, async (fixture, storage) => {
    const guestPort = await freePortBeside(fixture);
    const places = placesOf(fixture, storage.lockspacePath);
    initLeases({ kind, ioSeconds, lockspace: places.domain, leases: [places.lease] });
    initLeases({ kind, ioSeconds, lockspace: places.board, leases: [] });
    made.push({ faults: () => stood.faults, dir, options, fixture, guestPort, places });
    return {
      agents: false,
      leases: {
        socketOf,
        environment: (name) => {
          const path = ground?.path(name, places.lease.path) ?? places.lease.path;
          return { ...holdingLease(socketOf(name), { ...places.lease, path }).env, ...ground?.environment(name) };
        },
      },
      engineProgram: ground?.engineProgram() ?? guestProgram(dir, guestPort, places.lease),
    };
  });
  const [parts] = made;
  if (parts === undefined) throw new Error('the lab’s hosts did not ask what they are to run');
  for (const [at, vdsm] of stood.hosts.slice(0, options.hosts ?? 3).entries()) {
    const config = stood.fixture.hosts[at];
    if (config !== undefined)
      hosts.push(new Host(parts, vdsm, config, ground?.target(config.name) ?? new NetworkTarget()));
  }
  const lab = new Lab(parts, hosts, stood);
  try {
    await lab.start();
  } catch (error) {
    const logs = lab.logs();
    await lab.close();
    throw new Error(`${String(error)}\n${logs}`, { cause: error });
  }
  return lab;
}
