/**
 * `npm test`: everything that must hold, in one command. Static checks and test files are counted alike; the last line
 * is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: 'types (tsc)', command: ['tsc', '-p', '.'] },
  { name: 'lint (oxlint, type-aware)', command: ['oxlint', '--type-aware', '--quiet'] },
  { name: 'format (oxfmt)', command: ['oxfmt', '--check', '.'] },
  {
    name: 'import arrows (dependency-cruiser)',
    command: [
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      'workflows',
      'activities',
      'workers',
      'api',
      'infra',
      'test',
    ],
  },
  { name: 'dead code (knip)', command: ['knip'] },
];

const say = (line: string) => process.stdout.write(`${line}\n`);

function run(command: readonly string[], inherit: boolean): Promise<{ code: number; output: string }> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(join('node_modules', '.bin', program), args, {
      stdio: ['ignore', inherit ? 'inherit' : 'pipe', inherit ? 'inherit' : 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** All at once: most of them use one processor. */
async function staticChecks(): Promise<{ passed: number; failed: number }> {
  const codes = await Promise.all(
    CHECKS.map(async (check) => {
      const started = Date.now();
      const { code, output } = await run(check.command, false);
      say(`${code === 0 ? 'ok  ' : 'FAIL'} ${check.name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (code !== 0) say(output.split('\n').slice(-60).join('\n'));
      return code;
    }),
  );
  const passed = codes.filter((code) => code === 0).length;
  return { passed, failed: CHECKS.length - passed };
}

async function vitest(args: readonly string[]): Promise<{ passed: number; failed: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-test-'));
  const file = join(dir, 'results.json');
  try {
    const { code } = await run(
      ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
      true,
    );
    const results = JSON.parse(readFileSync(file, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numFailedTestSuites: number;
    };
    // A file that can't even be loaded has no failed test in it, but it failed.
    const failed = Math.max(results.numFailedTests, code === 0 ? 0 : 1);
    return { passed: results.numPassedTests, failed };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const filters = process.argv.slice(2);
const checks = filters.length === 0 ? await staticChecks() : { passed: 0, failed: 0 };
const tests = await vitest(filters);
const failed = checks.failed + tests.failed;
say(`${checks.passed + tests.passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
