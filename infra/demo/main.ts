/**
 * `npm run demo`: a change ticket upgrades a hosted engine, on embedded everything; ends with what changed, looked at
 * from outside. Options after `--`: --keep, --input FILE, --fault NAME, --faults (lists them).
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { SCENARIOS } from '../faults/scenarios.ts';
import { PLAYS } from '../plays/all.ts';
import { runDemo } from './demo.ts';
import { runOperationDemo } from './operation.ts';
import { BAD_VM_CONF } from './bad-vm-conf.ts';

interface Options {
  readonly keep: boolean;
  readonly input?: string;
  readonly fault?: string;
  readonly faults: boolean;
  readonly operation?: string;
  readonly operations: boolean;
}

const say = (line = '') => process.stdout.write(`${line}\n`);

const options = new Command('demo')
  .description('A signed webhook upgrades a hosted engine on the lab, step by step.')
  .option('--keep', 'stay up at the end and print the addresses', false)
  .option('--input <file>', 'vm.conf of the engine VM to upgrade')
  .option('--fault <name>', 'inject a fault (--faults lists them)')
  .option('--faults', 'list the faults', false)
  .option('--operation <name>', 'another operation (--operations lists them)')
  .option('--operations', 'list the operations', false)
  .parse()
  .opts<Options>();

if (options.faults) {
  for (const { name, title } of [...SCENARIOS, BAD_VM_CONF]) say(`${name.padEnd(46)} ${title}`);
  process.exit(0);
}
if (options.operations) {
  for (const { name, title } of PLAYS) say(`${name.padEnd(26)} ${title}`);
  process.exit(0);
}
if (options.operation !== undefined) {
  const play = PLAYS.find((one) => one.name === options.operation);
  if (play === undefined) {
    say(`There is no operation ${options.operation}. "npm run demo -- --operations" lists them.`);
    process.exit(2);
  }
  process.exit(
    await runOperationDemo(play, say).catch((error: unknown) => {
      say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }),
  );
}
const scenario = SCENARIOS.find((one) => one.name === options.fault);
const refusal = options.fault === BAD_VM_CONF.name;
if (options.fault !== undefined && !refusal && scenario === undefined) {
  say(`There is no fault ${options.fault}. "npm run demo -- --faults" lists them.`);
  process.exit(2);
}
const given = options.input === undefined ? undefined : readFileSync(options.input, 'utf8');
const vmConf = refusal ? BAD_VM_CONF.vmConf : given;
process.exit(
  await runDemo({
    say,
    keep: options.keep,
    expectRefusal: refusal,
    ...(scenario === undefined ? {} : { scenario }),
    ...(vmConf === undefined ? {} : { vmConf }),
  }).catch((error: unknown) => {
    say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }),
);
