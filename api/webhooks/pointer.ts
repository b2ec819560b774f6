/** JSON pointers (RFC 6901): where in a body a value is. */

/** True for `""` (the whole body) and `/a/b~1c/0`. */
export function isPointer(text: string): boolean {
  return /^(\/([^~/]|~[01])*)*$/.test(text);
}

function step(value: unknown, token: string): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return /^(0|[1-9]\d{0,8})$/.test(token) ? items[Number(token)] : undefined;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined;
  return Object.entries(value).find(([name]) => name === token)?.[1];
}

/** The value at the pointer; undefined when there is none. Only what the body itself has: never `constructor`. */
export function valueAt(body: unknown, pointer: string): unknown {
  const tokens = pointer.split('/').slice(1);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')).reduce<unknown>(step, body);
}
