/** Before anything is changed: what it will do, why, and who says so. */
import { html } from 'hono/html';
import type { Visitor } from '../session.ts';
import type { Html } from './words.ts';

export interface Confirmation {
  /** Where the form goes. */
  readonly action: string;
  /** What will happen, a paragraph each. */
  readonly what: readonly (string | Html)[];
  /** The words on the button. */
  readonly button: string;
  readonly back: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields?: Html;
  readonly visitor: Visitor;
}

function nameField({ name }: Visitor): Html {
  if (name !== undefined) return html`<p>It is kept in the history as done by <b>${name}</b>.</p>`;
  return html`<p>
    <label for="by">Your name (kept in the history)</label>
    <input id="by" name="by" required maxlength="80" autocomplete="name" />
  </p>`;
}

export function confirmForm({ action, what, button, back, hidden, fields, visitor }: Confirmation): Html {
  const values = { ...hidden, form: visitor.formToken };
  return html`<form class="card confirm" method="post" action="${action}">
    ${what.map((paragraph) => html`<p>${paragraph}</p>`)}
    ${Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    ${fields ?? ''} ${nameField(visitor)}
    <p>
      <label for="reason">Reason (kept in the history)</label>
      <input id="reason" name="reason" maxlength="250" autocomplete="off" />
    </p>
    <p class="buttons">
      <button>${button}</button>
      <a class="button quiet" href="${back}">Back, change nothing</a>
    </p>
  </form>`;
}

/** Until when global maintenance lasts: each choice is a time, so that sending the form twice asks for the same. */
export function untilField(now: Date): Html {
  const choices = [0.5, 1, 2, 4, 8, 24].map((hours) => new Date(now.getTime() + hours * 3_600_000));
  const words = ['30 minutes', '1 hour', '2 hours', '4 hours', '8 hours', '24 hours'];
  const clock = (time: Date) => time.toISOString().slice(0, 16).replace('T', ' ');
  return html`<p>
      <label for="until">It ends by itself after</label>
      <select id="until" name="until">
        ${choices.map(
          (time, index) =>
            html`<option value="${time.toISOString()}" ${index === 2 ? 'selected' : ''}>
              ${words[index]} (at ${clock(time)} UTC)
            </option>`,
        )}
        <option value="">never: until somebody ends it</option>
      </select>
    </p>
    <p>
      <label for="at">or at this time (UTC)</label>
      <input id="at" name="at" type="datetime-local" />
    </p>`;
}
