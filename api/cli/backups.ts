/** `bellwether backups`: what there is to restore from. */
import type { Command } from 'commander';
import type { BackupListing } from '../../workflows/model/look.ts';
import { clusterOption } from './cluster-option.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';

interface BackupsOptions {
  readonly cluster: string;
  readonly json?: boolean;
}

const KIB = 1024;

export function backupLines({ cluster, backups, damaged, more }: BackupListing): string[] {
  if (backups.length === 0 && damaged.length === 0)
    return [`There is no backup of ${cluster}. Take one: npx bellwether backup --cluster ${cluster}`];
  const [newest] = backups;
  return [
    ...backups.flatMap(({ key, takenAt, operation, phase, items, bytes, notTaken }) => [
      `${takenAt.slice(0, 16).replace('T', ' ')} UTC  ${phase} ${operation}  ${Math.ceil(bytes / KIB)} KiB`,
      `  ${items.join(', ')}${notTaken.length === 0 ? '' : `; without ${notTaken.join(', ')}`}`,
      `  ${key}`,
    ]),
    ...damaged.flatMap(({ key, why }) => [`damaged: ${why}`, `  ${key}`]),
    ...(more ? ['There are older ones that are not listed.'] : []),
    ...(newest === undefined
      ? []
      : [`See what one would change: npx bellwether restore '${newest.key}' --cluster ${cluster} --item ovf --watch`]),
  ];
}

async function backups(run: CliRun, options: BackupsOptions): Promise<ExitCode> {
  const listing = await run.door().backups(options.cluster);
  if (options.json === true) run.out(JSON.stringify(listing));
  else for (const line of backupLines(listing)) run.out(line);
  return EXIT.done;
}

export function backupsCommand(program: Command, run: CliRun, done: Done): void {
  program
    .command('backups')
    .description('the backups of a cluster in S3, newest first')
    .addOption(clusterOption())
    .option('--json', 'machine-readable output')
    .action(async (options: BackupsOptions) => done(await backups(run, options)));
}
