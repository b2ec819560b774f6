/** A path segment with its matrix parameters removed. */
export interface ParsedTarget {
  readonly segments: readonly string[];
  readonly parameters: Parameters;
}

/**
 * Query and matrix parameters of a request (engine.md 2). Names are matched in any case and with `-` and `_` alike
 * (`All-Content`, `all_content`). A query parameter wins over a matrix parameter of the same name.
 */
export class Parameters {
  readonly #values = new Map<string, string>();

  set(name: string, value: string): void {
    this.#values.set(normal(name), value);
  }

  text(name: string): string | undefined {
    return this.#values.get(normal(name));
  }

  /** A flag: present but empty means true; a text that is no boolean is taken as missing. */
  flag(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (/^(?:|true|t|yes|y|1)$/i.test(value)) return true;
    return /^(?:false|f|no|n|0)$/i.test(value) ? false : undefined;
  }

  /** A whole number; another text is taken as missing. */
  int(name: string): number | undefined {
    const value = this.text(name);
    return value !== undefined && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
  }
}

function normal(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** Splits a request target into decoded segments and parameters. `undefined` = a broken percent escape. */
export function parseTarget(target: string): ParsedTarget | undefined {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const parameters = new Parameters();
  try {
    const segments = path
      .split('/')
      .filter((segment) => segment !== '')
      .map((segment) => {
        const [name = '', ...matrix] = segment.split(';');
        for (const one of matrix) {
          const [key = '', ...value] = one.split('=');
          if (key !== '') parameters.set(decodeURIComponent(key), decodeURIComponent(value.join('=')));
        }
        return decodeURIComponent(name);
      });
    const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
    for (const [name, value] of query) parameters.set(name, value);
    return { segments, parameters };
  } catch {
    return undefined;
  }
}
