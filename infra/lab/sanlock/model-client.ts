/** One connection to a modelled daemon: its requests one after the other, and the leases that live and die with it. */
import type { Socket } from 'node:net';
import { acquireLease, type LeaseOptions, releaseLease } from './model-lease.ts';
import type { ModelSpace } from './model-space.ts';
import { Killed } from './model-time.ts';
import { answer, OWNER_NOWAIT, type Request, resourceArgument, RV, SELF, takeRequest } from './wire.ts';

/** What a connection needs of its daemon. */
export interface Daemon {
  space(name: string): ModelSpace | undefined;
  lease(
    space: ModelSpace,
    of: { readonly lockspace: string; readonly name: string; readonly path: string; readonly offset: number },
  ): LeaseOptions;
  /** Locks that are held, or being taken or given back, on this host: `lockspace:name`. */
  readonly busy: Map<string, 'held' | 'taking' | 'releasing'>;
  /** Commands that concern no connection. `close`: sanlock closes after the answer. undefined: unknown, no answer. */
  command(request: Request): Promise<{ readonly bytes: Buffer; readonly close: boolean } | undefined>;
}

interface Token {
  readonly key: string;
  readonly options: LeaseOptions;
}

const REGISTER = 1;
const ACQUIRE = 7;
const RELEASE = 8;

const keyOf = (of: { readonly lockspace: string; readonly name: string }) => `${of.lockspace}:${of.name}`;

export class ModelClient {
  readonly #socket: Socket;
  readonly #daemon: Daemon;
  readonly #tokens = new Map<string, Token>();
  #bytes: Buffer = Buffer.alloc(0);
  #working = false;
  #pid = 0;
  #gone = false;

  constructor(socket: Socket, daemon: Daemon) {
    this.#socket = socket;
    this.#daemon = daemon;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      void this.#work();
    });
    socket.once('close', () => void this.#left());
  }

  freeze(on: boolean): void {
    if (on) this.#socket.pause();
    else this.#socket.resume();
  }

  /** As a dying daemon does: nothing is released. */
  drop(): void {
    this.#gone = true;
    this.#tokens.clear();
    this.#socket.destroy();
  }

  uses(space: ModelSpace): boolean {
    return [...this.#tokens.values()].some((token) => token.options.space === space);
  }

  /** The lab's own process may hold a lease in a test; it is not ended, but its lease is. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      if (this.#pid > 1 && this.#pid !== process.pid) process.kill(this.#pid, signal);
      else this.#socket.destroy();
    } catch {
      this.#socket.destroy();
    }
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (;;) {
        const taken = takeRequest(this.#bytes);
        if (taken === undefined || this.#gone) break;
        this.#bytes = taken.rest;
        await this.#serve(taken.request);
      }
    } catch (error) {
      if (!(error instanceof Killed)) this.#socket.destroy();
    } finally {
      this.#working = false;
    }
  }

  async #serve(request: Request): Promise<void> {
    if (request.cmd === REGISTER) {
      this.#pid = request.data;
    } else if (request.cmd === ACQUIRE || request.cmd === RELEASE) {
      const result = await (request.cmd === ACQUIRE ? this.#acquire(request) : this.#release(request));
      this.#send(answer(request, result));
    } else {
      const reply = await this.#daemon.command(request);
      if (reply === undefined) return;
      this.#send(reply.bytes);
      if (reply.close) this.#socket.end();
    }
  }

  #send(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  async #acquire(request: Request): Promise<number> {
    if (request.data2 !== SELF) return RV.ESRCH;
    if (this.#pid === 0) return RV.EBUSY;
    const of = resourceArgument(request.body);
    if (of === undefined || request.data !== 1) return RV.EINVAL;
    const space = this.#daemon.space(of.lockspace);
    if (space === undefined || space.state !== 'active' || space.killing) return RV.ENOSPC;
    const key = keyOf(of);
    const busy = this.#daemon.busy.get(key);
    if (busy !== undefined) return busy === 'held' ? RV.EEXIST : busy === 'taking' ? RV.EBUSY : RV.EAGAIN;
    this.#daemon.busy.set(key, 'taking');
    const token: Token = { key, options: this.#daemon.lease(space, of) };
    let result: number;
    try {
      result = await acquireLease(token.options, (request.flags & OWNER_NOWAIT) !== 0);
    } finally {
      this.#daemon.busy.delete(key);
    }
    if (result < 0) return result;
    if (space.killing) return RV.ENOSPC;
    this.#daemon.busy.set(key, 'held');
    this.#tokens.set(key, token);
    // Who asked may have died meanwhile.
    if (this.#gone) await this.#give(token);
    return result;
  }

  async #release(request: Request): Promise<number> {
    const of = resourceArgument(request.body);
    if (request.data2 !== SELF || of === undefined) return RV.EINVAL;
    const token = this.#tokens.get(keyOf(of));
    if (token === undefined) return -1;
    await this.#give(token);
    return 0;
  }

  async #give(token: Token): Promise<void> {
    this.#tokens.delete(token.key);
    this.#daemon.busy.set(token.key, 'releasing');
    try {
      await releaseLease(token.options);
    } finally {
      this.#daemon.busy.delete(token.key);
    }
  }

  async #left(): Promise<void> {
    this.#gone = true;
    try {
      for (const token of this.#tokens.values()) await this.#give(token);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }
}
