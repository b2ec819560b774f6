/** Jira Cloud and Data Center: https://developer.atlassian.com/cloud/jira/platform/webhooks. */
import { verifyHmac, type HmacRecipe } from './hmac.ts';
import { FOR_PEOPLE, type Scheme } from './scheme.ts';

const RECIPE: HmacRecipe = {
  // Without "-256", unlike GitHub's.
  header: 'x-hub-signature',
  prefix: 'sha256=',
  encoding: 'hex',
  algorithm: 'sha256',
  signed: '{body}',
  id: { header: 'x-atlassian-webhook-identifier' },
  // Of the event, not of the attempt; Jira's last attempt comes about 30 minutes after the first.
  timestamp: { path: '/timestamp', unit: 'ms', toleranceS: 3600 },
};

export const jira: Scheme = {
  verify: (delivery, secrets, now) => verifyHmac(RECIPE, delivery, secrets, now),
  covers: 'the body with its time',
  // It repeats 409 for half an hour.
  toldAs200: FOR_PEOPLE,
};
