/** Small pieces that all pages are made of. */
import { html } from 'hono/html';
import { span } from '../../cli/screen.ts';

/** Escaped: what is put into the template stays text, whatever it holds. */
export type Html = ReturnType<typeof html>;

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'calm';

/** Told by a sign and a word, too: never by colour alone. */
const SIGNS: Readonly<Record<Tone, string>> = { good: '✔', warn: '▲', bad: '✖', busy: '●', calm: '○' };

export function badge(tone: Tone, words: string): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${words}</span>`;
}

/** `2026-11-21 14:26:05 UTC`; today's without the date. */
export function when(iso: string, now?: Date): Html {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return html`unknown`;
  const text = time.toISOString();
  const words = text.slice(0, 10) === now?.toISOString().slice(0, 10) ? text.slice(11, 19) : text.slice(0, 19);
  return html`<time datetime="${text}">${words.replace('T', ' ')} UTC</time>`;
}

/** `12 s ago`; the script counts on. */
export function ago(atMs: number, now: Date): Html {
  const seconds = Math.max(0, (now.getTime() - atMs) / 1000);
  return html`<time datetime="${new Date(atMs).toISOString()}" data-age>${span(seconds)} ago</time>`;
}

/** What is missing, or went wrong: what, why, what to do. */
export function trouble(tone: 'warn' | 'bad', what: string, why: string, remedy: string): Html {
  return html`<div class="trouble ${tone}">
    <p>${badge(tone, what)}</p>
    <p>${why}</p>
    ${remedy === '' ? '' : html`<p><b>What to do:</b> ${remedy}</p>`}
  </div>`;
}

export const clusterPath = (name: string, rest = ''): string => `/ui/clusters/${encodeURIComponent(name)}${rest}`;
export const operationPath = (id: string): string => `/ui/operations/${encodeURIComponent(id)}`;

const OPERATION_TITLES: Readonly<Record<string, string>> = {
  upgrade: 'Upgrade',
  install: 'Fresh install',
  'global-maintenance': 'Global maintenance',
  'enter-host-maintenance': 'Host into maintenance',
  'leave-host-maintenance': 'Host out of maintenance',
  'rolling-host-update': 'Rolling host update',
  'add-host': 'Add a host',
  'remove-host': 'Remove a host',
  'edit-engine-vm': 'Edit the engine VM',
  backup: 'Backup',
  restore: 'Restore',
  reconcile: 'Reconcile',
};
export const operationTitle = (operation: string): string => OPERATION_TITLES[operation] ?? operation;

/** Its ticket, else its key, which the id ends with. */
export const operationLabel = ({ ticket, id }: { readonly ticket?: string; readonly id: string }): string =>
  ticket ?? id.split('/').at(-1) ?? id;

interface Part {
  /** Where the script gets it anew. */
  readonly from: string;
  readonly everyS: number;
  /** Where it is told of changes; asking is then only the second choice. */
  readonly events?: string;
  readonly id: string;
  readonly title: string;
  /** Read out when it changes. */
  readonly news: string;
  readonly stale?: boolean;
}

/** A part of a page that is kept up to date by itself. */
export function part({ from, everyS, events, id, title, news, stale }: Part, content: Html): Html {
  return html`<section
    id="${id}"
    class="part${stale === true ? ' stale' : ''}"
    aria-labelledby="${id}-title"
    data-from="${from}"
    data-every="${everyS}"
    data-events="${events ?? ''}"
    data-news="${news}"
  >
    <h2 id="${id}-title">${title}</h2>
    <p class="unreached" hidden></p>
    ${content}
  </section>`;
}
