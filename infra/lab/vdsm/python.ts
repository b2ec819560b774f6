/** Texts as Python writes them: VDSM's error messages hold reprs, and its JSON is ASCII (vdsm.md 4, 12). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return `${quote}${quote === "'" ? body.replaceAll("'", "\\'") : body}${quote}`;
}

export function repr(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return reprString(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  const pairs = Object.entries(value).map(([key, one]) => `${reprString(key)}: ${repr(one)}`);
  return `{${pairs.join(', ')}}`;
}

export function reprTuple(values: readonly Json[]): string {
  if (values.length === 1) return `(${repr(values[0] ?? null)},)`;
  return `(${values.map(repr).join(', ')})`;
}

/** JSON with Python's blanks after commas and colons. */
function spacedJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${spacedJson(one)}`);
  return `{${pairs.join(', ')}}`;
}

/** JSON as Python writes it, byte for byte: every character beyond ASCII as `\uXXXX`. */
export function asciiJson(value: Json): string {
  return spacedJson(value).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
