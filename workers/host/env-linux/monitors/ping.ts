/**
 * ICMP echo, which needs a raw socket that Node does not have: one `ping` of the system runs for as long as the worker and
 * prints a line per answer. It is the only child beside the one for storage, and only where a ping target is configured.
 */
import { spawn, type ChildProcess } from 'node:child_process';

const RESTART_MS = 5000;

export interface Ping {
  answeredWithin(ms: number): boolean;
  stop(): void;
}

export function startPing(address: string, everyMs: number, command = 'ping'): Ping {
  let lastAnswer = Number.NEGATIVE_INFINITY;
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;
  let stopped = false;
  const start = () => {
    const started = spawn(command, ['-n', '-i', String(Math.max(0.2, everyMs / 1000)), address], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    child = started;
    started.stdout.setEncoding('utf8');
    started.stdout.on('data', (text: string) => {
      if (text.includes(' bytes from ')) lastAnswer = performance.now();
    });
    const ended = () => {
      if (child !== started || stopped) return;
      child = undefined;
      // Without a way to the target it ends at once; it is started again and again, seldom.
      again = setTimeout(start, RESTART_MS);
    };
    started.once('exit', ended);
    started.once('error', ended);
  };
  start();
  return {
    answeredWithin: (ms) => performance.now() - lastAnswer <= ms,
    stop() {
      stopped = true;
      clearTimeout(again);
      child?.kill();
    },
  };
}
