/** `bellwether window ...`: maintenance windows. */
import { Option, type Command } from 'commander';
import { z } from '@hono/zod-openapi';
import { windowAnswer, windowList, windowPreview, windowReport } from '../schemas/window.ts';
import { clusterOption } from './cluster-option.ts';
import { CliError, EXIT, failure, type ExitCode } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';
import { readInput } from './submit.ts';
import { listLine, previewLines, windowLines } from './window-words.ts';

interface CommonOptions {
  readonly cluster: string;
  readonly json?: boolean;
  readonly by?: string;
  readonly reason?: string;
}

interface CreateOptions extends CommonOptions {
  readonly name: string;
  readonly every?: string;
  readonly cron?: string;
  readonly at?: string;
  readonly timeZone: string;
  readonly length: string;
  readonly run: string;
  readonly except?: readonly string[];
  readonly freeze?: readonly string[];
  readonly jitter?: string;
  readonly catchUp?: string;
  readonly overlap?: string;
  readonly ticket?: string;
  readonly globalMaintenance?: boolean;
  readonly dryRun?: boolean;
}

/** `4h`, `90m`, `1h30m` in minutes. @throws CliError */
export function minutesOf(option: string, text: string): number {
  const [, hours, minutes] = /^(?:(\d{1,3})h)?(?:(\d{1,5})m)?$/.exec(text) ?? [];
  if (hours === undefined && minutes === undefined)
    throw new CliError(
      EXIT.usage,
      failure(`reading ${option}`, `"${text}" is no length of time`, `${option} 4h (or 90m, 1h30m)`),
    );
  return Number(hours ?? 0) * 60 + Number(minutes ?? 0);
}

/** @throws CliError when it is no JSON list */
async function operationsIn(file: string): Promise<unknown[]> {
  const text = await readInput(file);
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, failure(`reading ${file}`, `it is not JSON: ${why}`, `cat ${file}`));
  }
  const example = '[{ "operation": "backup", "keep": 30 }]';
  throw new CliError(EXIT.usage, failure(`reading ${file}`, 'it is no list of operations', `write a list: ${example}`));
}

async function bodyOf(options: CreateOptions): Promise<object> {
  const { cluster, name, timeZone, every, cron, at, overlap, ticket, jitter, catchUp } = options;
  const given = Object.entries({ every, cron, at, overlap, ticket }).filter(([, value]) => value !== undefined);
  return {
    cluster,
    name,
    timeZone,
    ...Object.fromEntries(given),
    lengthMinutes: minutesOf('--length', options.length),
    ...(jitter === undefined ? {} : { jitterMinutes: minutesOf('--jitter', jitter) }),
    ...(catchUp === undefined ? {} : { catchUpMinutes: minutesOf('--catch-up', catchUp) }),
    except: options.except ?? [],
    freezes: await Promise.all((options.freeze ?? []).map(readInput)),
    globalMaintenance: options.globalMaintenance === true,
    operations: await operationsIn(options.run),
  };
}

const pathOf = (cluster: string, name: string, rest = '') =>
  `/windows/${encodeURIComponent(cluster)}/${encodeURIComponent(name)}${rest}`;

const posting = (body: object, by: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-requested-by': by },
  body: JSON.stringify(body),
});

function print(run: CliRun, json: boolean | undefined, value: object, lines: readonly string[]): ExitCode {
  if (json === true) run.out(JSON.stringify(value));
  else for (const line of lines) run.out(line);
  return EXIT.done;
}

async function create(run: CliRun, options: CreateOptions): Promise<ExitCode> {
  const init = posting(await bodyOf(options), run.actor(options.by));
  const { json, name, cluster } = options;
  if (options.dryRun === true) {
    const seen = await run.door().ask(`trying the window ${name}`, '/windows?dryRun=true', windowPreview, init);
    return print(run, json, seen, previewLines(seen));
  }
  const window = await run.door().ask(`creating the window ${name}`, '/windows', windowReport, init);
  run.say(`created: ${window.id}; its openings: npx bellwether window preview ${name} --cluster ${cluster}`);
  return print(run, json, window, windowLines(window));
}

async function list(run: CliRun, { cluster, json }: { cluster?: string; json?: boolean }): Promise<ExitCode> {
  const query = cluster === undefined ? '' : `?cluster=${encodeURIComponent(cluster)}`;
  const found = await run.door().ask('listing windows', `/windows${query}`, windowList);
  if (found.windows.length === 0) run.say('no windows');
  return print(run, json, found.windows, found.windows.map(listLine));
}

