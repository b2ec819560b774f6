/** Times without openings: days in words, and the events of a change calendar (iCalendar). */
import ICAL from 'ical.js';
import { instantFrom, isTimeZone } from '../../workflows/model/calendar.ts';
import type { WindowFreeze } from '../../workflows/model/window.ts';
import type { Read } from './when.ts';

/** Repetitions of a calendar's events are known for so long; then the window wants the calendar again. */
export const FREEZE_DAYS = 400;
export const FREEZES_MAX = 500;
const DAY_MS = 86_400_000;
/** A rule that repeats each second must not hold up the front door. */
const REPETITIONS_MAX = 20_000;

const EXCEPT_REMEDY =
  'Write a day or two with .. between, e.g. 2026-12-24 or 2026-12-24..2027-01-02 (the last one included).';

const iso = (ms: number): string => new Date(ms).toISOString();

function dayStart(zone: string, date: Date): number {
  const time = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  return instantFrom(zone, { ...time, hour: 0, minute: 0 });
}

/** `2026-12-24..2027-01-02`: whole days in the window's zone. */
export function readExcept(text: string, zone: string): Read<WindowFreeze> {
  const [, first = '', last = first] = /^(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?$/.exec(text.trim()) ?? [];
  const [from, to] = [first, last].map((day) => new Date(`${day}T00:00:00Z`));
  const real = (date: Date | undefined, day: string) =>
    date !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
  if (from === undefined || to === undefined || first === '' || !real(from, first) || !real(to, last))
    return { ok: false, what: `"${text}" names no days`, remedy: EXCEPT_REMEDY };
  if (to < from) return { ok: false, what: `"${text}" ends before it begins`, remedy: EXCEPT_REMEDY };
  const end = dayStart(zone, new Date(to.getTime() + DAY_MS));
  return { ok: true, value: { from: iso(dayStart(zone, from)), to: iso(end), summary: text.trim() } };
}

/** Floating times and whole days are those of the window's zone; a zone that is known by name needs no VTIMEZONE. */
function instantOf(time: ICAL.Time, zone: string, tzid: string | undefined): number {
  if (!time.isDate && time.zone === ICAL.Timezone.utcTimezone) return time.toJSDate().getTime();
  const named = tzid !== undefined && isTimeZone(tzid);
  if (!time.isDate && tzid !== undefined && !named && time.zone !== ICAL.Timezone.localTimezone)
    return time.toUnixTime() * 1000;
  const { year, month, day } = time;
  const at = { year, month, day, hour: time.isDate ? 0 : time.hour, minute: time.isDate ? 0 : time.minute };
  return instantFrom(!time.isDate && named ? tzid : zone, at);
}

function zoneOf(event: ICAL.Event): string | undefined {
  const value: unknown = event.component.getFirstProperty('dtstart')?.getParameter('tzid');
  return typeof value === 'string' ? value : undefined;
}

interface Span {
  readonly zone: string;
  readonly from: number;
  readonly to: number;
}

function* repetitions(event: ICAL.Event, span: Span): Generator<WindowFreeze> {
  const summaryOf = (text: string | null) => (text ?? '').trim() || 'without a name';
  if (!event.isRecurring()) {
    const [from, to] = [event.startDate, event.endDate].map((time) => instantOf(time, span.zone, zoneOf(event)));
    if (from !== undefined && to !== undefined && to > span.from && from < span.to && to > from)
      yield { from: iso(from), to: iso(to), summary: summaryOf(event.summary) };
    return;
  }
  const iterator = event.iterator();
  for (let count = 0; count < REPETITIONS_MAX; count += 1) {
    const next = iterator.next();
    if (!next) return;
    const { startDate, endDate, item } = event.getOccurrenceDetails(next);
    const [from = 0, to = 0] = [startDate, endDate].map((time) => instantOf(time, span.zone, zoneOf(event)));
    if (from >= span.to) return;
    if (to > span.from && to > from) yield { from: iso(from), to: iso(to), summary: summaryOf(item.summary) };
  }
  throw new Error(`"${summaryOf(event.summary)}" repeats more than ${REPETITIONS_MAX} times`);
}

function eventsOf(root: ICAL.Component): ICAL.Event[] {
  for (const zone of root.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
  const events = root
    .getAllSubcomponents('vevent')
    .filter((one) => String(one.getFirstPropertyValue('status') ?? '').toUpperCase() !== 'CANCELLED')
    .map((one) => new ICAL.Event(one));
  const masters = events.filter((event) => !event.isRecurrenceException());
  // One repetition that was moved is another VEVENT of the same UID.
  for (const moved of events.filter((event) => event.isRecurrenceException()))
    masters.find((event) => event.uid === moved.uid)?.relateException(moved);
  return masters;
}

/** The events of a calendar in the next 400 days. */
export function readCalendar(text: string, zone: string, now: Date): Read<WindowFreeze[]> {
  const remedy = 'Send an iCalendar file (RFC 5545) with VEVENTs, as calendars export it.';
  try {
    const root = ICAL.Component.fromString(text);
    if (root.name !== 'vcalendar') return { ok: false, what: `it is a ${root.name}, no calendar`, remedy };
    const span = { zone, from: now.getTime(), to: now.getTime() + FREEZE_DAYS * DAY_MS };
    const freezes = eventsOf(root).flatMap((event) => [...repetitions(event, span)]);
    if (freezes.length > FREEZES_MAX)
      return { ok: false, what: `${freezes.length} freezes in ${FREEZE_DAYS} days`, remedy: `At most ${FREEZES_MAX}.` };
    return { ok: true, value: freezes };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, what: `the calendar can’t be read: ${why.slice(0, 200)}`, remedy };
  }
}
