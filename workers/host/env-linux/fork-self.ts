/** Another process of the same program: from the sources a file of its own through tsx, bundled the same file again. */
import { fork, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param role its first argument, by which the bundle knows what it is to be
 * @param source the file below `workers/host` that is this process when run from the sources
 */
export function forkSelf(role: string, source: string): ChildProcess {
  const here = fileURLToPath(import.meta.url);
  const sources = here.endsWith('.ts');
  const file = sources ? join(dirname(here), '..', source) : (process.argv[1] ?? here);
  return fork(file, [role], {
    cwd: dirname(here),
    execArgv: sources ? ['--import', 'tsx'] : [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
