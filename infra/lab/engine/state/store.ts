import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { CounterpartError } from '../../../../activities/errors.ts';
import type { EngineState } from './model.ts';

/** The database file. `undefined` in tests that keep everything in memory. */
export class Store {
  readonly state: EngineState;
  readonly #file: string | undefined;
  #dirty = false;

  private constructor(state: EngineState, file: string | undefined) {
    this.state = state;
    this.#file = file;
  }

  /** Opens the file, or makes a new database with `seed` when there is none. */
  static open(file: string | undefined, seed: () => EngineState): Store {
    const existing = file === undefined ? undefined : read(file);
    const store = new Store(existing ?? seed(), file);
    if (existing === undefined) {
      store.changed();
      store.flush();
    }
    return store;
  }

  /** Notes that the state has changed; the next `flush` writes it. */
  changed(): void {
    this.#dirty = true;
  }

  /** Writes a changed state: whole file beside the old one, then renamed over it, so a kill never leaves half a file. */
  flush(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    if (this.#file === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    const temporary = `${this.#file}.new`;
    writeFileSync(temporary, JSON.stringify(this.state));
    renameSync(temporary, this.#file);
  }
}

function read(file: string): EngineState | undefined {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed: unknown = safeParse(source);
  if (isState(parsed)) return parsed;
  throw new CounterpartError({
    type: 'lab/engine-database',
    kind: 'fatal',
    subject: file,
    what: 'the engine cannot start',
    why: 'its database is not one that this version wrote',
    remedy: 'Remove the file (the lab then starts afresh) or use a new lab folder',
  });
}

function safeParse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/** The file is the engine's own: version and shape of the top are checked, not each record. */
function isState(value: unknown): value is EngineState {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === 1 &&
    'hosts' in value &&
    Array.isArray(value.hosts)
  );
}
