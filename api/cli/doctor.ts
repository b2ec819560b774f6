/** `bellwether doctor`: what is wrong with the installation, and what to do about it. */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Finding } from '../../workflows/model/look.ts';
import { worst, type DoctorReport } from '../clusters/status.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';
import { wrap, WIDTH } from './screen.ts';
import { clusterNames, type ClusterOptions } from './status.ts';

const MARKS = { ok: 'ok     ', warning: 'WARNING', failed: 'FAILED ' } as const;
const INDENT = ' '.repeat(9);

function findingLines(finding: Finding): string[] {
  const { area, check, result, seen, why, remedy } = finding;
  const [first = '', ...rest] = wrap(`${area}: ${check}: ${seen}`, WIDTH - INDENT.length);
  const more =
    result === 'ok' ? [] : [`why it matters: ${why}`, ...(remedy === undefined ? [] : [`remedy: ${remedy}`])];
  const lines = [...rest, ...more.flatMap((text) => wrap(text, WIDTH - INDENT.length))];
  return [`${MARKS[result]}  ${first}`, ...lines.map((line) => `${INDENT}${line}`)];
}

/** Lines without a final newline. */
export function doctorLines({ cluster, findings, missing }: DoctorReport): string[] {
  const count = (result: Finding['result']) => findings.filter((one) => one.result === result).length;
  const left = missing.map(({ what, why, remedy }): Finding => ({
    area: 'temporal',
    check: 'not examined',
    result: 'failed',
    seen: `${what}: ${why}`,
    why: 'nothing is known of it',
    remedy,
  }));
  return [
    `Cluster ${cluster}: ${findings.length} checks, ${count('failed')} failed, ${count('warning')} warnings`,
    ...[...findings, ...left].flatMap(findingLines),
  ];
}

/** What only this side sees: the token that it sends. */
async function ownFindings(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const file = env['BELLWETHER_API_TOKEN_FILE'];
  if (file === undefined || file === '') return [];
  const about = {
    area: 'front door',
    check: 'token file of the command line',
    why: 'who reads it commands the front door',
  } as const;
  try {
    const mode = (await stat(file)).mode & 0o777;
    const seen = `${file}, mode ${mode.toString(8)}`;
    if ((mode & 0o007) === 0) return [{ ...about, result: 'ok', seen }];
    return [{ ...about, result: 'failed', seen, remedy: `chmod 600 ${file}, and change the token.` }];
  } catch (error) {
    return [{ ...about, result: 'failed', seen: String(error), remedy: 'Name the token’s file.' }];
  }
}

async function doctor(run: CliRun, env: NodeJS.ProcessEnv, options: ClusterOptions): Promise<ExitCode> {
  const own = await ownFindings(env);
  const names = await clusterNames(run, options);
  let failed = names.length === 0;
  if (failed) run.say('no cluster is configured: set BELLWETHER_CLUSTERS_FILE for the front door and the worker');
  for (const name of names) {
    const seen = await run.door().doctor(name);
    const findings = [...own, ...seen.findings];
    const result = seen.result === 'failed' ? 'failed' : worst(findings);
    const report: DoctorReport = { ...seen, findings, result };
    failed ||= result === 'failed';
    if (options.json === true) run.out(JSON.stringify(report));
    else for (const line of doctorLines(report)) run.out(line);
  }
  return failed ? EXIT.failed : EXIT.done;
}

export function doctorCommand(program: Command, run: CliRun, env: NodeJS.ProcessEnv, done: Done): void {
  program
    .command('doctor')
    .description('check front door, Temporal, S3, engine, hosts, storage and files; exit code 1 when something failed')
    .option('--cluster <name>', 'of this cluster only')
    .option('--json', 'machine-readable output, a line for each cluster')
    .action(async (options: ClusterOptions) => done(await doctor(run, env, options)));
}
