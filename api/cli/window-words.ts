/** Windows and openings in plain lines. Pure. */
import type { WindowPreview } from '../schemas/window.ts';
import type { PastOpening, WindowOpening, WindowReport } from '../windows/ports.ts';

const utc = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;

/** `Sat 2026-11-28 22:00 +01:00   2026-11-28 21:00 UTC to 2026-11-29 01:00 UTC   skipped: freeze Christmas` */
export function openingLine({ local, opensAt, closesAt, skipped }: WindowOpening): string {
  const times = `${local}   ${utc(opensAt)} to ${utc(closesAt)}`;
  return skipped === undefined ? times : `${times}   skipped: ${skipped}`;
}

export function previewLines({ timeZone, openings, computedBy }: WindowPreview): string[] {
  const by = computedBy === 'temporal' ? 'Temporal’s own reckoning' : 'nothing was created';
  const rows = openings.map((one) => `  ${openingLine(one)}`);
  return [`next openings (${timeZone}; ${by})`, ...(rows.length === 0 ? ['  none'] : rows)];
}

function pastLine({ openedAt, state, outcome }: PastOpening): string {
  const words = state.replace('-', ' ');
  return `${utc(openedAt)}  ${words}${outcome === undefined ? '' : `  ${outcome}`}`;
}

function nextText({ paused, open, next }: WindowReport): string {
  if (open) return 'open now';
  if (paused !== undefined) return `paused (${paused})`;
  return next === undefined ? 'no opening to come' : `next ${openingLine(next)}`;
}

/** The window in a few lines. */
export function windowLines(window: WindowReport): string[] {
  const { name, cluster, when, timeZone, lengthMinutes, jitterMinutes, catchUpMinutes, overlap, freezes } = window;
  const maintenance = window.globalMaintenance ? 'on while it is open' : 'not asked for';
  return [
    `${window.id}  ${nextText(window)}`,
    `  opens:       ${when} (${timeZone}), for ${lengthMinutes} min; up to ${catchUpMinutes} min late if missed, overlap ${overlap}, jitter ${jitterMinutes} min`,
    `  maintenance: ${maintenance}`,
    `  runs:        ${window.operations.map(({ operation }) => operation).join(', then ')}`,
    ...(window.ticket === undefined ? [] : [`  ticket:      ${window.ticket}`]),
    `  created by:  ${window.createdBy}`,
    `  freezes:     ${freezes === 0 ? 'none' : `${freezes} known (npx bellwether window preview ${name} --cluster ${cluster})`}`,
    ...(window.last.length === 0 ? ['  no opening yet'] : window.last.map((past) => `  opened ${pastLine(past)}`)),
  ];
}

/** One line a window. */
export function listLine(window: WindowReport): string {
  const [past] = window.last;
  const last = past === undefined ? 'no opening yet' : `last ${past.state.replace('-', ' ')}`;
  return `${window.id.padEnd(32)} ${nextText(window)}   ${last}`;
}
