/** The client against a daemon that misbehaves. How it gets on with a good one: infra/lab/sanlock/contract.test.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS, HEAD_BYTES, requests } from './codec.ts';
import { openSanlock, type SanlockOptions, type SanlockView } from './view.ts';

const NAMES = new Map<number, string>(Object.entries(COMMANDS).map(([name, number]) => [number, name]));
type Reply = 'hang' | 'rubbish' | { readonly result: number; readonly body?: Buffer };

/** Answers what it is told to; notes what it was asked, and how many at a time. */
class Daemon {
  readonly dir = mkdtempSync(`${tmpdir()}/slv-`);
  readonly path = `${this.dir}/sanlock.sock`;
  readonly asked: string[] = [];
  readonly replies = new Map<string, Reply>();
  readonly sockets = new Set<Socket>();
  open = new Map<string, number>();
  most = 0;
  #server: Server | undefined;

  async listen(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve) => this.#server?.listen(this.path, resolve));
  }

  async die(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      const name = NAMES.get(chunk.readUInt32LE(8)) ?? '?';
      this.asked.push(name);
      const hanging = this.replies.get(name) === 'hang';
      if (hanging) {
        this.open.set(name, (this.open.get(name) ?? 0) + 1);
        this.most = Math.max(this.most, this.open.get(name) ?? 0);
      }
      this.#reply(socket, chunk, this.replies.get(name) ?? { result: 0, body: this.#usual(name) });
    });
  }

  #usual(name: string): Buffer {
    if (name === 'readResourceOwners') return Buffer.alloc(128);
    if (name === 'getHosts') return host(1, performance.now());
    if (name !== 'getLockspaces') return Buffer.alloc(0);
    const added = requests.addLockspace({ name: 'LS', hostId: 1, path: '/ids', offset: 0 }, 10);
    return Buffer.from(added.subarray(HEAD_BYTES));
  }

  #reply(socket: Socket, request: Buffer, reply: Reply): void {
    if (reply === 'hang') return;
    if (reply === 'rubbish') {
      socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const body = reply.body ?? Buffer.alloc(0);
    const head = Buffer.from(request.subarray(0, HEAD_BYTES));
    head.writeUInt32LE(HEAD_BYTES + body.length, 16);
    head.writeInt32LE(reply.result, 24);
    socket.write(Buffer.concat([head, body]));
  }
}

function host(id: number, timestamp: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(BigInt(id), 0);
  bytes.writeBigUInt64LE(1n, 8);
  bytes.writeBigUInt64LE(BigInt(Math.round(timestamp)), 16);
  bytes.writeUInt32LE(10, 24);
  bytes.writeUInt32LE(3, 28);
  return bytes;
}

async function until(what: string, check: () => boolean, limitMs = 4000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!check()) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(2);
  }
}

