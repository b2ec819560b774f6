/** `bellwether webhook ...`: try a delivery offline, and look at what came in. */
import { Option, type Command } from 'commander';
import { EXIT, type ExitCode } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';
import { webhookTest, type WebhookTestOptions } from './webhook-test.ts';
import { deliveryLines } from './webhook-words.ts';

interface DeliveriesOptions {
  readonly source?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

async function deliveries(run: CliRun, { json, ...filter }: DeliveriesOptions): Promise<ExitCode> {
  const list = await run.door().deliveries(filter);
  if (json === true) run.out(JSON.stringify(list));
  else if (list.deliveries.length === 0) run.say('no deliveries');
  else for (const line of deliveryLines(list)) run.out(line);
  return EXIT.done;
}

const each = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value];

export function webhookCommands(program: Command, run: CliRun, env: NodeJS.ProcessEnv, done: Done): void {
  const webhook = program.command('webhook').description('try webhook deliveries, and look at those that came');
  webhook
    .command('test')
    .description('what the front door would do with a delivery; offline, changes nothing')
    .requiredOption('--source <name>', 'whose delivery it is')
    .requiredOption('--file <file>', 'the body, byte for byte as it was sent')
    .option('--config <file>', 'file of sources (default: BELLWETHER_WEBHOOKS_FILE)')
    .addOption(new Option('--header <line>', '"Name: value" as it was sent; may be given often').argParser(each))
    .option('--unsigned', 'do not look at the signature: try the mapping alone')
    .option('--at <time>', 'when it came, for a recorded one (ISO time; default: now)')
    .addOption(new Option('--json', 'machine-readable output'))
    .addHelpText(
      'after',
      '\nExit codes: 0 it would start an operation, 1 it is refused or asks for nothing, 2 wrong usage.',
    )
    .action(async (options: WebhookTestOptions) => done(await webhookTest(run, env, options)));
  webhook
    .command('deliveries')
    .description('what came in and what became of it, newest first')
    .option('--source <name>', 'of this source only')
    .option('--limit <number>', 'at most so many (default: 100)')
    .addOption(new Option('--json', 'machine-readable output'))
    .action(async (options: DeliveriesOptions) => done(await deliveries(run, options)));
}
