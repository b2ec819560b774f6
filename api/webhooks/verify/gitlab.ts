/**
 * GitLab: the signing token of newer versions is Standard Webhooks; the older "secret token" is sent as it is in
 * `X-Gitlab-Token` and covers nothing.
 */
import { sameSecret } from '../../secrets.ts';
import { verifyStandard } from '../standard.ts';
import { FOR_PEOPLE, headerId, type Delivery, type Scheme } from './scheme.ts';
import type { Verification } from './verification.ts';

const isSigningToken = (secret: string) => secret.startsWith('whsec_');

function verify(delivery: Delivery, secrets: readonly string[], now: Date): Verification {
  const signing = secrets.filter(isSigningToken);
  if (signing.length > 0 && delivery.header('webhook-signature') !== undefined) {
    return verifyStandard(delivery.body, delivery.header, signing, now);
  }
  const token = delivery.header('x-gitlab-token');
  if (!token) return { ok: false, reason: 'missing-header' };
  const tokens = secrets.filter((secret) => !isSigningToken(secret));
  if (tokens.length === 0) return { ok: false, reason: 'no-secret' };
  // Each of them is compared: which one matched must not show in the time taken.
  if (tokens.filter((secret) => sameSecret(secret, token)).length === 0) return { ok: false, reason: 'no-match' };
  const id = headerId(delivery, ['idempotency-key', 'x-gitlab-event-uuid']);
  return id === undefined ? { ok: false, reason: 'malformed-header' } : { ok: true, id };
}

export const gitlab: Scheme = {
  verify,
  covers: 'id, time and body with a signing token (whsec_); nothing with the plain X-Gitlab-Token',
  // Four 4xx answers in a row and GitLab switches the webhook off.
  toldAs200: FOR_PEOPLE,
};
