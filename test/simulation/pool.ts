/** Processes that share the seeds of one run, each bundled once and told one seed after the other. */
import { build } from 'esbuild';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SeedDone, SeedOrder } from './seeds-process.ts';

/** More room for what lives a beat only: fewer, not longer, pauses. */
const NODE_OPTIONS = ['--max-semi-space-size=16', '--enable-source-maps'];

export interface PoolOptions {
  readonly jobs: number;
  /** undefined: no more. */
  readonly next: () => SeedOrder | undefined;
  readonly done: (done: SeedDone) => void;
}

/** Runs all that `next` gives. Fails when a process dies. */
export async function runPool({ jobs, next, done }: PoolOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bellwether-simulate-'));
  try {
    const outfile = join(folder, 'seeds.mjs');
    const entry = fileURLToPath(new URL('./seeds-process.ts', import.meta.url));
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', sourcemap: 'inline' });
    await Promise.all(Array.from({ length: jobs }, () => runOne(outfile, next, done)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runOne(file: string, next: PoolOptions['next'], done: PoolOptions['done']): Promise<void> {
  const child: ChildProcess = fork(file, { serialization: 'advanced', execArgv: NODE_OPTIONS });
  const feed = () => {
    const order = next();
    if (order === undefined) child.disconnect();
    else child.send(order);
  };
  return new Promise((resolve, reject) => {
    child.on('message', (message: SeedDone) => {
      done(message);
      feed();
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`a simulating process ended with ${signal ?? code}`));
    });
    feed();
  });
}
