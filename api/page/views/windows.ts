/** Maintenance windows with their next opening and how the last one ended. */
import { html } from 'hono/html';
import type { WindowReport } from '../../windows/ports.ts';
import { badge, operationTitle, part, trouble, when, type Html } from './words.ts';

/** Undefined windows: Temporal does not answer, and `failure` says why. */
export interface WindowsSeen {
  readonly windows?: readonly WindowReport[];
  readonly failure?: string;
}

function next({ next, open, paused }: WindowReport, now: Date): Html {
  if (open) return badge('busy', 'open now');
  if (paused !== undefined) return html`${badge('warn', 'paused')} ${paused}`;
  if (next === undefined) return html`does not open any more`;
  return html`${when(next.opensAt, now)} to ${when(next.closesAt, now)} (${next.local})`;
}

function last({ last }: WindowReport, now: Date): Html {
  const [latest] = last;
  if (latest === undefined) return html`never opened`;
  return html`${latest.state}, ${when(latest.openedAt, now)}${latest.outcome === undefined ? '' : `: ${latest.outcome}`}`;
}

function card(window: WindowReport, now: Date): Html {
  const { cluster, name, when: rule, timeZone, lengthMinutes, operations, globalMaintenance } = window;
  const what = operations.map(({ operation }) => operationTitle(operation)).join(', ');
  return html`<article class="card">
    <h3>${cluster}: ${name}</h3>
    <dl>
      <dt>Next</dt>
      <dd>${next(window, now)}</dd>
      <dt>Last</dt>
      <dd>${last(window, now)}</dd>
      <dt>Opens</dt>
      <dd>${rule} (${timeZone}), for ${lengthMinutes} minutes</dd>
      <dt>Runs</dt>
      <dd>${what === '' ? 'nothing' : what}${globalMaintenance ? ', in global maintenance' : ''}</dd>
    </dl>
  </article>`;
}

export function windowsPart({ windows, failure }: WindowsSeen, now: Date): Html {
  const failed =
    failure === undefined
      ? ''
      : trouble('bad', 'Temporal does not answer', failure, 'The page tries again by itself. See GET /readyz.');
  const shown = windows ?? [];
  const none = html`<p>There is none. Make one: <code>npx bellwether window create --help</code></p>`;
  return part(
    {
      id: 'windows',
      title: 'Maintenance windows',
      from: '/ui/windows?part=1',
      everyS: 30,
      news: `${shown.length} windows, ${shown.filter(({ open }) => open).length} open`,
      stale: failure !== undefined,
    },
    html`${failed}
      <div class="last">
        ${shown.length === 0 ? (failure === undefined ? none : '') : html`<div class="cards">${shown.map((one) => card(one, now))}</div>`}
      </div>`,
  );
}
