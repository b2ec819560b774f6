/**
 * What is real below the failover lab where this machine has the parts: a network of namespaces, the engine VM in qemu, and
 * each host's path to the storage through FUSE. VDSM stays the lab's own.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runDir } from '../../sanlock/types.ts';
import type { EngineProgram } from '../../vdsm/index.ts';
import { SOURCES, type Ground, type Target } from '../host.ts';
import { watchDisk } from './disk-watch.ts';
import { guestImage, type GuestImage } from './image.ts';
import { LibvirtHost } from './libvirt-host.ts';
import { Networks, SWITCH_ADDRESS, VM_ADDRESS, VM_BRIDGE, VM_TAP } from './network.ts';
import { Outpost } from './outpost.ts';
import type { GuestParts } from './parts.ts';
import { pidFile, type VmSettings } from './settings.ts';
import { FaultMount, sweepMounts } from './storage.ts';

const VM = fileURLToPath(new URL('vm.ts', import.meta.url));
const LOOPBACK = '127.0.0.1';
/** Enough for its kernel, which dies with 64. */
const MEMORY_MB = 128;
/** A guest under a slow clock may be silent for this long between two writes that are 0.3 s apart. */
const SILENT_MS = 2500;

/** Above every pid: 0 would be this process's own group to whoever sends a signal. */
const NO_PID = '999999999';

export interface GroundOptions {
  /** Short: sockets lie below it. */
  readonly dir: string;
  readonly hosts: readonly string[];
  readonly parts: GuestParts;
  /** FUSE's program (`findFaultFs`); without it the storage can't hang. */
  readonly faultFs?: string;
  /** The engine VM runs under libvirt, else in plain qemu. */
  readonly libvirt: boolean;
}

/** Passes a connection on to a port outside the namespace. */
function passOn(inner: Socket, port: number): void {
  const outer = connect(port, LOOPBACK);
  for (const [one, other] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
    one.pipe(other);
  }
}

export class RealGround implements Ground {
  readonly healthUrl = `http://${VM_ADDRESS}/ovirt-engine/services/health`;
  readonly silentMs = SILENT_MS;
  readonly #options: GroundOptions;
  readonly #image: GuestImage;
  readonly #networks: Networks;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #mounts = new Map<string, FaultMount>();
  readonly #libvirts = new Map<string, LibvirtHost>();
  #observer: Outpost | undefined;
  #targetPort = 0;
  #disk = '';
  /** Processes die with this one; mounts and namespaces do not. */
  readonly #atExit = () => {
    for (const mount of this.#mounts.values()) mount.unmount();
    this.#networks.close();
  };
  #endWatch: () => void = () => undefined;

  private constructor(options: GroundOptions) {
    this.#options = options;
    this.#image = guestImage(options.parts);
    this.#networks = new Networks(options.hosts);
    process.once('exit', this.#atExit);
  }

  /** Network and observer stand when it resolves. @throws Error of what is missing */
  static async open(options: GroundOptions): Promise<RealGround> {
    const ground = new RealGround(options);
    try {
      if (options.faultFs !== undefined) sweepMounts();
      ground.#networks.open();
      ground.#observer = new Outpost(ground.#networks.insideSwitch());
      const { server, port } = await ground.#observer.listen(SWITCH_ADDRESS, 0);
      ground.#targetPort = port;
      ground.#serve(server, (socket) => socket.on('error', () => undefined));
    } catch (error) {
      await ground.close();
      throw error;
    }
    return ground;
  }

  #serve(server: Server, each: (socket: Socket) => void): void {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      each(socket);
    });
  }

  inside(host: string): readonly string[] {
    return this.#networks.inside(host);
  }

  target(host: string): Target {
    return {
      address: SWITCH_ADDRESS,
      port: this.#targetPort,
      up: () => Promise.resolve(this.#networks.cable(host, true)),
      down: () => this.#networks.cable(host, false),
    };
  }

  engineProgram(): EngineProgram {
    const [command = '', ...loader] = SOURCES.slice(0, 3);
    return { command, args: [...loader, VM], holdsLease: true };
  }

  environment(host: string): Readonly<Record<string, string>> {
    const { parts } = this.#options;
    const libvirtRun = this.#libvirts.get(host)?.runFolder;
    const settings: VmSettings = {
      ...this.#image,
      ...(libvirtRun === undefined ? {} : { libvirtRun }),
      disk: this.path(host, this.#disk),
      address: VM_ADDRESS,
      tap: VM_TAP,
      bridge: VM_BRIDGE,
      memoryMb: MEMORY_MB,
      runDir: this.#runDir,
      qemu: parts.qemu,
      sanlock: parts.sanlock,
      inside: [...this.inside(host)],
    };
    return { LAB_QEMU: JSON.stringify(settings) };
  }

  path(host: string, file: string): string {
    return this.#mounts.get(host)?.path(file) ?? file;
  }

  async start({ storageRoot, disk, log, vdsmPorts }: Parameters<Ground['start']>[0]): Promise<void> {
    this.#disk = disk;
    mkdirSync(this.#runDir, { recursive: true });
    this.#endWatch = watchDisk(disk, log, (token) => this.#pidOf(token));
    const { faultFs, hosts, dir, libvirt } = this.#options;
    await Promise.all(
      hosts.map(async (host, at) => {
        if (faultFs !== undefined) {
          const mount = new FaultMount(faultFs, storageRoot, join(dir, `fs-${host}`));
          this.#mounts.set(host, mount);
          await mount.ready();
        }
        if (libvirt) await this.#startLibvirt(host, at + 1);
        const port = vdsmPorts.get(host);
        if (port !== undefined) await this.#showVdsm(host, port);
      }),
    );
  }

  get #runDir(): string {
    return join(this.#options.dir, 'q');
  }

  /** A start that is not known here is no reason to look away. */
  #pidOf(token: string): string {
    const file = pidFile(this.#runDir, token);
    return existsSync(file) ? readFileSync(file, 'utf8') : NO_PID;
  }

  async #startLibvirt(host: string, hostId: number): Promise<void> {
    const { dir } = this.#options;
    const sanlock = runDir({ dir, host }).dir;
    const libvirt = new LibvirtHost(join(dir, `lv-${host}`), hostId, this.inside(host), sanlock);
    this.#libvirts.set(host, libvirt);
    await libvirt.ready();
  }

  async powerOff(host: string): Promise<void> {
    await this.#libvirts.get(host)?.kill();
  }

  /** A host's VDSM listens on the host itself: on its loopback, whatever happens to the network. */
  async #showVdsm(host: string, port: number): Promise<void> {
    const outpost = new Outpost(this.inside(host));
    try {
      const { server } = await outpost.listen(LOOPBACK, port);
      this.#serve(server, (socket) => passOn(socket, port));
    } finally {
      await outpost.close();
    }
  }

  async healthy(): Promise<boolean> {
    return (await this.#observer?.page(this.healthUrl))?.includes('DB Up') === true;
  }

  hangStorage(host: string): void {
    const mount = this.#mounts.get(host);
    if (mount === undefined) throw new RangeError('the storage can’t hang without FUSE');
    mount.set('hang');
  }

  healStorage(): void {
    for (const mount of this.#mounts.values()) mount.set('ok');
  }

  async close(): Promise<void> {
    process.removeListener('exit', this.#atExit);
    this.#endWatch();
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#observer?.close();
    await Promise.all([...this.#libvirts.values()].map((libvirt) => libvirt.kill()));
    await Promise.all([...this.#mounts.values()].map((mount) => mount.close()));
    this.#networks.close();
  }
}
