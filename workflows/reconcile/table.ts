/** The look as text: differences first, then the table, as rows that read plainly and render as Markdown. Pure. */
import { DIFFERENCES, keyOf, type Difference, type FactRow, type Look } from '../model/reconcile.ts';

const ROWS_MAX = 80;
const CELL_CHARS_MAX = 60;

function cell(text: string): string {
  const one = text.replaceAll('|', '/').replaceAll(/\s+/g, ' ').trim();
  if (one === '') return '–';
  return one.length <= CELL_CHARS_MAX ? one : `${one.slice(0, CELL_CHARS_MAX - 1)}…`;
}

export function tableLines(rows: readonly FactRow[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const shown = rows
    .slice(0, ROWS_MAX)
    .map(({ fact, engine, vdsm, metadata, storage }) => line([fact, engine, vdsm, metadata, storage]));
  const rest = rows.length > ROWS_MAX ? [line([`and ${rows.length - ROWS_MAX} more rows`, '', '', '', ''])] : [];
  const head = line(['fact', 'engine', 'VDSM', 'HA metadata', 'storage']);
  return [head, '| :--- | :--- | :--- | :--- | :--- |', ...shown, ...rest];
}

export function differenceLine(difference: Difference): string {
  const { kind, says, since, target } = difference;
  const { meaning, repair } = DIFFERENCES[kind];
  const when = since === undefined ? 'since when is not known' : `since ${since}`;
  const unsafeNow = DIFFERENCES[kind].safe ? 'Not safe to repair as it is now; else' : 'What to do';
  const how = target === undefined ? unsafeNow : 'Safe to repair';
  return `${keyOf(difference)}: ${says.join('; ')} (${when}). ${meaning} ${how}: ${repair}`;
}

export function lookLines({ rows, differences }: Pick<Look, 'rows' | 'differences'>): string[] {
  const first =
    differences.length === 0
      ? 'No difference: engine, VDSM, HA metadata and storage agree.'
      : `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}:`;
  return [first, ...differences.map(differenceLine), ...tableLines(rows)];
}
