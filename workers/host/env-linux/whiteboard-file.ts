/**
 * The HA metadata volume from the worker's side: every access ends within its limit, whatever the storage does.
 *
 * I/O happens in one child process, one access at a time (lab.md 4, lesson a: four hung calls would stop all file I/O of
 * the worker). An access that is late kills the child and the next one starts another. A process that hangs in the kernel
 * survives even SIGKILL: so many of them are borne and no more, and while one of them still has a write in it no other
 * write begins, as the old one could land on top of the new.
 */
import { BLOCK_BYTES, HOST_ID_MAX } from '../../../activities/storage/whiteboard.ts';
import { startBoardChild, type BoardChild } from './board-child.ts';
import type { Access } from './board-io.ts';
import type { BoardAnswer, BoardRequest } from './board-messages.ts';
import { boardError, type BoardFault, type Operation } from './whiteboard-errors.ts';

const LIMIT_MS = 10_000;
/** Own slot, slot 0, a reading, and one to spare. */
const WAITING_MAX = 4;
const STUCK_MAX = 2;
/** A process that is not up by then is started anew. */
const START_MS = 30_000;
/** A killed process is normally gone in milliseconds; one that is not by then hangs in the kernel. */
const KILL_GRACE_MS = 500;

export interface WhiteboardReading {
  /** By the clock of the options, before the first byte was read. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly whole: boolean;
  /** Slot 0. */
  readonly global: Buffer;
  /** Whole: the slots that are not empty. Else those asked for. Never slot 0. */
  readonly slots: ReadonlyMap<number, Buffer>;
}

export interface WhiteboardHealth {
  /** Milliseconds since the start of the last reading that succeeded; undefined: none has. */
  readonly readAgeMs: number | undefined;
  readonly writeAgeMs: number | undefined;
  /** How long the last reading and writing took that succeeded, waiting for others included. */
  readonly readTookMs: number | undefined;
  readonly writeTookMs: number | undefined;
  /** How the last access went; undefined before the first. */
  readonly access: Access | undefined;
  /** Processes that hang in the kernel. */
  readonly stuck: number;
  /** Of the process that does the I/O now. */
  readonly pid: number | undefined;
}

export interface WhiteboardFile {
  /**
   * Slot 0 and the slots of these ids, or the whole board (8 MB: seldom).
   *
   * @throws {CounterpartError} `whiteboard/*`, see `BoardFault`; at the latest when the limit is over
   */
  read(ids?: readonly number[]): Promise<WhiteboardReading>;
  /** 4096 bytes into a slot; on disk when it resolves. @throws {CounterpartError} as `read`, with `outcomeUnknown` */
  write(id: number, block: Buffer): Promise<void>;
  health(): WhiteboardHealth;
  /** Ends the child; what waits is refused. */
  close(): void;
}

export interface WhiteboardOptions {
  /** File, block device, or VDSM's link to one. */
  readonly path: string;
  /** For each access, waiting for others included; default 10 s. */
  readonly limitMs?: number;
  /** A clock that never steps, milliseconds. */
  readonly now?: () => number;
  readonly startChild?: typeof startBoardChild;
}

type Job = {
  readonly operation: Operation;
  readonly request: BoardRequest;
  readonly timer: NodeJS.Timeout;
  startedMs: number;
  done(answer: Extract<BoardAnswer, { ok: true }>): void;
  failed(error: Error): void;
};

type Draft =
  | { readonly kind: 'read'; readonly ids: readonly number[] | undefined }
  | { readonly kind: 'write'; readonly id: number; readonly block: Buffer };

class Board implements WhiteboardFile {
  readonly #path: string;
  readonly #limitMs: number;
  readonly #now: () => number;
  readonly #startChild: typeof startBoardChild;
  readonly #waiting: Job[] = [];
  /** Killed and not gone, and whether a write is in them. */
  readonly #stuck = new Map<BoardChild, boolean>();
  #child: BoardChild | undefined;
  #ready = false;
  #active: Job | undefined;
  #settling = false;
  #closed = false;
  #numbers = 0;
  #access: Access | undefined;
  #readMs: number | undefined;
  #readTookMs: number | undefined;
  #writeTookMs: number | undefined;
  #wroteMs: number | undefined;

  constructor(options: WhiteboardOptions) {
    this.#path = options.path;
    this.#limitMs = options.limitMs ?? LIMIT_MS;
    this.#now = options.now ?? (() => performance.now());
    this.#startChild = options.startChild ?? startBoardChild;
  }

