/** One child process for board I/O, and what becomes of it when it hangs. */
import type { ChildProcess } from 'node:child_process';
import { isAnswer, READY, type BoardAnswer, type BoardRequest } from './board-messages.ts';
import { BOARD_PROCESS } from './board-process.ts';
import { forkSelf } from './fork-self.ts';

function start(): ChildProcess {
  const child = forkSelf(BOARD_PROCESS, 'env-linux/board-process.ts');
  // Whoever waits has a timer; an idle child must not keep the worker alive.
  child.unref();
  child.channel?.unref();
  return child;
}

export interface BoardChild {
  readonly pid: number | undefined;
  send(request: BoardRequest): void;
  /** Ends it at once, or as soon as the kernel lets it go. Resolves then. */
  kill(): Promise<void>;
}

export interface BoardChildEvents {
  ready(): void;
  answered(answer: BoardAnswer): void;
  /** It ended without having been told to. */
  gone(why: string): void;
}

export function startBoardChild(events: BoardChildEvents): BoardChild {
  const child = start();
  let told = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      if (!told) events.gone(`it ended with ${signal ?? `code ${code}`}`);
      resolve();
    });
    child.on('error', (error) => {
      if (!told) events.gone(error.message);
      // Without a process id it never started, and no exit will be told.
      if (child.pid === undefined) resolve();
    });
  });
  child.on('message', (message: unknown) => {
    if (message === READY) events.ready();
    else if (isAnswer(message)) events.answered(message);
  });
  return {
    pid: child.pid,
    send: (request) => void child.send(request, () => undefined),
    kill() {
      told = true;
      child.kill('SIGKILL');
      return gone;
    },
  };
}
