import type { Condition, Expression, Operator, Search } from './parse.ts';
import { BadSearch } from './parse.ts';

/** Searchable fields of one object, names in lower case. A list matches when one of its members does. */
export type SearchRecord = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface SearchOptions {
  readonly caseSensitive: boolean;
  readonly max?: number;
  /** Order where the expression gives none. */
  readonly sortBy?: Search['sortBy'];
}

/** Page size where no `max` is given (`SearchResultsLimit`). */
const PAGE_SIZE = 100;
const SEVERITIES = ['normal', 'warning', 'error', 'alert'];

/**
 * Filters, sorts and pages (engine.md 5). Without `page` and `max` everything is returned.
 *
 * @throws {BadSearch} for a field the objects do not have
 */
export function search<T>(
  all: readonly T[],
  fieldsOf: (one: T) => SearchRecord,
  query: Search,
  options: SearchOptions,
): readonly T[] {
  const where = query.where;
  const found = all.filter((one) => where === undefined || holds(where, fieldsOf(one), options.caseSensitive));
  const order = query.sortBy ?? options.sortBy;
  if (order !== undefined) {
    const sign = order.descending ? -1 : 1;
    found.sort((a, b) => sign * compareFields(fieldsOf(a), fieldsOf(b), order.field));
  }
  const size = options.max !== undefined && options.max >= 0 ? options.max : undefined;
  if (query.page !== undefined) {
    const pageSize = size ?? PAGE_SIZE;
    return found.slice((query.page - 1) * pageSize, query.page * pageSize);
  }
  return size === undefined ? found : found.slice(0, size);
}

function compareFields(a: SearchRecord, b: SearchRecord, field: string): number {
  if (!Object.hasOwn(a, field)) throw new BadSearch(`unknown field '${field}'`);
  const [left, right] = [a[field], b[field]];
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return String(left ?? '').localeCompare(String(right ?? ''));
}

function holds(expression: Expression, record: SearchRecord, caseSensitive: boolean): boolean {
  if (expression.kind === 'condition') return conditionHolds(expression, record, caseSensitive);
  const parts = expression.parts.map((part) => holds(part, record, caseSensitive));
  return expression.kind === 'and' ? parts.every(Boolean) : parts.some(Boolean);
}

function conditionHolds(condition: Condition, record: SearchRecord, caseSensitive: boolean): boolean {
  const { field, operator, value } = condition;
  if (field === undefined) {
    // Free text is looked for anywhere inside a field.
    return Object.values(record).some((content) => compare(content, operator, `*${value}*`, caseSensitive, ''));
  }
  if (!Object.hasOwn(record, field)) throw new BadSearch(`unknown field '${field}'`);
  return compare(record[field], operator, value, caseSensitive, field);
}

function compare(
  content: SearchRecord[string],
  operator: Operator,
  value: string,
  caseSensitive: boolean,
  field: string,
): boolean {
  if (operator === '!=') return !compare(content, '=', value, caseSensitive, field);
  if (content === undefined) return false;
  if (typeof content === 'number')
    return compareNumbers(content, operator, field === 'time' ? timeOf(value) : Number(value));
  if (typeof content !== 'string') return content.some((one) => compare(one, operator, value, caseSensitive, field));
  if (operator === '=') return wildcard(value, caseSensitive).test(content);
  if (field === 'severity') {
    return compareNumbers(SEVERITIES.indexOf(content), operator, SEVERITIES.indexOf(value.toLowerCase()));
  }
  return compareNumbers(content.localeCompare(value), operator, 0);
}

function compareNumbers(left: number, operator: Operator, right: number): boolean {
  if (Number.isNaN(right)) return false;
  if (operator === '<') return left < right;
  if (operator === '>') return left > right;
  if (operator === '<=') return left <= right;
  if (operator === '>=') return left >= right;
  return left === right;
}

function timeOf(value: string): number {
  return /^\d{12,}$/.test(value) ? Number(value) : Date.parse(value);
}

function wildcard(value: string, caseSensitive: boolean): RegExp {
  const expression = value
    .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, caseSensitive ? 's' : 'is');
}
