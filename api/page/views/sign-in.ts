import { html } from 'hono/html';
import type { Html } from './words.ts';

/** @param wrong what to say of the last try */
export function signInForm(formToken: string, to: string, wrong?: string): Html {
  return html`<form class="card confirm" method="post" action="/ui/sign-in">
    <p>The token is a line of the front door’s token file. It is sent once; a cookie of 12 hours stands for it.</p>
    ${wrong === undefined ? '' : html`<p class="trouble bad" role="alert" id="wrong"><span aria-hidden="true">✖</span> ${wrong}</p>`}
    <input type="hidden" name="form" value="${formToken}" />
    <input type="hidden" name="to" value="${to}" />
    <p>
      <label for="token">Token</label>
      <input
        id="token"
        name="token"
        type="password"
        required
        autocomplete="current-password"
        ${wrong === undefined ? '' : html`aria-invalid="true" aria-describedby="wrong"`}
      />
    </p>
    <p class="buttons"><button>Sign in</button></p>
  </form>`;
}
