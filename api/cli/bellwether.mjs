#!/usr/bin/env node
// Plain JavaScript: it makes Node able to run the TypeScript that follows, without a build step.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
if (!existsSync(`${root}/node_modules/tsx`)) {
  // A fresh clone: the set-up installs the dependencies first. Its words go to standard error.
  const { status } = spawnSync(process.execPath, [`${root}/infra/setup/run.mjs`, '--install'], { stdio: [0, 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
const { register } = await import('tsx/esm/api');
register();
// `bellwether status | head` ends early, and that is no fault.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  env: process.env,
  stdin: process.stdin,
});
