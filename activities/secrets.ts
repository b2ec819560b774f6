/** Secrets by name: requests and histories carry names only, the worker reads what they stand for from its own folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CounterpartError } from './errors.ts';

export interface Secrets {
  /** The folder; undefined: none is configured. */
  readonly dir?: string | undefined;
  /** @throws CounterpartError needs-operator when there is none of that name. */
  read(name: string): Promise<string>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

function missing(name: string, why: string, cause?: unknown): CounterpartError {
  return new CounterpartError(
    {
      type: 'configuration/secret',
      kind: 'needs-operator',
      subject: `secret ${name}`,
      what: 'it can’t be read',
      why,
      remedy:
        'Put it into a file of that name in the folder that BELLWETHER_SECRETS_DIR names, readable for the worker only, then retry.',
    },
    { cause },
  );
}

/** @param dir folder with a file per secret; undefined: none is configured. */
export function secretsIn(dir: string | undefined): Secrets {
  return {
    dir,
    async read(name) {
      if (!NAME.test(name)) throw missing(JSON.stringify(name), 'that is no name of a secret');
      if (dir === undefined) throw missing(name, 'BELLWETHER_SECRETS_DIR is not set');
      try {
        return (await readFile(join(dir, name), 'utf8')).replace(/\r?\n$/, '');
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
        throw missing(name, code === 'ENOENT' ? 'there is no such file' : code, error);
      }
    },
  };
}
