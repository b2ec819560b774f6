/**
 * What was told already: the same thing is not told again for two hours, and one kind of thing not without end however its
 * words change. Kept in a small local file, so that a worker that is restarted again and again does not repeat itself.
 */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

export interface ToldOptions {
  readonly file?: string;
  readonly wallMs: () => number;
  readonly repeatMs: number;
  readonly log: (level: 'warn', text: string) => void;
}

export interface Told {
  /**
   * May it be told now? If so it counts as told. `most`: so many different ones of a kind within the time.
   * `before`: how often the same was not told since it was told last.
   */
  take(kind: string, what: string, most: number): { readonly fresh: boolean; readonly before: number };
  /** It could not be delivered: the next of its kind is told again. */
  forget(kind: string, what: string): void;
  /** Resolves when the file is as it should be, or cannot be written. */
  saved(): Promise<void>;
}

const schema = z.array(
  z.strictObject({ kind: z.string(), what: z.string(), atMs: z.number(), unsaid: z.int().nonnegative() }),
);
type Entry = z.output<typeof schema>[number];

function load(options: ToldOptions): Entry[] {
  if (options.file === undefined) return [];
  try {
    return schema.parse(JSON.parse(readFileSync(options.file, 'utf8')));
  } catch {
    // None yet, or of another version: at worst something is told twice.
    return [];
  }
}

export function createTold(options: ToldOptions): Told {
  const entries = load(options);
  let saving: Promise<void> | undefined;
  let again = false;

  /** A clock that was set back must not silence anything for longer than the time itself. */
  const young = (entry: Entry) => Math.abs(options.wallMs() - entry.atMs) < options.repeatMs;
  const find = (kind: string, what: string) => entries.find((entry) => entry.kind === kind && entry.what === what);

  const write = async (file: string) => {
    do {
      again = false;
      try {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(`${file}.new`, JSON.stringify(entries), { mode: 0o640 });
        await rename(`${file}.new`, file);
      } catch (error) {
        options.log('warn', `${file}: ${error instanceof Error ? error.message : String(error)}`);
      }
    } while (again);
    saving = undefined;
  };
  const save = () => {
    if (options.file === undefined) return;
    again = true;
    saving ??= write(options.file);
  };

  return {
    take(kind, what, most) {
      const known = find(kind, what);
      if (known !== undefined && young(known)) {
        known.unsaid += 1;
        return { fresh: false, before: 0 };
      }
      if (entries.filter((entry) => entry.kind === kind && young(entry)).length >= most) {
        return { fresh: false, before: 0 };
      }
      const kept = entries.filter(young);
      entries.splice(0, entries.length, ...kept, { kind, what, atMs: options.wallMs(), unsaid: 0 });
      save();
      return { fresh: true, before: known?.unsaid ?? 0 };
    },
    forget(kind, what) {
      const known = find(kind, what);
      if (known === undefined) return;
      entries.splice(entries.indexOf(known), 1);
      save();
    },
    saved: () => saving ?? Promise.resolve(),
  };
}
