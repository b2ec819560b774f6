/** Child processes of the embedded set-up: free ports, waiting for a condition, ending by pid. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { createServer, connect } from 'node:net';

/**
 * Ports for servers that must know theirs before they start. They lie below those that a system gives to outgoing connections
 * and to servers that ask for any port: one of these may be taken between its choice and its use. Each process takes
 * them from blocks of its own; it listens on a block's first port for as long as it lives, so that no other takes the block.
 */
const BLOCK = 128;
const FIRST_BLOCK = 80;
const AFTER_LAST_BLOCK = 256;
const own: { next: number; end: number } = { next: 0, end: 0 };

/** `count` different loopback ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  return take(count, 1);
}

/** Lower ports of `count` different pairs of neighbours that are free now. */
export async function freePortPairs(count: number): Promise<number[]> {
  return take(count, 2);
}

async function take(count: number, width: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    if (own.next + width > own.end) await takeBlock();
    const port = own.next;
    own.next += width;
    if (own.next > own.end) continue;
    const free = await Promise.all(Array.from({ length: width }, (_, index) => isFree(port + index)));
    if (free.every(Boolean)) found.push(port);
  }
  return found;
}

async function takeBlock(): Promise<void> {
  const first = randomInt(FIRST_BLOCK, AFTER_LAST_BLOCK) * BLOCK;
  const guard = createServer().unref();
  const mine = await new Promise<boolean>((resolve) => {
    guard.once('error', () => resolve(false));
    guard.listen(first, '127.0.0.1', () => resolve(true));
  });
  // Two calls at once may both have found the old block used up: what is left of the other's is lost, no more.
  if (mine) Object.assign(own, { next: first + 1, end: first + BLOCK });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** True when something accepts connections there within `timeoutMs`. */
export function accepts(host: string, port: number, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Looks every `everyMs` until the condition holds. @throws Error naming `what` when `limitMs` has passed. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  limitMs: number,
  everyMs = 25,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<number>;
  /** True until the process has ended. */
  alive(): boolean;
  /** SIGTERM, SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();
// The last net under a crash of this process: no server may outlive the set-up that started it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Standard output and error are appended here; dropped when absent. */
  readonly logFile?: string;
}

export function startProcess(command: string, args: readonly string[], options: ProcessOptions = {}): RunningProcess {
  const child = spawn(command, [...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // An own group: Ctrl-C at the terminal must not end the servers before the program has shut itself down.
    detached: true,
  });
  running.add(child);
  const log = options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr]) {
    if (log === undefined) stream.resume();
    else stream.pipe(log, { end: false });
  }
  const exited = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 128));
  }).then((code) => {
    running.delete(child);
    log?.end();
    return code;
  });
  const alive = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  return {
    pid: child.pid ?? -1,
    exited,
    alive,
    kill: (signal) => void child.kill(signal),
    async stop(graceMs = 5000) {
      if (!alive()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
