/** Openings as iCalendar, for a team's calendar. */
import ICAL from 'ical.js';
import { windowId, type Opening, type WindowDefinition } from '../../workflows/model/window.ts';

export interface CalendarEntry {
  readonly definition: WindowDefinition;
  readonly opening: Opening;
}

const utc = (ms: number): ICAL.Time => ICAL.Time.fromJSDate(new Date(ms), true);

function eventOf({ definition, opening }: CalendarEntry, now: Date): ICAL.Component {
  const { cluster, name, operations, globalMaintenance, ticket } = definition;
  const event = new ICAL.Component('vevent');
  const maintenance = globalMaintenance ? ['global maintenance'] : [];
  const what = [...maintenance, ...operations.map(({ operation }) => operation)].join(', ');
  event.addPropertyWithValue('uid', `${windowId(cluster, name)}/${opening.at}@bellwether`);
  event.addPropertyWithValue('dtstamp', utc(now.getTime()));
  event.addPropertyWithValue('dtstart', utc(opening.at));
  event.addPropertyWithValue('dtend', utc(opening.until));
  event.addPropertyWithValue('summary', `Maintenance window ${name}: ${cluster}`);
  event.addPropertyWithValue('description', ticket === undefined ? what : `${what} (${ticket})`);
  return event;
}

/** One calendar with an event per opening. */
export function calendarOf(entries: readonly CalendarEntry[], now: Date): string {
  const calendar = new ICAL.Component('vcalendar');
  calendar.addPropertyWithValue('version', '2.0');
  calendar.addPropertyWithValue('prodid', '-//Bellwether//Maintenance windows//EN');
  for (const entry of entries) calendar.addSubcomponent(eventOf(entry, now));
  return `${calendar.toString()}\r\n`;
}
