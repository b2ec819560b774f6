import { Decimal, isRepeated, isScalar, prefixed } from './tree.ts';
import type { Defined, Node, Scalar } from './tree.ts';

type Json = string | number | { [member: string]: Json } | Json[];

/**
 * Writes an answer as JSON: integers and booleans are STRINGS, dates epoch milliseconds, decimals numbers; an empty list
 * is `{}` (engine.md 6).
 */
export function toJson(node: Node, prefix: string): string {
  return JSON.stringify(objectOf(node, prefix));
}

function objectOf(node: Node, prefix: string): { [member: string]: Json } {
  const out: { [member: string]: Json } = {};
  for (const [member, value] of Object.entries(node)) {
    if (value === undefined || (isRepeated(value) && value.length === 0)) continue;
    out[member] = jsonOf(member, value, prefix);
  }
  return out;
}

function jsonOf(member: string, value: Defined, prefix: string): Json {
  if (isRepeated(value)) return value.map((item) => jsonOf(member, item, prefix));
  if (isScalar(value)) return jsonScalar(member, value, prefix);
  return objectOf(value, prefix);
}

function jsonScalar(member: string, value: Scalar, prefix: string): Json {
  if (value instanceof Date) return value.getTime();
  if (value instanceof Decimal) return value.value;
  return prefixed(member, String(value), prefix);
}
