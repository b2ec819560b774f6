/** When a window opens, in people's words or as a cron line, to calendars. All fields of a calendar must match. */
import type { CalendarRule, NumberRange } from '../../workflows/model/calendar.ts';

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly what: string; readonly remedy: string };

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const EVERY_REMEDY = 'Write days and a time, e.g. "sat 22:00", "mon-fri 01:30", "sat,sun 03:00" or "day 02:00".';
const CRON_REMEDY = 'Five fields: minute hour day-of-month month day-of-week, e.g. "0 22 * * 6". Both days must match.';

const all = (min: number, max: number): NumberRange[] => [{ start: min, end: max, step: 1 }];
const one = (value: number): NumberRange[] => [{ start: value, end: value, step: 1 }];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of values, from `min` on. */
  readonly names?: readonly string[];
}

const MINUTE: Field = { name: 'minute', min: 0, max: 59 };
const HOUR: Field = { name: 'hour', min: 0, max: 23 };
const DAY_OF_MONTH: Field = { name: 'day of month', min: 1, max: 31 };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS };
/** 7 is Sunday too. */
const DAY_OF_WEEK: Field = { name: 'day of week', min: 0, max: 7, names: DAYS };

function valueOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase().slice(0, 3)) ?? -1;
  if (named >= 0 && /^[a-z]{3,9}$/i.test(text)) return named + min;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** `*`, `5`, `1-5`, `*\/15`, `mon-fri`; undefined when it is none. */
function rangeOf(text: string, field: Field): NumberRange | undefined {
  const [, range = '', stepText = '1'] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const step = Number(stepText);
  if (step < 1) return undefined;
  if (range === '*') return { start: field.min, end: field === DAY_OF_WEEK ? 6 : field.max, step };
  const [first = '', last] = range.split('-');
  const start = valueOf(first, field);
  const end = last === undefined ? (text.includes('/') ? field.max : start) : valueOf(last, field);
  return start === undefined || end === undefined || range.split('-').length > 2 ? undefined : { start, end, step };
}

/** Around the week's end (`fri-mon`), and Sunday as 7. */
function daysOfWeek({ start, end, step }: NumberRange): NumberRange[] {
  const days = new Set<number>();
  const last = end < start ? end + 7 : end;
  for (let day = start; day <= last; day += step) days.add(day % 7);
  return [...days].toSorted((a, b) => a - b).flatMap(one);
}

function fieldOf(text: string, field: Field): NumberRange[] | undefined {
  const ranges: NumberRange[] = [];
  for (const part of text.split(',')) {
    const range = rangeOf(part, field);
    if (range === undefined) return undefined;
    if (field === DAY_OF_WEEK) ranges.push(...daysOfWeek(range));
    else if (range.end < range.start) return undefined;
    else ranges.push(range);
  }
  return ranges;
}

/** A line of cron, five fields. */
export function readCron(text: string): Read<CalendarRule> {
  const fields = text.trim().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = [MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK].map(
    (field, index) => fieldOf(fields[index] ?? '', field),
  );
  if (fields.length !== 5 || !minute || !hour || !dayOfMonth || !month || !dayOfWeek)
    return { ok: false, what: `"${text}" is no line of cron`, remedy: CRON_REMEDY };
  return { ok: true, value: { minute, hour, dayOfMonth, month, dayOfWeek } };
}

function timeOf(text: string): { hour: NumberRange[]; minute: NumberRange[] } | undefined {
  const [, hour = '', minute = ''] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hour === '' ? undefined : { hour: one(Number(hour)), minute: one(Number(minute)) };
}

/** `sat 22:00`, `mon-fri 01:30`, `day 02:00`. */
export function readEvery(text: string): Read<CalendarRule> {
  const [days = '', clock = '', ...more] = text.trim().toLowerCase().split(/\s+/);
  const time = timeOf(clock);
  const dayOfWeek = days === 'day' ? all(0, 6) : /^[a-z]/.test(days) ? fieldOf(days, DAY_OF_WEEK) : undefined;
  if (time === undefined || dayOfWeek === undefined || more.length > 0)
    return { ok: false, what: `"${text}" is no day and time`, remedy: EVERY_REMEDY };
  return { ok: true, value: { ...time, dayOfMonth: all(1, 31), month: all(1, 12), dayOfWeek } };
}

/** `2026-12-05 22:00`, once. */
export function readAt(text: string): Read<CalendarRule> {
  const [, year, month, day, clock = ''] = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d:\d\d)$/.exec(text.trim()) ?? [];
  const time = timeOf(clock);
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (time === undefined || Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day))
    return { ok: false, what: `"${text}" is no local time`, remedy: 'Write date and time, e.g. "2026-12-05 22:00".' };
  const [dayOfMonth, ofMonth, ofYear] = [one(Number(day)), one(Number(month)), one(Number(year))];
  return { ok: true, value: { ...time, dayOfMonth, month: ofMonth, year: ofYear, dayOfWeek: all(0, 6) } };
}
