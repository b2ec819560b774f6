/** `run --config FILE` as systemd says it: the worker without what only the other commands need, so that it idles lightly. */
import { config } from 'zod';
import { CounterpartError } from '../../../activities/errors.ts';
import { EXIT, tellFailure } from './failure.ts';
import type { CliIo } from './io.ts';

/** The file in `run --config FILE`; undefined: anything else, which is for commander. */
export function fileOfRun(argv: readonly string[]): string | undefined {
  const [command, option, file, ...more] = argv;
  const plain = command === 'run' && option === '--config' && more.length === 0;
  return plain && file?.startsWith('-') === false ? file : undefined;
}

/** Resolves to the exit code when the worker was told to end; throws only for a defect. */
export async function runAlone(configFile: string, io: CliIo): Promise<number> {
  // zod would compile each schema into a function of its own: memory that pays at thousands of parses a second. Schemas
  // look at this when they are made, so what has them is loaded after it.
  config({ jitless: true });
  const { run } = await import('./run.ts');
  try {
    await run(configFile);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CounterpartError)) throw error;
    return tellFailure(error, false, io);
  }
}
