/** A refusal, for people: what was refused, why, what to do. */
import { html } from 'hono/html';
import { isProblemName, problemPage, type ProblemDetails } from '../../problems.ts';
import type { Html } from './words.ts';

export function problemView({ type, detail, errors, instance }: ProblemDetails): Html {
  const name = type.replace('/problems/', '');
  const [, ...page] = isProblemName(name) ? problemPage(name).trim().split('\n') : [];
  return html`<div class="card">
    <p role="alert"><b>${detail}</b></p>
    ${
      errors === undefined
        ? ''
        : html`<ul>
            ${errors.map(({ path, what, remedy }) => html`<li>${path === undefined ? '' : `${path}: `}${what}${remedy === undefined ? '' : ` (${remedy})`}</li>`)}
          </ul>`
    }
    ${page.filter(Boolean).map((line) => html`<p>${line}</p>`)}
    <p class="quiet">${instance ?? ''}</p>
    <p><a href="/ui/">To the status page</a></p>
  </div>`;
}
