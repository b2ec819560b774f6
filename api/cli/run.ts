/** What one run of the command line has at hand. */
import { userInfo } from 'node:os';
import { createFrontDoor, settingsFrom, type FrontDoor } from './front-door.ts';

/** Where the words go and the settings come from; a test gives its own. */
export interface CliIo {
  readonly stdout: (text: string) => unknown;
  readonly stderr: (text: string) => unknown;
  readonly env: NodeJS.ProcessEnv;
  /** For the commands that ask. */
  readonly stdin?: NodeJS.ReadableStream;
}

export interface CliRun {
  /** A line of the result: standard output. */
  out(line: string): void;
  /** A line beside the result: standard error. */
  say(line: string): void;
  /** The same without the end of a line. */
  prompt(text: string): void;
  readonly stdin: NodeJS.ReadableStream;
  door(): FrontDoor;
  /** Who acts: as given, else the local user. */
  actor(given: string | undefined): string;
}

function localUser(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user id without a name in /etc/passwd.
    return env['USER'] ?? 'unknown';
  }
}

export function createRun(io: CliIo): CliRun {
  return {
    out: (line) => void io.stdout(`${line}\n`),
    say: (line) => void io.stderr(`${line}\n`),
    prompt: (text) => void io.stderr(text),
    stdin: io.stdin ?? process.stdin,
    door: () => createFrontDoor(settingsFrom(io.env)),
    actor: (given) => given ?? `cli:${localUser(io.env)}`,
  };
}
