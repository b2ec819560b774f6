/** Applies a mapping to a body, and keeps what was found where, so that `webhook test` can show it. */
import type { ProblemError } from '../problems.ts';
import type { Condition, MappedValue, Mapping, Scalar } from './mapping.ts';
import { valueAt } from './pointer.ts';

export interface ConditionTrace {
  readonly path: string;
  /** The test in words. */
  readonly test: string;
  /** What the body has there; missing when it has nothing. */
  readonly found?: unknown;
  readonly holds: boolean;
}

export interface FieldTrace {
  /** `change.memoryMiB` */
  readonly field: string;
  readonly path?: string;
  readonly found?: unknown;
  readonly value?: unknown;
  readonly how: 'found' | 'mapped' | 'default' | 'left-out' | 'literal' | 'problem';
  readonly problem?: string;
}

export interface Mapped {
  readonly when: readonly ConditionTrace[];
  /** Empty when a condition does not hold. */
  readonly fields: readonly FieldTrace[];
  readonly matched: boolean;
  readonly request: Readonly<Record<string, unknown>>;
  readonly errors: readonly ProblemError[];
}

/** A value for people, short. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function holds(condition: Condition, body: unknown): boolean {
  const value = valueAt(body, condition.path);
  const isOneOf = (wanted: readonly Scalar[]) => wanted.some((one) => one === value);
  if (condition.equals !== undefined) return isOneOf([condition.equals]);
  if (condition.in !== undefined) return isOneOf(condition.in);
  if (condition.exists !== undefined) return isNothing(value) !== condition.exists;
  const { some } = condition;
  return some !== undefined && Array.isArray(value) && value.some((item) => some.every((one) => holds(one, item)));
}

function testWords({ equals, in: list, exists, some = [] }: Condition): string {
  if (equals !== undefined) return `is ${JSON.stringify(equals)}`;
  if (list !== undefined) return `is one of ${list.map((one) => JSON.stringify(one)).join(', ')}`;
  if (exists !== undefined) return exists ? 'is there' : 'is not there';
  return `has an element where ${some.map((one) => `${one.path} ${testWords(one)}`).join(' and ')}`;
}

/** Ticket systems write an empty field in each of these ways. */
function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

const TO_BOOLEAN: Readonly<Record<string, boolean>> = { true: true, false: false };

function converted(value: unknown, { as, max, prefix = '' }: MappedValue): unknown {
  const text = String(value);
  if (as === 'number' && typeof value === 'string') return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
  if (as === 'boolean' && typeof value === 'string')
    return Object.hasOwn(TO_BOOLEAN, text) ? TO_BOOLEAN[text] : undefined;
  const wanted = as === 'text' && (typeof value === 'number' || typeof value === 'boolean') ? text : value;
  if (typeof wanted !== 'string') return wanted;
  const whole = `${prefix}${wanted}`;
  return max === undefined ? whole : Array.from(whole).slice(0, max).join('');
}

/** The field from the body by its pointer. */
function fromPath(field: string, path: string, rule: MappedValue, body: unknown): FieldTrace {
  const found = valueAt(body, path);
  const base = { field, path, ...(found === undefined ? {} : { found }) };
  if (isNothing(found)) {
    if (rule.default !== undefined) return { ...base, how: 'default', value: rule.default };
    if (rule.optional === true) return { ...base, how: 'left-out' };
    return { ...base, how: 'problem', problem: `the body has nothing at ${path}` };
  }
  const { map } = rule;
  const isKey = typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean';
  if (map !== undefined && !(isKey && Object.hasOwn(map, String(found)))) {
    const known = Object.keys(map)
      .map((one) => JSON.stringify(one))
      .join(', ');
    return { ...base, how: 'problem', problem: `${path} is ${shown(found)}, and the map has only ${known}` };
  }
  const value = converted(map === undefined ? found : map[String(found)], rule);
  if (value === undefined) return { ...base, how: 'problem', problem: `${path} is ${shown(found)}: no ${rule.as}` };
  return { ...base, how: map === undefined ? 'found' : 'mapped', value };
}

function traceOf(field: string, rule: MappedValue, body: unknown): FieldTrace[] {
  if (rule.path !== undefined) return [fromPath(field, rule.path, rule, body)];
  if (rule.fields === undefined) return [{ field, how: 'literal', value: rule.literal }];
  return Object.entries(rule.fields).flatMap(([name, inner]) => traceOf(`${field}.${name}`, inner, body));
}

/** The template filled with the traced values; what was left out has no key. */
function filled(fields: Mapping['request'], prefix: string, values: ReadonlyMap<string, unknown>) {
  const entries = Object.entries(fields).flatMap(([name, rule]): [string, unknown][] => {
    const field = `${prefix}${name}`;
    if (rule.fields !== undefined) return [[name, filled(rule.fields, `${field}.`, values)]];
    return values.has(field) ? [[name, values.get(field)]] : [];
  });
  return Object.fromEntries(entries);
}

/** What the mapping makes of the body: nothing to do, a request to be checked, or what is missing for one. */
export function applyMapping(mapping: Mapping, body: unknown): Mapped {
  const when = mapping.when.map((condition): ConditionTrace => {
    const found = valueAt(body, condition.path);
    const { path } = condition;
    return {
      path,
      test: testWords(condition),
      ...(found === undefined ? {} : { found }),
      holds: holds(condition, body),
    };
  });
  if (when.some((one) => !one.holds)) return { when, fields: [], matched: false, request: {}, errors: [] };
  const fields = Object.entries(mapping.request).flatMap(([name, rule]) => traceOf(name, rule, body));
  const errors = fields.flatMap(({ field, problem }) =>
    problem === undefined ? [] : [{ path: field, what: problem }],
  );
  const values = new Map(
    fields.filter(({ how }) => how !== 'left-out' && how !== 'problem').map(({ field, value }) => [field, value]),
  );
  return { when, fields, matched: true, request: filled(mapping.request, '', values), errors };
}

/** Why the delivery asks for nothing. */
export function unmatchedWords(mapped: Mapped): string {
  const unmet = mapped.when.filter((one) => !one.holds);
  return unmet.map(({ path, test, found }) => `${path} is ${shown(found)}; wanted: ${test}`).join('. ');
}
