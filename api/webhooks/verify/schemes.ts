/** The table of schemes: a new one is a file beside this and a line here. */
import type { WebhookSource } from '../../ports.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { verifyHmac } from './hmac.ts';
import { jira } from './jira.ts';
import { pagerduty } from './pagerduty.ts';
import type { Scheme, SchemeName } from './scheme.ts';
import { servicenow } from './servicenow.ts';
import { standard } from './standard.ts';

const FIXED: Record<Exclude<SchemeName, 'hmac'>, Scheme> = { standard, github, gitlab, jira, servicenow, pagerduty };

/** How this source's deliveries are verified and answered. */
export function schemeOf(source: WebhookSource): Scheme {
  if (source.scheme !== 'hmac') return FIXED[source.scheme];
  const { hmac } = source;
  // The schema of sources demands it; without one nothing can be verified, so nothing is accepted.
  if (hmac === undefined)
    return { verify: () => ({ ok: false, reason: 'no-secret' }), covers: 'nothing', toldAs200: [] };
  return {
    verify: (delivery, secrets, now) => verifyHmac(hmac, delivery, secrets, now),
    covers: hmac.signed.replaceAll(/[{}]/g, ''),
    toldAs200: [],
  };
}
