/** The engine VM's inside: a child process. It outlives a migration, so it belongs to no host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

export interface EngineProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It takes its lease itself before it goes on, and then says `{ up: true }` over Node's channel (`VmLeases`). */
  readonly holdsLease?: boolean;
}

/** How a program ends whose lease another host holds. */
export const LEASE_REFUSED = 43;
/** A lease that is handed over is free in milliseconds. */
const MOVE_MS = 10_000;

export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export class EngineProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<ProcessEnd>;
  /** It has its lease, or needs none; false: it ended before that. */
  readonly up: Promise<boolean>;
  #running = true;

  /**
   * Starts the program; its output goes to `logFile`. Its standard input is a pipe that nobody writes to: it ends when
   * the lab dies, and a program that reads it can end too.
   */
  constructor(program: EngineProgram, logFile: string) {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    this.#child = spawn(program.command, program.args, {
      env: { ...process.env, ...program.env },
      stdio: program.holdsLease === true ? ['pipe', log, log, 'ipc'] : ['pipe', log, log],
    });
    closeSync(log);
    this.#child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const done = (end: ProcessEnd) => {
        this.#running = false;
        resolve(end);
      };
      this.#child.once('exit', (code, signal) => done({ code, signal }));
      this.#child.once('error', () => done({ code: 127, signal: null }));
    });
    const said = new Promise<boolean>((resolve) => {
      this.#child.on('message', (message) => {
        if (isRecord(message) && message['up'] === true) resolve(true);
      });
    });
    this.up = program.holdsLease === true ? Promise.race([said, this.ended.then(() => false)]) : Promise.resolve(true);
  }

  /** Hands the lease to another host's sanlock; false: it stays where it is. */
  moveLease(socketPath: string): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), MOVE_MS);
      const answer = (message: unknown) => {
        if (!isRecord(message) || typeof message['moved'] !== 'boolean') return;
        clearTimeout(timer);
        this.#child.off('message', answer);
        resolve(message['moved']);
      };
      this.#child.on('message', answer);
      this.#child.send({ moveTo: socketPath });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#running;
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#running) this.#child.kill(signal);
  }
}