  async read(ids?: readonly number[]): Promise<WhiteboardReading> {
    for (const id of ids ?? []) this.#checkId(id, { kind: 'read' });
    const draft = { kind: 'read', ids: ids === undefined ? undefined : [0, ...ids] } as const;
    const askedMs = this.#now();
    const { startedMs, slots } = await this.#perform(draft, { kind: 'read' });
    const global = slots.get(0);
    if (global === undefined) throw boardError(this.#path, { kind: 'read' }, 'short', 'slot 0 is missing');
    this.#readMs = startedMs;
    this.#readTookMs = this.#now() - askedMs;
    const hosts = new Map([...slots].filter(([id]) => id !== 0));
    return { startedMs, endedMs: this.#now(), whole: ids === undefined, global, slots: hosts };
  }

  async write(id: number, block: Buffer): Promise<void> {
    const operation = { kind: 'write', id } as const;
    this.#checkId(id, operation);
    if (block.length !== BLOCK_BYTES)
      throw boardError(this.#path, operation, 'argument', `${block.length} bytes instead of ${BLOCK_BYTES}`);
    const askedMs = this.#now();
    const { startedMs } = await this.#perform({ kind: 'write', id, block }, operation);
    this.#wroteMs = startedMs;
    this.#writeTookMs = this.#now() - askedMs;
  }

  health(): WhiteboardHealth {
    const now = this.#now();
    const age = (since: number | undefined) => (since === undefined ? undefined : now - since);
    return {
      readAgeMs: age(this.#readMs),
      writeAgeMs: age(this.#wroteMs),
      readTookMs: this.#readTookMs,
      writeTookMs: this.#writeTookMs,
      access: this.#access,
      stuck: this.#stuck.size,
      pid: this.#child?.pid,
    };
  }

  close(): void {
    this.#closed = true;
    if (this.#active !== undefined) this.#refuse(this.#active, 'closed', 'the worker is ending', true);
    this.#refuseWaiting('closed', 'the worker is ending');
    void this.#child?.kill();
    this.#child = undefined;
  }

  #checkId(id: number, operation: Operation): void {
    if (!Number.isInteger(id) || id < 0 || id > HOST_ID_MAX)
      throw boardError(this.#path, operation, 'argument', `there is no slot ${id}`);
  }

  #perform(draft: Draft, operation: Operation): Promise<{ startedMs: number; slots: ReadonlyMap<number, Buffer> }> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(boardError(this.#path, operation, 'closed', 'the worker is ending'));
      if (this.#waiting.length >= WAITING_MAX)
        return reject(boardError(this.#path, operation, 'busy', `${WAITING_MAX} accesses wait already`));
      this.#numbers += 1;
      const job: Job = {
        operation,
        request: { number: this.#numbers, path: this.#path, ...draft },
        timer: setTimeout(() => this.#late(job), this.#limitMs),
        startedMs: 0,
        done: ({ slots }) => resolve({ startedMs: job.startedMs, slots }),
        failed: reject,
      };
      this.#waiting.push(job);
      this.#next();
    });
  }

  #next(): void {
    if (this.#active !== undefined || this.#settling || this.#closed) return;
    if (this.#waiting.length === 0) return;
    if (this.#stuck.size >= STUCK_MAX) return this.#refuseWaiting('stuck', this.#stuckWhy());
    this.#child ??= this.#start();
    if (!this.#ready) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    if (job.operation.kind === 'write' && [...this.#stuck.values()].includes(true)) {
      this.#refuse(job, 'stuck', this.#stuckWhy());
      return this.#next();
    }
    this.#active = job;
    job.startedMs = this.#now();
    this.#child.send(job.request);
  }

  #stuckWhy(): string {
    return `${this.#stuck.size} earlier ${this.#stuck.size === 1 ? 'access still hangs' : 'accesses still hang'} in the kernel`;
  }

  #start(): BoardChild {
    this.#ready = false;
    const gone = (why: string) => {
      clearTimeout(slow);
      if (child !== this.#child) return;
      const starting = !this.#ready;
      this.#child = undefined;
      if (this.#active !== undefined) this.#refuse(this.#active, 'process', `the process for it is gone: ${why}`, true);
      // One that can't even start would be started again and again for those who wait.
      if (starting) this.#refuseWaiting('process', `the process for it can’t start: ${why}`);
      this.#next();
    };
    const slow = setTimeout(() => {
      void child.kill();
      gone(`it is not up after ${START_MS / 1000} s`);
    }, START_MS);
    slow.unref();
    const child = this.#startChild({
      ready: () => {
        clearTimeout(slow);
        if (child !== this.#child) return;
        this.#ready = true;
        this.#next();
      },
      answered: (answer) => {
        if (child === this.#child) this.#answered(answer);
      },
      gone,
    });
    return child;
  }

  #answered(answer: BoardAnswer): void {
    const job = this.#active;
    if (job === undefined || job.request.number !== answer.number) return;
    this.#end(job);
    if (answer.ok) {
      this.#access = answer.access;
      job.done(answer);
    } else {
      const fault = answer.code === 'SHORT' ? 'short' : 'io';
      job.failed(boardError(this.#path, job.operation, fault, answer.message, { code: answer.code, begun: true }));
    }
    this.#next();
  }

  #late(job: Job): void {
    const seconds = this.#limitMs / 1000;
    if (job !== this.#active) {
      const starting = this.#child !== undefined && !this.#ready;
      const why = starting ? 'the process for it is still starting after' : 'others before it took all of its';
      return this.#refuse(job, 'timeout', `${why} ${seconds} s`);
    }
    this.#refuse(job, 'timeout', `the storage did not answer within ${seconds} s`, true);
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    this.#stuck.set(child, job.operation.kind === 'write');
    // Normally it is gone at once, and the next access finds nothing stuck.
    this.#settling = true;
    let settled = false;
    const settle = () => {
      clearTimeout(grace);
      if (settled) return;
      settled = true;
      this.#settling = false;
      this.#next();
    };
    const grace = setTimeout(settle, KILL_GRACE_MS);
    void child.kill().then(() => {
      this.#stuck.delete(child);
      settle();
    });
  }

  #end(job: Job): void {
    clearTimeout(job.timer);
    if (this.#active === job) this.#active = undefined;
    const index = this.#waiting.indexOf(job);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  #refuse(job: Job, fault: BoardFault, why: string, begun = false): void {
    this.#end(job);
    job.failed(boardError(this.#path, job.operation, fault, why, { begun }));
  }

  #refuseWaiting(fault: BoardFault, why: string): void {
    for (const job of this.#waiting.splice(0)) this.#refuse(job, fault, why);
  }
}

/** Opens nothing yet: the child starts at the first access. */
export function openWhiteboard(options: WhiteboardOptions): WhiteboardFile {
  return new Board(options);
}
