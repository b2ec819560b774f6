/** How status and doctor stay within a plain terminal of 80 columns. Pure. */

export const WIDTH = 80;
const LABEL = 10;

/** Names come from other machines: nothing in them may steer the terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
}

/** Lines of at most `width`; a longer word is cut into pieces. */
export function wrap(text: string, width: number): string[] {
  const words = plain(text)
    .split(' ')
    .flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? []);
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** A label, and the text beside it; at most `max` lines, the last of which then ends with dots. */
export function labelled(label: string, text: string, max = Infinity): string[] {
  const lines = wrap(text, WIDTH - LABEL);
  const shown = lines.slice(0, max);
  if (lines.length > max) shown.push(`${(shown.pop() ?? '').slice(0, WIDTH - LABEL - 4)} ...`);
  return shown.map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL)}${line}`);
}

/** Columns, two blanks apart; no row is wider than the terminal. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const clean = rows.map((row) => row.map(plain));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)));
  return clean.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
      .slice(0, WIDTH),
  );
}

/** `23 s`, `4 min 5 s`, `2 h 3 min`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
