/** Parameters of one call. VDSM hardly checks them (vdsm.md 4): what is missing surfaces as -32603, wrong types pass. */
import { fail } from './errors.ts';
import { isJsonObject, type Json, type JsonObject, repr } from './python.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class Params {
  readonly #values: JsonObject;

  constructor(values: JsonObject) {
    this.#values = values;
  }

  /** Positional parameters get the schema's names, in its order. @throws VdsmError -32603 when there are too many. */
  static from(raw: readonly Json[] | JsonObject, names: readonly string[]): Params {
    if (!Array.isArray(raw)) return new Params(raw as JsonObject);
    const values: Record<string, Json> = {};
    for (const [index, value] of (raw as readonly Json[]).entries()) {
      const name = names[index];
      if (name === undefined) throw fail.internal({ reason: 'list index out of range' });
      values[name] = value;
    }
    return new Params(values);
  }

  optional(name: string): Json | undefined {
    return this.#values[name];
  }

  required(name: string): Json {
    const value = this.#values[name];
    if (value === undefined) throw fail.internal({ reason: `missing required argument: '${name}'` });
    return value;
  }

  /** Required text; another type is taken as Python would print it. */
  text(name: string): string {
    const value = this.required(name);
    return typeof value === 'string' ? value : repr(value);
  }

  optionalText(name: string, otherwise: string): string {
    const value = this.optional(name);
    return typeof value === 'string' ? value : otherwise;
  }

  /** @throws VdsmError 1000 when it is no lower-case UUID. */
  uuid(name: string): string {
    const value = this.required(name);
    if (typeof value !== 'string' || !UUID.test(value)) throw fail.invalidParameter(name, value);
    return value;
  }

  /** A count that may come as text. @throws VdsmError 1000 otherwise. */
  integer(name: string): number {
    const value = this.required(name);
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && /^-?\d+$/.test(value)) return Number(value);
    throw fail.invalidParameter(name, value);
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.optional(name);
    if (typeof value === 'boolean') return value;
    return typeof value === 'string' ? value.toLowerCase() === 'true' : otherwise;
  }

  /** Texts of a list; an absent list is empty. */
  texts(name: string): string[] {
    const value = this.optional(name);
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  }

  object(name: string): JsonObject {
    const value = this.required(name);
    return isJsonObject(value) ? value : {};
  }
}
