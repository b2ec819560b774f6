import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readWorkerConf } from '../../workers/host/config/worker-conf.ts';
import { VERSION } from '../../workers/host/version.ts';
import { unitCommand } from './unit-command.ts';

const UNIT = fileURLToPath(new URL('bellwether-host.service', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('bellwether-host.conf', import.meta.url));
const verifier = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!verifier) process.stdout.write('Skipped: systemd’s check of the unit (no systemd-analyze here)\n');

test.skipIf(!verifier)('systemd finds nothing wrong with the unit', () => {
  const said = execFileSync('systemd-analyze', ['verify', UNIT], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(said).toBe('');
});

test('the unit notifies, is watched, and is bounded', () => {
  const unit = readFileSync(UNIT, 'utf8');
  for (const line of ['Type=notify', 'WatchdogSec=60', 'MemoryMax=192M', 'User=vdsm', 'KillMode=mixed']) {
    expect(unit).toMatch(new RegExp(`^${line}$`, 'm'));
  }
});

test('Node takes the unit’s flags without a word, and its limit of memory', () => {
  const { flags } = unitCommand();
  const limit = 'process.stdout.write(String(require("node:v8").getHeapStatistics().heap_size_limit))';
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', limit], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(Number(stdout) / 2 ** 20).toBeLessThan(64);
});

test('the example configuration is one, and says what the defaults are', () => {
  const conf = readWorkerConf(EXAMPLE);
  const text = readFileSync(EXAMPLE, 'utf8');
  for (const [key, value] of Object.entries(conf)) {
    if (value === undefined) continue;
    const shown = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
    expect(text, key).toContain(`#${key}=${shown}`);
  }
});

test('the version is that of the package', () => {
  const file = fileURLToPath(new URL('../../package.json', import.meta.url));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: VERSION });
});
