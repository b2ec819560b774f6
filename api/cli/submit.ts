/** Every command that starts an operation: sends the request to the front door, and follows it if asked. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { clusterOption } from './cluster-option.ts';
import { CliError, EXIT, failure, type ExitCode } from './exit.ts';
import { follow } from './operation.ts';
import type { CliRun } from './run.ts';

export interface SubmitOptions {
  readonly cluster: string;
  readonly ticket?: string;
  readonly key?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly refuseBusy?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** The options that all such commands have. */
export function submitOptions(command: Command): Command {
  return command
    .addOption(clusterOption())
    .addOption(new Option('--ticket <number>', 'change ticket; it runs once only').conflicts('key'))
    .option('--key <key>', 'own key where there is no ticket; it runs once only')
    .option('--reason <text>', 'why; kept for the auditor')
    .option('--refuse-busy', 'end at once instead of queueing while another operation holds the cluster')
    .option('--watch', 'follow it to its end')
    .option('--by <name>', 'who does it, for the auditor (default: cli:<local user>)')
    .option('--json', 'machine-readable output');
}

export async function readInput(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, failure(`reading ${file}`, why, `ls -l ${file}`));
  });
}

/** A key of our own is told, so that the same command can be repeated as the same request. */
function keyOf(options: SubmitOptions): { readonly key: string; readonly drawn: boolean } {
  const given = options.key ?? options.ticket;
  return given === undefined
    ? { key: `cli-${randomBytes(6).toString('hex')}`, drawn: true }
    : { key: given, drawn: false };
}

/** @param asked the operation and its own fields; the front door checks them. */
export async function submit(
  run: CliRun,
  options: SubmitOptions,
  asked: Readonly<Record<string, unknown>> & { readonly operation: string },
): Promise<ExitCode> {
  const { key, drawn } = keyOf(options);
  const body = {
    cluster: options.cluster,
    key,
    ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(options.refuseBusy === true ? { ifBusy: 'refuse' } : {}),
    ...asked,
  };
  if (drawn) run.say(`no --ticket and no --key: this request is --key ${key}`);
  const door = run.door();
  const answer = await door.start(body, run.actor(options.by));
  if (options.json === true && options.watch !== true) {
    run.out(JSON.stringify(answer));
    return EXIT.done;
  }
  run.say(`${answer.duplicate === true ? 'already accepted' : 'accepted'}: ${answer.id} (${answer.state})`);
  if (answer.links.temporalUi !== undefined) run.say(`Temporal UI: ${answer.links.temporalUi}`);
  if (options.watch === true) return follow(run, door, answer.id, options.json === true);
  run.say(`follow it: npx bellwether operation watch ${answer.id}`);
  return EXIT.done;
}
