// @ts-check
/**
 * Starts one of Bellwether's programs on a fresh clone: `node infra/setup/run.mjs [--tools] PROGRAM.ts [ARG ...]`,
 * or `node infra/setup/run.mjs --install` for the dependencies alone.
 *
 * Installs the dependencies when they are missing or stale and, with `--tools`, builds the embedded servers meanwhile;
 * then hands over to the program and passes its exit code and signals through.
 */
import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { TOOLS, cacheDir, ensureTool, findTool, onPath, takeLock } from './tools.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const say = (/** @type {string} */ line) => process.stderr.write(`[set-up] ${line}\n`);

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`Node ${process.versions.node} is too old: Bellwether needs 20.19 or newer.`);
  process.exit(1);
}

/** npm writes its own record at the end of every install, by hand or by us. */
function installed() {
  const record = join(root, 'node_modules', '.package-lock.json');
  return existsSync(record) && statSync(record).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

async function installDependencies() {
  if (installed()) return;
  const lock = join(cacheDir(), 'npm-ci.lock');
  mkdirSync(cacheDir(), { recursive: true });
  // Two commands at once on a fresh clone install once.
  if (!(await takeLock(lock, installed))) return;
  try {
    await npmCi();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function npmCi() {
  if (installed()) return;
  say('installing dependencies (npm ci, about half a minute) ...');
  const code = await exitCode(
    spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  if (code !== 0) {
    say('npm ci failed (above): check the connection to the npm registry, then run the command again.');
    process.exit(1);
  }
}

/** Whether the place that Temporal's SDK downloads its server from has an address here. */
async function downloadReachable() {
  const limit = new Promise((resolve) => setTimeout(resolve, 2000, undefined));
  return (await Promise.race([lookup('temporal.download').catch(() => undefined), limit])) !== undefined;
}

/** Servers are needed only where the environment names none. */
async function buildTools() {
  const wanted = [];
  const temporalGiven = process.env.TEMPORAL_ADDRESS || onPath('temporal');
  // Where the SDK can download a server, the program lets it; building is for closed networks.
  if (!temporalGiven && !(await downloadReachable())) wanted.push(TOOLS.temporalServer, TOOLS.temporalUi);
  if (!process.env.AWS_ENDPOINT_URL_S3 && !process.env.AWS_ENDPOINT_URL) wanted.push(TOOLS.versitygw);
  const missing = wanted.filter((tool) => findTool(tool) === undefined);
  for (const tool of missing) await ensureTool(tool, say).catch((/** @type {Error} */ error) => say(error.message));
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<number>} */
function exitCode(child) {
  return new Promise((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

checkNode();
const args = process.argv.slice(2);
const tools = args[0] === '--tools' ? args.shift() !== undefined : false;
if (args[0] === '--install') {
  await installDependencies();
  process.exit(0);
}
const program = args.shift();
if (program === undefined) {
  say('usage: node infra/setup/run.mjs [--tools] PROGRAM.ts [ARG ...]');
  process.exit(2);
}
await Promise.all([installDependencies(), tools ? buildTools() : undefined]);
const tsx = pathToFileURL(join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
// The AWS SDK announces at every start that it will want a newer Node in 2027.
const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...process.env };
const child = spawn(process.execPath, ['--import', tsx, join(root, program), ...args], { stdio: 'inherit', env });
// The terminal sends Ctrl-C to the whole group; only signals sent to this process alone must be passed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.exit(await exitCode(child));
