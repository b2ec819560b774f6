/** GitHub: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries. It never sends again by itself. */
import { verifyHmac, type HmacRecipe } from './hmac.ts';
import type { Scheme } from './scheme.ts';

const RECIPE: HmacRecipe = {
  header: 'x-hub-signature-256',
  prefix: 'sha256=',
  encoding: 'hex',
  algorithm: 'sha256',
  signed: '{body}',
  // Kept when somebody presses "Redeliver".
  id: { header: 'x-github-delivery' },
};

export const github: Scheme = {
  verify: (delivery, secrets, now) => verifyHmac(RECIPE, delivery, secrets, now),
  covers: 'the body (no time is sent, so a ticket’s running once only is the guard against replays)',
  toldAs200: [],
};
