/**
 * ServiceNow: the shipped recipe (infra/servicenow) signs by Standard Webhooks. An outbound REST message with basic
 * authentication or an OAuth/bearer token is taken too; its secret line reads like the header: `Basic user:password`,
 * `Bearer token`.
 */
import { sameSecret } from '../../secrets.ts';
import { verifyStandard } from '../standard.ts';
import { headerId, type Delivery, type Scheme } from './scheme.ts';
import type { Verification } from './verification.ts';

/** `basic user:password` or `bearer token`, from a line of ours or from the header. */
function credential(text: string, decode: (given: string) => string): string | undefined {
  const match = /^(basic|bearer) +(\S.*)$/i.exec(text);
  const [, kind = '', value = ''] = match ?? [];
  if (match === null) return undefined;
  return kind.toLowerCase() === 'basic' ? `basic ${decode(value)}` : `bearer ${value}`;
}

function verify(delivery: Delivery, secrets: readonly string[], now: Date): Verification {
  if (delivery.header('webhook-signature') !== undefined) {
    return verifyStandard(delivery.body, delivery.header, secrets, now);
  }
  const known = secrets.map((line) => credential(line, (text) => text)).filter((one) => one !== undefined);
  const header = delivery.header('authorization');
  if (header === undefined || known.length === 0) return { ok: false, reason: 'missing-header' };
  const given = credential(header, (text) => Buffer.from(text, 'base64').toString('utf8'));
  if (given === undefined) return { ok: false, reason: 'malformed-header' };
  if (known.filter((one) => sameSecret(one, given)).length === 0) return { ok: false, reason: 'no-match' };
  const id = headerId(delivery, ['webhook-id']);
  return id === undefined ? { ok: false, reason: 'malformed-header' } : { ok: true, id };
}

export const servicenow: Scheme = {
  verify,
  covers: 'id, time and body with the signing recipe; nothing with basic or bearer',
  toldAs200: [],
};
