/** `bellwether operation ...`: look at operations and give them their commands. */
import type { OperatorAction } from '../../workflows/model/operation.ts';
import type { OperationReport } from '../ports.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import type { FrontDoor } from './front-door.ts';
import type { CliRun } from './run.ts';
import { watchOperation } from './watch.ts';
import { clockTime, formatOperation } from './words.ts';

export interface CommandOptions {
  readonly by?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** The exit code that a watched operation ends with. */
export function exitOf(view: Pick<OperationReport, 'state' | 'execution'>): ExitCode {
  if (view.state === 'done') return EXIT.done;
  return view.state === 'parked' && view.execution === 'running' ? EXIT.parked : EXIT.failed;
}

/** Watches until the operation has ended or is parked; with `json` each change is one JSON line of the whole report. */
export async function follow(run: CliRun, door: FrontDoor, id: string, json: boolean): Promise<ExitCode> {
  let last = '';
  let report: OperationReport | undefined;
  const look = async () => {
    report = await door.show(id);
    const text = JSON.stringify(report);
    if (json && text !== last) run.out(text);
    last = text;
    return report;
  };
  const isTransient = (error: unknown) => error instanceof CliError && error.passing;
  await watchOperation(look, (line) => (json ? undefined : run.out(line)), { isTransient });
  return report === undefined ? EXIT.failed : exitOf(report);
}

export async function show(run: CliRun, id: string, options: CommandOptions): Promise<ExitCode> {
  const report = await run.door().show(id);
  if (options.json === true) run.out(JSON.stringify(report));
  else for (const line of formatOperation(report)) run.out(line);
  return EXIT.done;
}

export interface ListOptions {
  readonly cluster?: string;
  readonly state?: string;
  readonly json?: boolean;
}

export async function list(run: CliRun, options: ListOptions): Promise<ExitCode> {
  const { json, ...filter } = options;
  const operations = await run.door().list(filter);
  if (json === true) {
    run.out(JSON.stringify(operations));
    return EXIT.done;
  }
  if (operations.length === 0) run.say('no operations');
  for (const { id, state, execution, step, started, closed } of operations) {
    const times = `${started.slice(0, 10)} ${clockTime(started)}${closed === undefined ? '' : ` to ${clockTime(closed)}`} UTC`;
    const how = execution === 'running' || execution === 'completed' ? '' : ` (${execution})`;
    run.out(`${id.padEnd(40)} ${`${state}${how}`.padEnd(10)} ${(step ?? '').padEnd(25)} ${times}`);
  }
  return EXIT.done;
}

export async function act(run: CliRun, id: string, action: OperatorAction, options: CommandOptions): Promise<ExitCode> {
  const by = run.actor(options.by);
  const command = options.reason === undefined ? { by } : { by, reason: options.reason };
  const answer = await run.door().act(id, action, command);
  if (options.json === true) run.out(JSON.stringify(answer));
  else run.say(`${id} has taken ${action} by ${by}\nfollow it: npx bellwether operation watch ${id}`);
  return EXIT.done;
}
