/** `bellwether audit ...`: who changed what, and whether the record of it is whole. */
import { Option, type Command } from 'commander';
import type { AuditLine } from '../audit/line.ts';
import { auditPage, LIMIT_MAX } from '../audit/routes.ts';
import { verifyTrail, type KnownLine } from '../audit/verify.ts';
import { CliError, EXIT, failure, type ExitCode } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';

interface ExportOptions {
  readonly since?: string;
  readonly until?: string;
  readonly json?: boolean;
}

interface VerifyOptions {
  readonly json?: boolean;
  readonly known?: string;
}

/** One line for people. */
export function auditText(line: AuditLine): string {
  if (line.kind === 'torn') return `${line.at}  (${line.bytes} bytes were no whole line; kept as ${line.keptAs})`;
  if (line.kind === 'missed') {
    return `${line.at}  (${line.count} answers since ${line.since} could not be written: ${line.why})`;
  }
  const { who, from, what, result } = line;
  const proof = `${who.authenticated}${who.as === undefined ? '' : ` ${who.as}`}`;
  const place =
    from.forwardedFor === undefined ? (from.remote ?? '?') : `${from.forwardedFor} by ${from.remote ?? '?'}`;
  const act = [what.action ?? `${what.method} ${what.path}`, what.subject].filter(Boolean).join(' ');
  const end =
    result === undefined ? 'asked' : `${result.status}${result.problem === undefined ? '' : ` ${result.problem}`}`;
  const reason = what.reason === undefined ? '' : `  "${what.reason}"`;
  return `${line.time}  ${end}  ${act}  ${who.by ?? '?'} (${proof}) from ${place}${reason}`;
}

/** What was asked and answered is told once; what was asked and never answered stays. */
export function told(lines: readonly AuditLine[]): readonly AuditLine[] {
  const answered = new Set(lines.flatMap((line) => (line.kind === 'answered' ? [line.instance] : [])));
  return lines.filter((line) => line.kind !== 'asked' || !answered.has(line.instance));
}

function isoTime(name: string, text: string): string {
  if (!Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  const lines = failure(`reading ${name}`, `"${text}" is no time`, `${name} 2026-11-22T03:00:00Z`);
  throw new CliError(EXIT.usage, lines);
}

/** Oldest first, page by page from the newest. */
async function all(run: CliRun, { since, until }: ExportOptions): Promise<AuditLine[]> {
  const query = new URLSearchParams({ limit: String(LIMIT_MAX) });
  if (since !== undefined) query.set('since', isoTime('--since', since));
  if (until !== undefined) query.set('until', isoTime('--until', until));
  const lines: AuditLine[] = [];
  for (;;) {
    const page = await run.door().ask('reading the audit trail', `/audit?${query.toString()}`, auditPage);
    lines.push(...page.lines);
    const oldest = page.lines.at(-1);
    if (!page.more || oldest === undefined) return lines.toReversed();
    query.set('before', String(oldest.seq));
  }
}

async function exportLines(run: CliRun, options: ExportOptions): Promise<ExitCode> {
  const lines = await all(run, options);
  if (options.json === true) for (const line of lines) run.out(JSON.stringify(line));
  else if (lines.length === 0) run.say('nothing was written down in that time');
  else for (const line of told(lines)) run.out(auditText(line));
  return EXIT.done;
}

function knownLine(text: string | undefined): KnownLine | undefined {
  if (text === undefined) return undefined;
  const [, seq, sha256] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq !== undefined && sha256 !== undefined) return { seq: Number(seq), sha256 };
  const why = `"${text}" is no line's number and sha256`;
  throw new CliError(
    EXIT.usage,
    failure('reading --known', why, '--known NUMBER:SHA256, as an earlier verify printed it'),
  );
}

async function verify(run: CliRun, files: readonly string[], { json, known }: VerifyOptions): Promise<ExitCode> {
  const verdict = await verifyTrail(files, knownLine(known)).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      EXIT.usage,
      failure('reading the audit trail', why, 'ls -l the file that BELLWETHER_AUDIT_LOG names'),
    );
  });
  if (json === true) run.out(JSON.stringify(verdict));
  else if (verdict.broken !== undefined) {
    const { file, line, what } = verdict.broken;
    run.out(`broken: ${file}, line ${line}: ${what}`);
    run.out(`${verdict.lines} lines before it are whole. Compare them with a copy of the file, and keep both.`);
  } else {
    run.out(
      `whole: ${verdict.lines} lines${verdict.last === undefined ? '' : `, the last is number ${verdict.last.seq}`}`,
    );
    if (verdict.last !== undefined)
      run.out(`to be kept elsewhere, for the next look: --known ${verdict.last.seq}:${verdict.last.sha256}`);
  }
  if (json !== true) for (const note of verdict.notes) run.out(`note: ${note}`);
  return verdict.ok ? EXIT.done : EXIT.failed;
}

export function auditCommands(program: Command, run: CliRun, done: Done): void {
  const audit = program.command('audit').description('who changed what, and whether the record of it is whole');
  audit
    .command('export')
    .description('what was asked of the front door and how it was answered, oldest first')
    .option('--since <time>', 'from then on (ISO time)')
    .option('--until <time>', 'before then (ISO time)')
    .addOption(new Option('--json', 'the lines as they are in the file'))
    .action(async (options: ExportOptions) => done(await exportLines(run, options)));
  audit
    .command('verify')
    .description('check the chain of audit files, offline; a changed or missing line is found')
    .argument('<files...>', 'the file of BELLWETHER_AUDIT_LOG; older ones before it')
    .option('--known <number:sha256>', 'of a line that must be there, as an earlier look printed it')
    .addOption(new Option('--json', 'machine-readable output'))
    .action(async (files: string[], options: VerifyOptions) => done(await verify(run, files, options)));
}
