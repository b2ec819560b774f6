#!/usr/bin/env node
// Plain JavaScript: it makes Node able to run the TypeScript that follows, without a build step.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
if (existsSync(`${root}/node_modules/tsx`)) {
  const { register } = await import('tsx/esm/api');
  register();
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    env: process.env,
  });
} else {
  // A fresh clone: the set-up installs the dependencies first, then runs the same command.
  const args = [`${root}/infra/setup/run.mjs`, 'api/cli/run.ts', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}
