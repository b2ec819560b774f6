/**
 * A sanlock daemon with sanlock's socket and sanlock's timing, and a simpler disk (`model-disk.ts`), inside this process.
 *
 * Left out: shared and persistent leases, events, requests, killpath, more than one disk per lease, a write that hung and takes
 * effect when the storage is back.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { ModelClient, type Daemon } from './model-client.ts';
import { formatLockspace, ModelDisk } from './model-disk.ts';
import { ModelSpace } from './model-space.ts';
import { Killed, ModelTime } from './model-time.ts';
import { joinThrough, leaveThrough } from './join.ts';
import { type LabSanlock, type LabSanlockOptions, type NamedPlace, runDir, type StorageState } from './types.ts';
import {
  answer,
  CMD,
  hostRecord,
  type LockspaceArgument,
  lockspaceArgument,
  lockspaceRecord,
  ownersBody,
  type Request,
  resourceArgument,
  RV,
} from './wire.ts';
import { Refused } from './model-disk.ts';

type Reply = { readonly bytes: Buffer; readonly close: boolean };

const LISTED = { active: 0, adding: 1, removing: 2 } as const;
/** Of the release whose rules the model follows. */
const VERSION = 0x03080500;

/** Starts listening. @throws when the socket's folder can't be made */
export async function startModel(options: LabSanlockOptions): Promise<LabSanlock> {
  const daemon = new ModelDaemon(options);
  await daemon.listen();
  return daemon;
}

class ModelDaemon implements LabSanlock, Daemon {
  readonly kind = 'model';
  readonly host: string;
  readonly hostId: number;
  readonly socketPath: string;
  readonly speed: number;
  readonly ioSeconds: number;
  readonly watchdogSeconds: number;
  readonly note: string;
  readonly busy: Daemon['busy'] = new Map();
  readonly #time: ModelTime;
  readonly #disk: ModelDisk;
  readonly #spaces = new Map<string, ModelSpace>();
  readonly #clients = new Set<ModelClient>();
  readonly #server: Server;
  readonly #bound: string;

  constructor(options: LabSanlockOptions) {
    const { dir, socketPath } = runDir(options);
    mkdirSync(dir, { recursive: true });
    this.host = options.host;
    this.hostId = options.hostId;
    this.speed = options.speed;
    this.ioSeconds = options.ioSeconds;
    this.watchdogSeconds = options.watchdogSeconds;
    this.socketPath = socketPath;
    this.#bound = `${socketPath}.new`;
    this.note = `a model of sanlock's timing, seconds run ${options.speed} times faster`;
    this.#time = new ModelTime(options.speed);
    this.#disk = new ModelDisk(this.#time);
    this.#server = createServer((socket) => {
      const client = new ModelClient(socket, this);
      client.freeze(this.#time.frozen);
      this.#clients.add(client);
      socket.once('close', () => this.#clients.delete(client));
    });
  }

  async listen(): Promise<void> {
    rmSync(this.#bound, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#bound, resolve);
    });
    // Node removes a socket that it closes; a killed daemon leaves its own behind.
    renameSync(this.#bound, this.socketPath);
  }

  join(lockspace: NamedPlace): Promise<void> {
    return joinThrough(this, lockspace);
  }

  leave(lockspace: NamedPlace): Promise<void> {
    return leaveThrough(this, lockspace);
  }

