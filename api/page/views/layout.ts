/** What is around each page. */
import { html } from 'hono/html';
import type { Visitor } from '../session.ts';
import { clusterPath, type Html } from './words.ts';

export interface Around {
  readonly title: string;
  readonly now: Date;
  readonly clusters: readonly string[];
  /** The one that the page is about. */
  readonly cluster?: string;
  /** Undefined: nobody is signed in. */
  readonly visitor?: Visitor;
}

function link(path: string, words: string, here: string): Html {
  return path === here
    ? html`<li><a href="${path}" aria-current="page">${words}</a></li>`
    : html`<li><a href="${path}">${words}</a></li>`;
}

function navigation({ clusters }: Around, here: string): Html {
  return html`<nav aria-label="Pages">
    <ul>
      ${clusters.map((name) => link(clusterPath(name), `Cluster ${name}`, here))}
      ${link('/ui/windows', 'Windows', here)} ${link('/ui/deliveries', 'Deliveries', here)}
    </ul>
  </nav>`;
}

function person({ role, name, via, formToken }: Visitor): Html {
  const who = `${name ?? (via === 'loopback' ? 'this machine' : 'signed in')}, ${role}`;
  if (via !== 'cookie') return html`<p class="who">${who}</p>`;
  return html`<form class="who" method="post" action="/ui/sign-out">
    <input type="hidden" name="form" value="${formToken}" />
    <span>${who}</span> <button class="quiet">Sign out</button>
  </form>`;
}

/** A whole page. `here`: its path, for the navigation. */
export function layout(around: Around, here: string, content: Html): Html {
  const { title, now, visitor } = around;
  return html`<!doctype html>
    <html lang="en" data-now="${now.toISOString()}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Bellwether</title>
        <link rel="icon" href="/ui/icon.svg" />
        <link rel="stylesheet" href="/ui/style.css" />
        <script src="/ui/page.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>
          <a class="brand" href="/ui/">Bellwether</a>
          ${visitor === undefined ? '' : [navigation(around, here), person(visitor)]}
        </header>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          <p id="news" class="unseen" role="status" aria-live="polite"></p>
          ${content}
        </main>
        <footer>
          ${here === '/api' ? '' : html`<a href="/api">API reference</a>`} <a href="/openapi.json">OpenAPI document</a>
        </footer>
      </body>
    </html>`;
}
