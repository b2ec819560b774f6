/** The engine VM's inside: a child process. It outlives a migration, so it belongs to no host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

export interface EngineProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class EngineProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<ProcessEnd>;
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
      stdio: ['pipe', log, log],
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
