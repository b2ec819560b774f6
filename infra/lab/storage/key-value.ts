/** `KEY=value` files of VDSM: sorted lines, first `=` splits. */

export function parseLines(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.replace(/\0+$/, '').split('\n')) {
    if (line.startsWith('EOF')) break;
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  return values;
}

export function sortedLines(values: ReadonlyMap<string, string | number>): string[] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
}
