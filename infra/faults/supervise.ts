/** Starts a worker process again whenever it dies, as systemd would. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startProcess, type RunningProcess } from '../processes.ts';
import type { CrashingWorkerSettings } from './crashing-worker.ts';

export interface SupervisedWorker {
  /** How often it was started. */
  starts(): number;
  stop(): Promise<void>;
}

export function superviseWorker(settings: CrashingWorkerSettings, logFile: string): SupervisedWorker {
  const here = dirname(fileURLToPath(import.meta.url));
  const tsx = pathToFileURL(join(here, '../../node_modules/tsx/dist/loader.mjs')).href;
  const args = ['--import', tsx, join(here, 'crashing-worker.ts'), JSON.stringify(settings)];
  let stopped = false;
  let starts = 0;
  let child: RunningProcess | undefined;
  const run = async () => {
    while (!stopped) {
      starts += 1;
      child = startProcess(process.execPath, args, { logFile });
      await child.exited;
    }
  };
  const ended = run();
  return {
    starts: () => starts,
    async stop() {
      stopped = true;
      await child?.stop(3000);
      await ended;
    },
  };
}
