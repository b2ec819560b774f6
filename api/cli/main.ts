/** The command line `bellwether`: arguments to functions, errors to exit codes. */
import { Command, CommanderError, Option } from 'commander';
import { OPERATION_STATES } from '../schemas/operation.ts';
import { VERSION } from '../version.ts';
import { auditCommands } from './audit.ts';
import { completionCommand } from './completion.ts';
import { convert, type ConvertOptions } from './convert.ts';
import { backupsCommand } from './backups.ts';
import { doctorCommand } from './doctor.ts';
import { CliError, EXIT } from './exit.ts';
import { act, follow, list, show, type CommandOptions, type ListOptions } from './operation.ts';
import { createRun, type CliIo, type CliRun } from './run.ts';
import { statusCommand } from './status.ts';
import { installCommand } from './install/install.ts';
import {
  archiveCommands,
  engineVmCommands,
  hostCommands,
  maintenanceCommands,
  upgradeCommand,
  type Done,
} from './operations.ts';
import { webhookCommands } from './webhook.ts';
import { windowCommands } from './window.ts';

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, aborted or refused, 2 wrong usage, 3 parked (needs a person), 4 front door not reached.
The front door is at BELLWETHER_URL (http://127.0.0.1:8480); its token is read from the file BELLWETHER_API_TOKEN_FILE.`;

const json = () => new Option('--json', 'machine-readable output');
const by = () => new Option('--by <name>', 'who does it, for the auditor (default: cli:<local user>)');

function convertCommand(program: Command, run: CliRun, done: Done): void {
  program
    .command('convert')
    .description('convert a vm.conf to OVF, or an OVF to vm.conf, offline')
    .argument('<file>', 'vm.conf or OVF; which one is seen from its content')
    .option('--out <file>', 'write there instead of to standard output')
    .addOption(new Option('--to <format>', 'refuse unless this comes out').choices(['ovf', 'vm.conf']))
    .option('--data-center-id <uuid>', 'the engine’s data center (vm.conf has none)')
    .option('--cluster <name>', 'the engine’s cluster (vm.conf has none)')
    .option('--compatibility <x.y>', 'the cluster’s compatibility version (vm.conf has none)')
    .addOption(json())
    .action(async (file: string, options: ConvertOptions) => done(await convert(run, file, options)));
}

function operationCommands(program: Command, run: CliRun, done: Done): void {
  const operation = program.command('operation').description('look at operations, and give them commands');
  operation
    .command('list')
    .description('operations, newest first')
    .option('--cluster <name>', 'of this cluster only')
    .addOption(new Option('--state <state>', 'in this state only').choices([...OPERATION_STATES]))
    .addOption(json())
    .action(async (options: ListOptions) => done(await list(run, options)));
  operation
    .command('show')
    .description('one operation with its steps')
    .argument('<id>')
    .addOption(json())
    .action(async (id: string, options: CommandOptions) => done(await show(run, id, options)));
  operation
    .command('watch')
    .description('print each change until it has ended or is parked')
    .argument('<id>')
    .addOption(json())
    .action(async (id: string, options: CommandOptions) =>
      done(await follow(run, run.door(), id, options.json === true)),
    );
  const actions = {
    retry: 'try the parked step again',
    skip: 'leave the parked step out',
    abort: 'undo and end',
  } as const;
  for (const action of ['retry', 'skip', 'abort'] as const) {
    operation
      .command(action)
      .description(actions[action])
      .argument('<id>')
      .addOption(by())
      .option('--reason <text>', 'why; kept in the history')
      .addOption(json())
      .action(async (id: string, options: CommandOptions) => done(await act(run, id, action, options)));
  }
}

function told(error: unknown, argv: readonly string[], io: CliIo): number {
  // commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof CliError)) throw error;
  if (argv.includes('--json') && error.details !== undefined) io.stderr(`${JSON.stringify(error.details)}\n`);
  else io.stderr(`${error.lines.join('\n')}\n`);
  return error.exit;
}

const STARTING = [installCommand, upgradeCommand, hostCommands, maintenanceCommands, engineVmCommands, archiveCommands];

/** Runs one command. Resolves to the exit code (`EXIT`); throws only for a defect. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const run = createRun(io);
  let code: number = EXIT.done;
  const done: Done = (value) => {
    code = value;
  };
  const program = new Command('bellwether')
    .description('Changes oVirt’s self-hosted engine, durably.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout(text), writeErr: (text) => void io.stderr(text) });
  convertCommand(program, run, done);
  for (const add of STARTING) add(program, run, done);
  operationCommands(program, run, done);
  windowCommands(program, run, done);
  statusCommand(program, run, done);
  backupsCommand(program, run, done);
  doctorCommand(program, run, io.env, done);
  webhookCommands(program, run, io.env, done);
  auditCommands(program, run, done);
  completionCommand(program, run, done);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return told(error, argv, io);
  }
}
