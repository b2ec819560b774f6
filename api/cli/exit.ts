/** How the command line ends: codes for scripts, words for people. */

/** Documented in `api/README.md`; scripts rely on them. */
export const EXIT = {
  done: 0,
  /** The operation failed or was aborted, or a problem was answered. */
  failed: 1,
  /** The command line itself was wrong. */
  usage: 2,
  /** The operation waits for a person. */
  parked: 3,
  /** The front door did not answer. */
  unreachable: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure to be told: what failed, why, what to run. */
export class CliError extends Error {
  readonly lines: readonly string[];
  readonly exit: ExitCode;
  /** For `--json`: the problem document where there is one. */
  readonly details: unknown;
  /** The same command may work in a moment. */
  readonly passing: boolean;

  constructor(exit: ExitCode, lines: readonly string[], options: { details?: unknown; passing?: boolean } = {}) {
    super(lines.join('\n'));
    this.name = 'CliError';
    this.exit = exit;
    this.lines = lines;
    this.details = options.details;
    this.passing = options.passing ?? false;
  }
}

/** The three lines that every failure has. */
export function failure(what: string, why: string, run: string): string[] {
  return [`failed: ${what}`, `why:    ${why}`, `run:    ${run}`];
}