  async stop(): Promise<void> {
    this.freeze(false);
    for (const space of this.#spaces.values()) space.remove();
    while (this.#spaces.size > 0 && !this.#time.killed) await this.#time.sleep(0.2);
    await this.kill();
    rmSync(this.socketPath, { force: true });
  }

  async kill(): Promise<void> {
    this.#time.kill();
    for (const client of this.#clients) client.drop();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  freeze(on: boolean): void {
    this.#time.freeze(on);
    for (const client of this.#clients) client.freeze(on);
  }

  storage(state: StorageState): void {
    this.#disk.storage(state);
  }

  space(name: string): ModelSpace | undefined {
    return this.#spaces.get(name);
  }

  lease: Daemon['lease'] = (space, lease) => ({ space, lease, disk: this.#disk, time: this.#time });

  async command(request: Request): Promise<Reply | undefined> {
    await this.#time.running();
    const stay = (bytes: Buffer): Reply => ({ bytes, close: false });
    switch (request.cmd) {
      case CMD.ADD_LOCKSPACE:
        return stay(answer(request, await this.#add(lockspaceArgument(request.body), request.data)));
      case CMD.REM_LOCKSPACE:
        return stay(answer(request, await this.#remove(lockspaceArgument(request.body))));
      case CMD.INQ_LOCKSPACE:
        return stay(answer(request, this.#inquire(lockspaceArgument(request.body))));
      case CMD.WRITE_LOCKSPACE:
        return stay(answer(request, this.#write(lockspaceArgument(request.body), request.data2)));
      case CMD.READ_RESOURCE_OWNERS:
        return stay(await this.#owners(request));
      case CMD.VERSION:
        return stay(answer(request, 0, undefined, VERSION));
      case CMD.GET_LOCKSPACES:
        return { bytes: this.#lockspaces(request), close: true };
      case CMD.GET_HOSTS:
        return { bytes: this.#hosts(request), close: true };
      default:
        return undefined;
    }
  }

  #same(space: ModelSpace, of: LockspaceArgument): boolean {
    const { hostId, path, offset } = space.options;
    return hostId === of.hostId && path === of.path && offset === of.offset;
  }

  async #add(of: LockspaceArgument | undefined, io: number): Promise<number> {
    if (of === undefined || of.name === '' || of.hostId === 0 || of.path === '') return RV.EINVAL;
    const there = this.#spaces.get(of.name);
    if (there !== undefined) {
      if (!this.#same(there, of)) return RV.EINVAL;
      return { active: RV.EEXIST, adding: RV.EINPROGRESS, removing: RV.EAGAIN }[there.state];
    }
    const { host, watchdogSeconds: watchdog } = this;
    const space = new ModelSpace({ ...of, host, io: io || 10, watchdog, disk: this.#disk, time: this.#time });
    this.#spaces.set(of.name, space);
    const result = await space.join();
    if (result === 0) void this.#keep(space);
    else this.#spaces.delete(of.name);
    return result;
  }

  async #keep(space: ModelSpace): Promise<void> {
    const users = () => [...this.#clients].filter((client) => client.uses(space));
    try {
      await space.run({
        kill: (signal) => {
          for (const client of users()) client.kill(signal);
        },
        any: () => users().length > 0,
      });
      this.#spaces.delete(space.options.name);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }

  async #remove(of: LockspaceArgument | undefined): Promise<number> {
    const space = of === undefined ? undefined : this.#spaces.get(of.name);
    if (of === undefined || space === undefined || !this.#same(space, of)) return RV.ENOENT;
    if (space.state === 'removing') return RV.EINPROGRESS;
    space.remove();
    while (this.#spaces.get(of.name) === space) await this.#time.sleep(1);
    return 0;
  }

  /** Whoever is in it finds that out by himself. */
  #write(of: LockspaceArgument | undefined, io: number): number {
    if (of === undefined || of.name === '' || of.path === '') return RV.EINVAL;
    formatLockspace(of, of.name, io || 10);
    return 0;
  }

  #inquire(of: LockspaceArgument | undefined): number {
    const space = of === undefined ? undefined : this.#spaces.get(of.name);
    if (of === undefined || space === undefined || !this.#same(space, of)) return RV.ENOENT;
    return space.state === 'active' ? 0 : RV.EINPROGRESS;
  }

  async #owners(request: Request): Promise<Buffer> {
    const lease = resourceArgument(request.body);
    if (lease === undefined || lease.path === '') return answer(request, RV.ERANGE, request.body.subarray(0, 128));
    try {
      const { owner, generation, timestamp } = await this.#disk.readLease(lease, 10);
      const owners = timestamp === 0 ? [] : [{ id: owner, generation, timestamp, io: 0, flags: 0 }];
      return answer(request, 0, ownersBody(request.body, owners), owners.length);
    } catch (error) {
      if (error instanceof Refused) return answer(request, error.result, ownersBody(request.body, []));
      throw error;
    }
  }

  #lockspaces(request: Request): Buffer {
    const records = [...this.#spaces.values()].map((s) => lockspaceRecord(s.options, LISTED[s.state]));
    return answer(request, 0, Buffer.concat(records), records.length);
  }

  #hosts(request: Request): Buffer {
    const of = lockspaceArgument(request.body);
    const space = of === undefined ? undefined : this.#spaces.get(of.name);
    if (of === undefined || space?.state !== 'active') return answer(request, RV.ENOENT);
    const hosts = space.hosts()?.filter((host) => of.hostId === 0 || host.id === of.hostId);
    if (hosts === undefined) return answer(request, RV.EAGAIN);
    return answer(request, 0, Buffer.concat(hosts.map(hostRecord)), hosts.length);
  }
}
