/** Starts a worker process that kills itself at a given point (`crashing-worker.ts`). */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startProcess, type RunningProcess } from '../processes.ts';
import type { CrashingWorkerSettings } from './crashing-worker.ts';

export function crashingWorker(settings: CrashingWorkerSettings, logFile: string): RunningProcess {
  const here = dirname(fileURLToPath(import.meta.url));
  const tsx = pathToFileURL(join(here, '../../node_modules/tsx/dist/loader.mjs')).href;
  const args = ['--import', tsx, join(here, 'crashing-worker.ts'), JSON.stringify(settings)];
  return startProcess(process.execPath, args, { logFile });
}
