/** Any value of the core as JSON with one spelling; see `codec.ts`. Light: the running worker needs this half only. */

const byCodeUnit = (a: string, b: string) => (a < b ? -1 : Number(a > b));

function numberText(value: number): string {
  if (Number.isFinite(value) && !Object.is(value, -0)) return String(value);
  return `{"$":"${Object.is(value, -0) ? '-0' : value}"}`;
}

/** @throws TypeError for what is no data (a function, a symbol) */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (value instanceof Map) return textOf([...value]);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} is no data`);
  const fields = Object.entries(value).sort(([a], [b]) => byCodeUnit(a, b));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${textOf(field)}`).join(',')}}`;
}
