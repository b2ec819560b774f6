/**
 * Markdown as the Temporal web UI shows it (tried on UI 2.54): bold, code, headings, lists, links and tables are
 * rendered; tables have neither lines nor padding, a row wider than the panel is cut off, each blank line between
 * paragraphs shows as two, raw HTML passes through and `$..$` is taken for mathematics.
 */

/** Cells would touch each other without it. Two no-break spaces: an entity would be shown as it is written. */
const GAP = '\u00a0\u00a0';

/** Words of nothing special, one space between them. */
const HARMLESS = /^[^\s\\`*[\]<>|~$&_]+(?: [^\s\\`*[\]<>|~$&_]+)*$/;

/**
 * Text from outside (an engine's fault, an operator's reason) as it stands: nothing in it is markup, and it can end
 * neither its line nor its cell. Underscores inside words need no escape and are read more easily without.
 */
export function plain(text: string): string {
  // Looking is far cheaper than replacing, and this runs for every step at each change of one.
  if (HARMLESS.test(text)) return text;
  return text
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*[\]<>|~$&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, String.raw`\$&`);
}

/** A table of Markdown cells; short ones only, see above. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((one) => `${one}${GAP}`).join(' | ')} |`;
  return [line(head), `|${head.map(() => ':---|').join('')}`, ...rows.map(line)];
}

/** `15:04:05` of an ISO time; empty without one. */
export function clock(iso: string | undefined): string {
  return iso?.slice(11, 19) ?? '';
}

/** `2026-01-31 15:04:05` of an ISO time. */
export function dateAndClock(iso: string): string {
  return `${iso.slice(0, 10)} ${clock(iso)}`;
}
