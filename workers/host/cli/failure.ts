/** How a command that failed ends. */
import type { CounterpartError } from '../../../activities/errors.ts';
import type { CliIo } from './io.ts';

/** Scripts rely on them. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Says why, and returns the exit code. */
export function tellFailure({ facts }: CounterpartError, json: boolean, io: CliIo): number {
  const { what, subject, why, remedy } = facts;
  io.stderr(json ? `${JSON.stringify(facts)}\n` : `failed: ${subject}: ${what}\nwhy:    ${why}\ndo:     ${remedy}\n`);
  return EXIT.failed;
}
