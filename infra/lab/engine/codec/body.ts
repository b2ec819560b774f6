import { incomplete, invalidValue } from '../http/engine-fault.ts';

/**
 * What a client sent, of either format: scalars are texts, repeated elements arrays, attributes ordinary members.
 * An empty element is the empty text.
 */
export interface Body {
  readonly [member: string]: Field;
}
export type Field = string | Body | readonly Field[];

const EMPTY: Body = {};

function asBody(field: Field | undefined): Body | undefined {
  if (field === undefined || Array.isArray(field)) return undefined;
  if (field === '') return EMPTY;
  return typeof field === 'string' ? undefined : (field as Body);
}

/** The object at a path; undefined when a part of the path is missing. */
export function sub(body: Body, ...path: readonly string[]): Body | undefined {
  let at: Body | undefined = body;
  for (const name of path) {
    if (at === undefined || !Object.hasOwn(at, name)) return undefined;
    at = asBody(at[name]);
  }
  return at;
}

/** The text at a path; undefined when missing, `''` when present but empty. */
export function text(body: Body, ...path: readonly string[]): string | undefined {
  const last = path.at(-1);
  const owner = sub(body, ...path.slice(0, -1));
  if (owner === undefined || last === undefined || !Object.hasOwn(owner, last)) return undefined;
  const field = owner[last];
  return typeof field === 'string' ? field : undefined;
}

/** A boolean: true/false/1/0 in any case; another text is 400 `Invalid value` (engine.md 2). */
export function flag(body: Body, ...path: readonly string[]): boolean | undefined {
  const value = text(body, ...path)?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^(?:true|1)$/i.test(value)) return true;
  if (/^(?:false|0)$/i.test(value)) return false;
  throw invalidValue(`'${value}' is not a valid boolean for '${path.join('.')}'`);
}

/** A whole number in JavaScript's safe range; another text is 400 `Invalid value`. */
export function int(body: Body, ...path: readonly string[]): number | undefined {
  const value = text(body, ...path)?.trim();
  if (value === undefined || value === '') return undefined;
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw invalidValue(`For input string: "${value}"`);
  return number;
}

/** One of the values of an enumeration; another text is 400. */
export function choice<T extends string>(body: Body, values: readonly T[], ...path: readonly string[]): T | undefined {
  const value = text(body, ...path)?.trim();
  if (value === undefined || value === '') return undefined;
  const found = values.find((candidate) => candidate === value.toLowerCase());
  if (found === undefined)
    throw invalidValue(`'${value}' is not a member of ${path.at(-1)}. Possible values: ${values.join(', ')}`);
  return found;
}

/** Members of a list: `items(body, 'storage_domains', 'storage_domain')`. */
export function items(body: Body, list: string, item: string): readonly Body[] {
  const holder = sub(body, list);
  const field = holder !== undefined && Object.hasOwn(holder, item) ? holder[item] : undefined;
  if (field === undefined) return [];
  const fields: readonly Field[] = Array.isArray(field) ? field : [field];
  return fields.map(asBody).filter((one) => one !== undefined);
}

/**
 * Checks required fields; `'host.id|name'` means one of the two.
 *
 * @throws 400 `Incomplete parameters`, detail `<Type> [<fields>] required for <operation>` (engine.md 2)
 */
export function require(body: Body, type: string, operation: string, ...fields: readonly string[]): void {
  const missing = fields.filter((field) => !hasOne(body, field));
  if (missing.length > 0) throw incomplete(`${type} [${missing.join(', ')}] required for ${operation}`);
}

function hasOne(body: Body, field: string): boolean {
  const parts = field.split('.');
  const alternatives = (parts.pop() ?? '').split('|');
  const owner = sub(body, ...parts);
  return owner !== undefined && alternatives.some((name) => Object.hasOwn(owner, name) && owner[name] !== '');
}
