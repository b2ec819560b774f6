/** What came by webhook, per source: the last ones, and the last that was refused with its reason. */
import { html } from 'hono/html';
import type { DeliveryList, DeliveryRecord, Verdict } from '../../webhooks/deliveries.ts';
import { badge, operationPath, part, trouble, when, type Html, type Tone } from './words.ts';

const TONES: Readonly<Record<Verdict, Tone>> = {
  accepted: 'good',
  duplicate: 'calm',
  'nothing-to-do': 'calm',
  refused: 'bad',
};
const PER_SOURCE = 5;

function row({ time, verdict, reason, operation, status }: DeliveryRecord, now: Date): Html {
  return html`<li>
    ${badge(TONES[verdict], verdict)} ${when(time, now)}, answered ${status}
    ${operation === undefined ? '' : html`<a href="${operationPath(operation)}">${operation}</a>`} ${reason ?? ''}
  </li>`;
}

function source(name: string, { deliveries, lastRefused }: DeliveryList, now: Date): Html {
  const rows = deliveries.filter((one) => one.source === name).slice(0, PER_SOURCE);
  const refused = lastRefused.find((one) => one.source === name);
  return html`<article class="card">
    <h3>${name}</h3>
    ${
      rows.length === 0
        ? html`<p>Nothing came yet.</p>`
        : html`<ul class="rows">
            ${rows.map((one) => row(one, now))}
          </ul>`
    }
    ${
      refused === undefined
        ? ''
        : trouble(
            'warn',
            'Last refused',
            `${new Date(refused.time).toISOString().slice(0, 19).replace('T', ' ')} UTC: ${refused.reason ?? 'no reason is kept'}`,
            `/problems/${(refused.reason ?? '').split(':')[0] ?? ''} says what to do; npx bellwether webhook test tries a delivery offline.`,
          )
    }
  </article>`;
}

export function deliveriesPart(sources: readonly string[], list: DeliveryList, now: Date): Html {
  const names = [...new Set([...sources, ...list.deliveries.map((one) => one.source)])];
  const [newest] = list.deliveries;
  return part(
    {
      id: 'deliveries',
      title: 'Webhook deliveries',
      from: '/ui/deliveries?part=1',
      everyS: 10,
      news: newest === undefined ? '' : `Newest delivery: ${newest.source}, ${newest.verdict}`,
    },
    names.length === 0
      ? html`<p>No source of webhooks is configured.</p>`
      : html`<div class="cards">${names.map((name) => source(name, list, now))}</div>`,
  );
}
