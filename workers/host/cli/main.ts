/** The command line `bellwether-host`: what a person on a host asks the failover worker, or its files. */
import { Command, CommanderError } from 'commander';
import { CounterpartError } from '../../../activities/errors.ts';
import { BOARD_PROCESS } from '../env-linux/board-process.ts';
import { addCommands } from './commands.ts';
import { EXIT, tellFailure } from './failure.ts';
import { VERSION } from '../version.ts';
import type { CliIo } from './io.ts';

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage.`;

function told(error: unknown, json: boolean, io: CliIo): number {
  // commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof CounterpartError)) throw error;
  return tellFailure(error, json, io);
}

/** Runs one command. Resolves to the exit code (`EXIT`); throws only for a defect. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  // Bundled, this file is also the process that does board I/O, which has begun by itself.
  if (argv[0] === BOARD_PROCESS) return EXIT.done;
  const program = new Command('bellwether-host')
    .description('Keeps oVirt’s hosted engine running: this host’s side.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout(text), writeErr: (text) => io.stderr(text) });
  addCommands(program, io);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    return told(error, argv.includes('--json') || argv.includes('--compat'), io);
  }
}
