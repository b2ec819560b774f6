/** `bellwether status`: what the clusters look like now. */
import type { Command } from 'commander';
import { EXIT, type ExitCode } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';
import { statusLines } from './status-text.ts';

export interface ClusterOptions {
  readonly cluster?: string;
  readonly json?: boolean;
}

/** The named cluster, else all that the front door knows. */
export async function clusterNames(run: CliRun, { cluster }: ClusterOptions): Promise<readonly string[]> {
  if (cluster !== undefined) return [cluster];
  return (await run.door().clusters()).map(({ name }) => name);
}

async function status(run: CliRun, options: ClusterOptions): Promise<ExitCode> {
  const names = await clusterNames(run, options);
  if (names.length === 0)
    run.say('no cluster is configured: set BELLWETHER_CLUSTERS_FILE for the front door and the worker');
  for (const [index, name] of names.entries()) {
    const seen = await run.door().status(name);
    if (options.json === true) run.out(JSON.stringify(seen));
    else for (const line of [...(index === 0 ? [] : ['']), ...statusLines(seen)]) run.out(line);
  }
  return EXIT.done;
}

export function statusCommand(program: Command, run: CliRun, done: Done): void {
  program
    .command('status')
    .description('engine, hosts, HA state and maintenance of a cluster, as they are now')
    .option('--cluster <name>', 'of this cluster only')
    .option('--json', 'machine-readable output, a line for each cluster')
    .action(async (options: ClusterOptions) => done(await status(run, options)));
}