describe('openSanlock', () => {
  let daemon: Daemon;
  const views: SanlockView[] = [];
  const view = (more: Partial<SanlockOptions> = {}) => {
    const opened = openSanlock({
      socketPath: daemon.path,
      hostId: 1,
      domainLockspace: 'LS',
      lease: { name: 'engine', path: '/leases', offset: 0 },
      board: { name: 'hosted-engine', path: '/board', offset: 0, ioSeconds: 10 },
      watchdogSeconds: 60,
      pollMs: 5,
      bootMs: () => performance.now(),
      ...more,
    });
    views.push(opened);
    return opened;
  };
  const typeOf = (v: SanlockView) => String(v.trouble()?.message);

  beforeEach(async () => {
    daemon = new Daemon();
    await daemon.listen();
  });
  afterEach(async () => {
    for (const opened of views.splice(0)) opened.close();
    await daemon.die();
    rmSync(daemon.dir, { recursive: true, force: true });
  });

  it('keeps the fact as old as it is while the storage hangs, and never asks for the lease twice at a time', async () => {
    let skipMs = 0;
    const v = view({ bootMs: () => performance.now() + skipMs });
    await until('a fact', () => v.fact()?.joined === true);
    daemon.replies.set('readResourceOwners', 'hang');
    await until('hung', () => daemon.most === 1);
    // What took this long still counts; what takes longer does not.
    skipMs = 6000;
    const atMs = performance.now() + skipMs;
    const lockspaces = () => daemon.asked.filter((name) => name === 'getLockspaces').length;
    const before = lockspaces();
    // It goes on looking at the rest.
    await until('looked twice more', () => lockspaces() >= before + 2);
    expect(v.fact()?.atMs).toBeLessThan(atMs);
    expect(v.fact()?.connected).toBe(true);
    expect(daemon.most).toBe(1);
    expect(typeOf(v)).toContain('lease');
  });

  it('says that the host is out of the lockspace even when the lease can’t be read', async () => {
    const v = view();
    await until('a fact', () => v.fact()?.joined === true);
    daemon.replies.set('readResourceOwners', { result: -19, body: Buffer.alloc(128) });
    daemon.replies.set('getLockspaces', { result: 0 });
    await until('out', () => v.fact()?.joined === false);
    expect(v.fact()?.connected).toBe(true);
  });

  it('reports what the daemon answers instead, and goes on', async () => {
    const v = view();
    await until('a fact', () => v.fact() !== undefined);
    const old = v.fact()?.atMs ?? 0;
    daemon.replies.set('getHosts', 'rubbish');
    await until('trouble', () => typeOf(v).includes('magic'));
    daemon.replies.set('getHosts', { result: -22 });
    await until('trouble', () => typeOf(v).includes('in use for another lockspace'));
    expect(v.fact()?.connected).toBe(true);
    daemon.replies.delete('getHosts');
    await until('young again', () => (v.fact()?.atMs ?? 0) > old && v.trouble() === undefined);
  });

  it('is told of a dead daemon at once, by the connection that stands, and once', async () => {
    const v = view({ pollMs: 60_000 });
    await until('a fact', () => v.fact() !== undefined);
    const changes: unknown[] = [];
    v.onChange(() => changes.push(v.fact()?.connected));
    const beginMs = performance.now();
    await daemon.die();
    await until('not connected', () => v.fact()?.connected === false, 200);
    const fact = v.fact();
    expect(fact?.joined).toBe(false);
    // It is known now, however long ago it was.
    expect(fact?.atMs).toBeGreaterThanOrEqual(beginMs);
    expect(changes).toEqual([false]);
    await daemon.listen();
    await until('connected', () => v.fact()?.connected === true);
    expect(changes).toEqual([false, true]);
  });

  it('does not call a daemon that came back connected before it has this host in the lockspace', async () => {
    const v = view();
    await until('a fact', () => v.fact() !== undefined);
    daemon.replies.set('getHosts', { result: -11 });
    await daemon.die();
    await daemon.listen();
    const before = daemon.asked.length;
    await until('looked at', () => daemon.asked.length > before + 20);
    expect(v.fact()?.connected).toBe(false);
    daemon.replies.delete('getHosts');
    await until('connected', () => v.fact()?.connected === true);
  });

  it('sends its first word at once on each connection: sanlock’s main loop may wait for it', async () => {
    const v = view();
    await until('a fact', () => v.fact() !== undefined);
    expect(daemon.asked[0]).toBe('version');
    expect(daemon.asked.filter((name) => name === 'version').length).toBe(1);
    expect(daemon.asked).not.toContain('?');
  });

  it('claims nothing where there never was a daemon, and that VMs have lost their lease where one has died', async () => {
    const never = view({ socketPath: `${daemon.dir}/none.sock` });
    await until('tried', () => typeOf(never).includes('ENOENT'));
    expect(never.fact()).toBeUndefined();
    // A socket that nobody listens on any more, as a killed daemon leaves it behind.
    const { spawnSync } = await import('node:child_process');
    const left = `${daemon.dir}/left.sock`;
    const program = `require('net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program]);
    const dead = view({ socketPath: left });
    await until('dead', () => dead.fact()?.connected === false);
    expect(typeOf(dead)).toContain('ECONNREFUSED');
  });

  it('reads the lease seldom while nothing happens, and at once when it is told to look', async () => {
    let skipMs = 0;
    const v = view({ bootMs: () => performance.now() + skipMs });
    await until('a fact', () => v.fact() !== undefined);
    const readings = () => daemon.asked.filter((name) => name === 'readResourceOwners').length;
    skipMs = 100_000;
    const settled = readings();
    const atMs = performance.now() + skipMs;
    await until('it has looked often', () => daemon.asked.length > 200 && (v.fact()?.atMs ?? 0) > atMs);
    expect(readings() - settled).toBeLessThanOrEqual(2);
    expect(v.fact()?.joined).toBe(true);
    const before = readings();
    v.lookNow();
    await until('read', () => readings() > before);
  });

  it('joins the board once for two callers, waits out another joining, and tells why it can’t', async () => {
    const v = view();
    daemon.replies.set('addLockspace', { result: -115 });
    const joining = Promise.all([v.joinBoard(), v.joinBoard()]);
    await until('asked', () => daemon.asked.includes('addLockspace'));
    daemon.replies.set('addLockspace', { result: -17 });
    await joining;
    expect(daemon.asked.filter((name) => name === 'addLockspace').length).toBe(2);
    daemon.replies.set('addLockspace', { result: -203 });
    await expect(v.joinBoard()).rejects.toMatchObject({ facts: { type: 'sanlock/watchdog', kind: 'needs-operator' } });
    daemon.replies.set('remLockspace', { result: -2 });
    await v.leaveBoard();
    const none = view({ board: undefined });
    await expect(none.joinBoard()).rejects.toMatchObject({ facts: { type: 'sanlock/no-board' } });
  });

  it('ends at once when it is closed, with all that waits', async () => {
    daemon.replies.set('addLockspace', 'hang');
    const v = view();
    const joining = v.joinBoard();
    const told = expect(joining).rejects.toMatchObject({ facts: { outcomeUnknown: true } });
    await until('asked', () => daemon.asked.includes('addLockspace'));
    v.close();
    await told;
    await until('no connection is left', () => daemon.sockets.size === 0);
  });
});
