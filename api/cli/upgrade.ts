/** `bellwether upgrade`: sends the request to the front door, and follows it if asked. */
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import type { DefinitionSource } from '../../workflows/model/requests.ts';
import { CliError, EXIT, failure, type ExitCode } from './exit.ts';
import type { CliRun } from './run.ts';
import { follow } from './operation.ts';

export interface UpgradeOptions {
  readonly cluster: string;
  readonly vmConf?: string;
  readonly ticket?: string;
  readonly key?: string;
  readonly source?: DefinitionSource;
  readonly by?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export async function readInput(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, failure(`reading ${file}`, why, `ls -l ${file}`));
  });
}

/** A key of our own is told, so that the same command can be repeated as the same request. */
function keyOf(options: UpgradeOptions): { readonly key: string; readonly drawn: boolean } {
  const given = options.key ?? options.ticket;
  return given === undefined
    ? { key: `cli-${randomBytes(6).toString('hex')}`, drawn: true }
    : { key: given, drawn: false };
}

export async function upgrade(run: CliRun, options: UpgradeOptions): Promise<ExitCode> {
  const { key, drawn } = keyOf(options);
  const vmConf = options.vmConf === undefined ? undefined : await readInput(options.vmConf);
  const body = {
    operation: 'upgrade',
    cluster: options.cluster,
    key,
    ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
    // Who names a file means that file.
    source: options.source ?? (vmConf === undefined ? 'auto' : 'request'),
    ...(vmConf === undefined ? {} : { vmConf }),
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
