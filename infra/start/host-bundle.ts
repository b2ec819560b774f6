/** The host worker's bundle, made where it is missing or older than its sources: nobody has to think of it first. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostWorkerFiles } from '../../activities/host-worker/files.ts';
import { hostWorkerFiles } from '../../workers/orchestrator/config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['workers/host', 'activities', 'infra/bundling.ts', 'infra/systemd/bundle.ts'];

function newest(path: string): number {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

function madeAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** A bundle of somebody else's making is left alone. Several may do this at once: each renames a whole file. */
export async function ensureHostBundle(files: HostWorkerFiles | undefined): Promise<void> {
  const { bundle } = hostWorkerFiles();
  if (files?.bundle !== bundle) return;
  const sources = SOURCES.map((path) => join(ROOT, path));
  if (madeAt(bundle) >= Math.max(...sources.map(newest))) return;
  mkdirSync(dirname(bundle), { recursive: true });
  const dir = mkdtempSync(join(dirname(bundle), '.host-'));
  try {
    // The bundler is a tool of development: where only the product is installed the bundle comes with it.
    const { bundleHostWorker } = await import('../systemd/bundle.ts');
    renameSync((await bundleHostWorker(dir)).file, bundle);
  } catch (error) {
    const instead = madeAt(bundle) === 0 ? '' : ', so that the one of before its sources changed is used';
    process.stderr.write(`the host worker’s bundle could not be made${instead}: ${String(error)}\n`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
