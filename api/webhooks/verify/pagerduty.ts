/** PagerDuty webhooks v3: several signatures while a secret is being changed. */
import { verifyHmac, type HmacRecipe } from './hmac.ts';
import type { Scheme } from './scheme.ts';

const RECIPE: HmacRecipe = {
  header: 'x-pagerduty-signature',
  prefix: 'v1=',
  separator: ',',
  encoding: 'hex',
  algorithm: 'sha256',
  signed: '{body}',
  id: { path: '/event/id' },
};

export const pagerduty: Scheme = {
  verify: (delivery, secrets, now) => verifyHmac(RECIPE, delivery, secrets, now),
  covers: 'the body with the event’s id (no time of sending)',
  toldAs200: [],
};
