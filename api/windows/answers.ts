/** Windows and their openings as the API shows them. */
import { localText } from '../../workflows/model/calendar.ts';
import { openings, windowId, type Opening, type WindowDefinition } from '../../workflows/model/window.ts';
import type { KnownWindow, WindowOpening, WindowReport } from './ports.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

export function openingOf({ timeZone }: WindowDefinition, { at, until, freeze }: Opening): WindowOpening {
  return {
    opensAt: iso(at),
    closesAt: iso(until),
    local: localText(timeZone, at),
    ...(freeze === undefined ? {} : { skipped: `freeze ${freeze.summary}` }),
  };
}

/** The next openings by our own reckoning. `held`: only those that no freeze leaves out. */
export function upcoming(definition: WindowDefinition, after: Date, count: number, held = false): Opening[] {
  const found: Opening[] = [];
  for (const opening of openings(definition, after.getTime())) {
    if (!held || opening.freeze === undefined) found.push(opening);
    if (found.length >= count) break;
  }
  return found;
}

export function reportOf({ input: { definition }, paused, open, last }: KnownWindow, now: Date): WindowReport {
  const { calendars: _calendars, freezes, version: _version, createdAt: _createdAt, ...shown } = definition;
  const [next] = paused === undefined ? upcoming(definition, now, 1, true) : [];
  return {
    ...shown,
    id: windowId(definition.cluster, definition.name),
    freezes: freezes.length,
    ...(paused === undefined ? {} : { paused }),
    ...(next === undefined ? {} : { next: openingOf(definition, next) }),
    open,
    last,
  };
}
