/**
 * When a calendar matches, in a time zone: the same times as Temporal's own (its `calendar.go`), so that what is shown
 * before a window exists is what happens afterwards. All fields must match. A local time that a change of the clocks
 * leaves out is left out; one that comes twice matches twice.
 */

export interface NumberRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface CalendarRule {
  readonly minute: readonly NumberRange[];
  readonly hour: readonly NumberRange[];
  readonly dayOfMonth: readonly NumberRange[];
  /** From 1. */
  readonly month: readonly NumberRange[];
  /** Sunday is 0. */
  readonly dayOfWeek: readonly NumberRange[];
  /** Any when missing. */
  readonly year?: readonly NumberRange[];
}

/** Seconds are always 0. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A rule that matches nothing for so long matches nothing for people either (29 February comes every eight years at worst). */
const DAYS_MAX = 366 * 9;

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError for a zone that nobody knows */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}

/** Whether it is a name of the IANA database; offsets like +02:00 know no summer time and are none. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false;
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** The local time as if it were UTC, in milliseconds. */
function localMs(zone: string, at: number): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((type) => parts.get(type));
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** All instants that the clocks of the zone show as this time: none, one or two. */
export function instantsOf(zone: string, { year, month, day, hour, minute }: LocalTime): number[] {
  const wanted = Date.UTC(year, month - 1, day, hour, minute);
  const offsets = [wanted - DAY_MS, wanted + DAY_MS].map((near) => localMs(zone, near) - near);
  const found = new Set(offsets.map((offset) => wanted - offset).filter((at) => localMs(zone, at) === wanted));
  return [...found].toSorted((a, b) => a - b);
}

/** The first instant that is not before the local time: where a day begins, even when its midnight is left out. */
export function instantFrom(zone: string, time: LocalTime): number {
  const [first] = instantsOf(zone, time);
  if (first !== undefined) return first;
  const before = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute) - DAY_MS;
  const offset = localMs(zone, before) - before;
  return before + DAY_MS - offset;
}

const within = (ranges: readonly NumberRange[], value: number): boolean =>
  ranges.some(({ start, end, step }) => value >= start && value <= end && (value - start) % step === 0);

const numbers = (ranges: readonly NumberRange[], max: number): number[] =>
  Array.from({ length: max }, (_, value) => value).filter((value) => within(ranges, value));

/** Openings of one rule on one local day. */
function onDay(rule: CalendarRule, zone: string, day: Date): number[] {
  const date = { year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() };
  const matches =
    (rule.year === undefined || within(rule.year, date.year)) &&
    within(rule.month, date.month) &&
    within(rule.dayOfMonth, date.day) &&
    within(rule.dayOfWeek, day.getUTCDay());
  if (!matches) return [];
  return numbers(rule.hour, 24).flatMap((hour) =>
    numbers(rule.minute, 60).flatMap((minute) => instantsOf(zone, { ...date, hour, minute })),
  );
}

/** The times at which one of the rules matches, after `after`, in order. */
export function* matchingTimes(rules: readonly CalendarRule[], zone: string, after: number): Generator<number> {
  const today = Math.floor(localMs(zone, after) / DAY_MS) * DAY_MS;
  for (let day = 0; day < DAYS_MAX; day += 1) {
    const date = new Date(today + day * DAY_MS);
    const times = new Set(rules.flatMap((rule) => onDay(rule, zone, date)));
    yield* [...times].filter((at) => at > after).toSorted((a, b) => a - b);
  }
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Sat 2026-11-21 22:00 +01:00`: on the clocks of the zone. */
export function localText(zone: string, at: number): string {
  const local = localMs(zone, at);
  const offset = Math.round((local - Math.floor(at / 1000) * 1000) / MINUTE_MS);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const sign = offset < 0 ? '-' : '+';
  const [date = '', time = ''] = new Date(local).toISOString().split('T');
  const zoneText = `${sign}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${WEEKDAYS[new Date(local).getUTCDay()]} ${date} ${time.slice(0, 5)} ${zoneText}`;
}
