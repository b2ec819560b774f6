/** The engine's program as one file: a lab's engine VM starts in a third of the time that loading its sources takes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { EngineProgram } from './vdsm/index.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Below the packages that it imports. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'bellwether-lab');

let made: Promise<string> | undefined;

async function make(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['infra/lab/engine/main.ts'],
    outfile: 'engine.mjs',
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
  });
  const [{ contents } = { contents: new Uint8Array() }] = outputFiles;
  const file = join(FOLDER, `engine-${createHash('sha256').update(contents).digest('hex').slice(0, 16)}.mjs`);
  if (existsSync(file)) return file;
  mkdirSync(FOLDER, { recursive: true });
  // Several labs may begin at once.
  writeFileSync(`${file}.${process.pid}`, contents);
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

/** The engine VM's process: the engine's program under this Node. @throws what esbuild says */
export async function engineProgram(dir: string): Promise<EngineProgram> {
  made ??= make();
  return { command: process.execPath, args: [await made, '--dir', dir] };
}
