/** `bellwether upgrade`. */
import type { DefinitionSource } from '../../workflows/model/requests.ts';
import type { ExitCode } from './exit.ts';
import type { CliRun } from './run.ts';
import { readInput, submit, type SubmitOptions } from './submit.ts';

export interface UpgradeOptions extends SubmitOptions {
  readonly vmConf?: string;
  readonly source?: DefinitionSource;
}

export async function upgrade(run: CliRun, options: UpgradeOptions): Promise<ExitCode> {
  const vmConf = options.vmConf === undefined ? undefined : await readInput(options.vmConf);
  return submit(run, options, {
    operation: 'upgrade',
    // Who names a file means that file.
    source: options.source ?? (vmConf === undefined ? 'auto' : 'request'),
    ...(vmConf === undefined ? {} : { vmConf }),
  });
}
