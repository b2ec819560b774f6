/** Drives the agent: wakes it when it asked to be, or at once when something happened; and knows when the host goes down. */
import { execFile } from 'node:child_process';
import type { Logger } from '../../activities/vdsm/logger.ts';
import type { VmState } from './core/types.ts';
import type { Notifier } from './env-linux/notify.ts';

/** Many facts come together; one look at them is enough. */
const GATHER_MS = 10;
/** A host that goes down waits this long for its engine VM to be somewhere else or stopped. */
const HAND_OVER_MS = 90_000;
const LOOK_MS = 200;

export interface Loop {
  begin(): void;
  /** Something came in. */
  poke(): void;
  end(): void;
  shuttingDown(): boolean;
  /** When the whole host goes down: keeps the loop going until the engine VM has left it, or its time is over. */
  handOver(vm: () => VmState | undefined): Promise<void>;
}

/** systemd is asked once, at the end: a worker that is only restarted must not move the engine. */
function hostGoesDown(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('systemctl', ['is-system-running'], { timeout: 3000 }, (_error, stdout) =>
      resolve(stdout.trim() === 'stopping'),
    );
  });
}

/** @param wake does one round; milliseconds until the next */
export function drive(wake: () => number, notifier: Notifier, log: Logger, goesDown = hostGoesDown): Loop {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let down = false;
  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (running) timer = setTimeout(round, ms);
  };
  const round = () => {
    let next = 1000;
    try {
      next = wake();
      notifier.round('the loop runs');
    } catch (error) {
      // A defect must not end the watch over the engine; without rounds the watchdog ends this process.
      log.warn({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a round failed');
    }
    schedule(next);
  };
  return {
    begin() {
      running = true;
      schedule(0);
    },
    poke: () => schedule(GATHER_MS),
    end() {
      running = false;
      clearTimeout(timer);
    },
    shuttingDown: () => down,
    async handOver(vm) {
      down = running && (await goesDown());
      if (!down) return;
      log.info({}, 'the host goes down: the engine VM is handed over first');
      const deadline = performance.now() + HAND_OVER_MS;
      const here = () => ![undefined, 'absent', 'down'].includes(vm());
      schedule(0);
      while (here() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    },
  };
}
