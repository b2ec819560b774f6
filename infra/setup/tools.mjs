// @ts-check
/**
 * The programs Bellwether's embedded set-up stands on, and how each is had: on PATH, from this project's cache, or
 * built by Go from its released module. Plain JavaScript without dependencies: it runs while they are being installed.
 */
import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** @typedef {{ name: string, version: string, module: string, builtName: string, flags: readonly string[], minutes: string, onPath?: string }} Tool */

/** Versions are pinned in this one place. Two of them are built as `server`, hence a folder of their own per build. */
export const TOOLS = /** @satisfies {Record<string, Tool>} */ ({
  temporalServer: {
    name: 'temporal-server',
    version: '1.32.0',
    module: 'go.temporal.io/server/cmd/server',
    builtName: 'server',
    flags: [],
    minutes: 'about 4 minutes',
  },
  temporalUi: {
    name: 'temporal-ui',
    version: '2.54.1',
    module: 'github.com/temporalio/ui-server/v2/cmd/server',
    builtName: 'server',
    flags: [],
    minutes: 'less than a minute',
  },
  versitygw: {
    name: 'versitygw',
    version: '1.8.0',
    module: 'github.com/versity/versitygw/cmd/versitygw',
    builtName: 'versitygw',
    flags: ['-trimpath', '-ldflags=-s -w'],
    minutes: 'about 2 minutes',
    onPath: 'versitygw',
  },
});

/** Folder that survives a fresh clone: `BELLWETHER_CACHE_DIR`, else the user's cache folder. */
export function cacheDir(env = process.env) {
  return env.BELLWETHER_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bellwether');
}

/** @param {Tool} tool */
function cachedPath(tool) {
  return join(cacheDir(), 'bin', `${tool.name}-${tool.version}`);
}

/** Full path of a program on PATH, or undefined. @param {string} program */
export function onPath(program, env = process.env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not here: the next folder
    }
  }
  return undefined;
}

/** Where the tool is now, without building anything. @param {Tool} tool */
export function findTool(tool) {
  const installed = tool.onPath === undefined ? undefined : onPath(tool.onPath);
  return installed ?? (existsSync(cachedPath(tool)) ? cachedPath(tool) : undefined);
}

/** @param {string} lock @param {number} pid */
function lockIsStale(lock, pid) {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return existsSync(lock);
  }
}

/** Two set-ups at once build once: the second waits. @param {string} lock @param {() => boolean} done */
export async function takeLock(lock, done) {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return true;
    } catch {
      if (done()) return false;
      const pid = Number(readLock(lock));
      if (Number.isFinite(pid) && pid > 0 && lockIsStale(lock, pid)) rmSync(lock, { force: true });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** @param {string} lock */
function readLock(lock) {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return '';
  }
}

/** @param {Tool} tool @param {string} goBin @param {(line: string) => void} say @returns {Promise<void>} */
function goInstall(tool, goBin, say) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  say(`building ${tool.name} ${tool.version} with Go from its released module (${tool.minutes}, once) ...`);
  const tick = setInterval(() => say(`still building ${tool.name}: ${seconds()} s`), 20_000);
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['install', ...tool.flags, `${tool.module}@${tool.version.replace(/^v?/, 'v')}`], {
      env: { ...process.env, GOBIN: goBin },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let tail = '';
    child.stderr.on('data', (chunk) => (tail = (tail + chunk).slice(-2000)));
    child.on('error', (error) => reject(new Error(`Go could not be started (${error.message}). ${remedy(tool)}`)));
    child.on('close', (code) => {
      clearInterval(tick);
      if (code === 0) say(`built ${tool.name} ${tool.version} in ${seconds()} s`);
      if (code === 0) resolve();
      else reject(new Error(`go install ${tool.module} ended with ${code}:\n${tail}\n${remedy(tool)}`));
    });
    child.on('close', () => clearInterval(tick));
  });
}

/** @param {Tool} tool */
function remedy(tool) {
  return tool.name.startsWith('temporal')
    ? 'Install Go 1.26 or newer, or put the Temporal CLI `temporal` on PATH, or set TEMPORAL_ADDRESS to a running server.'
    : 'Install Go 1.26 or newer, or put `versitygw` on PATH, or set AWS_ENDPOINT_URL_S3 to an S3 server.';
}

/**
 * Path of the tool; builds it when it is nowhere.
 * @param {Tool} tool @param {(line: string) => void} say @returns {Promise<string>}
 */
export async function ensureTool(tool, say = () => {}) {
  const found = findTool(tool);
  if (found !== undefined) return found;
  const target = cachedPath(tool);
  mkdirSync(join(cacheDir(), 'bin'), { recursive: true });
  const lock = `${target}.lock`;
  if (!(await takeLock(lock, () => existsSync(target)))) return target;
  const goBin = `${target}.build-${process.pid}`;
  try {
    if (!existsSync(target)) {
      await goInstall(tool, goBin, say);
      renameSync(join(goBin, tool.builtName), target);
    }
    return target;
  } finally {
    rmSync(goBin, { recursive: true, force: true });
    rmSync(lock, { force: true });
  }
}