async function show(run: CliRun, name: string, options: CommonOptions & { ics?: boolean }): Promise<ExitCode> {
  const { cluster, json } = options;
  const window = await run.door().ask(`reading the window ${name}`, pathOf(cluster, name), windowReport);
  if (options.ics !== true) return print(run, json, window, windowLines(window));
  const query = new URLSearchParams({ cluster, name }).toString();
  run.out((await run.door().ask('reading the calendar', `/windows.ics?${query}`, z.string())).trimEnd());
  return EXIT.done;
}

async function act(run: CliRun, action: string, name: string, options: CommonOptions): Promise<ExitCode> {
  const by = run.actor(options.by);
  const body = options.reason === undefined ? { by } : { by, reason: options.reason };
  const path = pathOf(options.cluster, name, `/${action}`);
  const answer = await run.door().ask(`${action} of the window ${name}`, path, windowAnswer, posting(body, by));
  const then =
    action === 'run-now' ? `\nfollow it: npx bellwether window show ${name} --cluster ${options.cluster}` : '';
  if (options.json === true) run.out(JSON.stringify(answer));
  else run.say(`${answer.id}: ${action}, by ${answer.note ?? by}${then}`);
  return EXIT.done;
}

const cluster = (command: Command): Command =>
  command.addOption(clusterOption()).option('--json', 'machine-readable output');

function createCommand(window: Command, run: CliRun, done: Done): void {
  cluster(window.command('create').description('a time that comes again, and what is done in it'))
    .requiredOption('--name <name>', 'its name in the cluster')
    .option('--every <days time>', 'e.g. "sat 22:00", "mon-fri 01:30", "day 02:00"')
    .option('--cron <line>', 'e.g. "0 22 * * 6"; both days must match, so "0 22 1-7 * 6" is the first Saturday')
    .option('--at <time>', 'once, e.g. "2026-12-05 22:00"')
    .requiredOption('--time-zone <zone>', 'IANA name, e.g. Europe/Berlin')
    .requiredOption('--length <time>', 'e.g. 4h, 90m')
    .requiredOption('--run <file>', 'JSON list of operations, as POST /operations takes them')
    .option('--except <days...>', 'no opening then, e.g. 2026-12-24..2027-01-02')
    .option('--freeze <file...>', 'iCalendar of freezes; known for the next 400 days')
    .option('--jitter <time>', 'each opening comes up to so much later, by chance')
    .option('--catch-up <time>', 'a missed opening still comes so late (default: half the length)')
    .addOption(new Option('--overlap <policy>', 'when one is still open').choices(['skip', 'buffer-one']))
    .option('--ticket <number>', 'change ticket that its operations report to')
    .option('--global-maintenance', 'on while it is open, off in every ending')
    .option('--dry-run', 'create nothing, print the next ten openings')
    .option('--by <name>', 'who does it, for the auditor (default: cli:<local user>)')
    .action(async (options: CreateOptions) => done(await create(run, options)));
}

const ACTIONS = {
  pause: 'no more openings until it is resumed',
  resume: 'openings as before',
  'run-now': 'open it once now; refused while it is open',
} as const;

export function windowCommands(program: Command, run: CliRun, done: Done): void {
  const window = program.command('window').description('maintenance windows: what runs when');
  createCommand(window, run, done);
  window
    .command('list')
    .description('windows, with their next and last openings')
    .option('--cluster <name>', 'of this cluster only')
    .option('--json', 'machine-readable output')
    .action(async (options: { cluster?: string; json?: boolean }) => done(await list(run, options)));
  cluster(window.command('show').description('one window').argument('<name>'))
    .option('--ics', 'its next twenty openings as iCalendar')
    .action(async (name: string, options: CommonOptions & { ics?: boolean }) => done(await show(run, name, options)));
  cluster(window.command('preview').description('its next ten openings').argument('<name>')).action(
    async (name: string, options: CommonOptions) => {
      const seen = await run
        .door()
        .ask(`reading the window ${name}`, pathOf(options.cluster, name, '/preview'), windowPreview);
      done(print(run, options.json, seen, previewLines(seen)));
    },
  );
  cluster(
    window.command('delete').description('no more openings; one that runs closes by itself').argument('<name>'),
  ).action(async (name: string, options: CommonOptions) => {
    const init = { method: 'DELETE' };
    const gone = await run.door().ask(`deleting the window ${name}`, pathOf(options.cluster, name), windowAnswer, init);
    done(print(run, options.json, gone, [`${gone.id} is deleted`]));
  });
  for (const action of ['pause', 'resume', 'run-now'] as const) {
    cluster(window.command(action).description(ACTIONS[action]).argument('<name>'))
      .option('--by <name>', 'who does it, for the auditor (default: cli:<local user>)')
      .option('--reason <text>', action === 'pause' ? 'why; needed' : 'why')
      .action(async (name: string, options: CommonOptions) => done(await act(run, action, name, options)));
  }
}
