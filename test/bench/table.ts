/** Results as readable tables: first column left, numbers right. */

export type Cell = string | number;

/** Three significant digits are more than a shared machine can promise. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

function text(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  return Math.abs(cell) >= 100 ? String(Math.round(cell)) : String(round(cell));
}

/** @returns the lines of the table, two blanks indented. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(text));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd();
  const [first = [], ...rest] = cells.map((row) => line(row));
  return [String(first), `  ${widths.map((width) => '-'.repeat(width)).join('  ')}`, ...rest.map(String)];
}

/** "goal 25, met" or "goal 25, MISSED": shown, never asserted; the machine may be busy with other things. */
export function against(value: number, goal: number, unit: string): string {
  return `goal <= ${goal} ${unit}, ${value <= goal ? 'met' : 'MISSED'}`;
}
