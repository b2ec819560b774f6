/**
 * The one model of an answer, from which both formats are written (engine.md 6).
 *
 * Members are named as on the wire. A repeated element is an array under its *singular* name, so a list is
 * `{ nics: { nic: [...] } }` in both formats. Members `id`, `href` and `rel` become XML attributes.
 * A `href` starting with `/` is below the API root and gets the prefix the client used.
 */

/** A decimal number: JSON keeps it a number, while whole numbers and booleans become strings. */
export class Decimal {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type Scalar = string | number | boolean | Date | Decimal;
export type Value = Scalar | Node | readonly (Scalar | Node)[] | undefined;
export interface Node {
  readonly [member: string]: Value;
}

const ATTRIBUTES = new Set(['id', 'href', 'rel']);

/** True for members which XML writes as attributes. */
export function isAttribute(member: string): boolean {
  return ATTRIBUTES.has(member);
}

export type Defined = Exclude<Value, undefined>;

export function isRepeated(value: Value): value is readonly (Scalar | Node)[] {
  return Array.isArray(value);
}

export function isScalar(value: Defined): value is Scalar {
  return typeof value !== 'object' || value instanceof Date || value instanceof Decimal;
}

export function isNode(value: Value): value is Node {
  return value !== undefined && !isRepeated(value) && !isScalar(value);
}

/** Puts the prefix the client used (`/ovirt-engine/api` or `/ovirt-engine/api/v4`) before links below the API root. */
export function prefixed(member: string, text: string, prefix: string): string {
  return member === 'href' && text.startsWith('/') ? `${prefix}${text}` : text;
}
