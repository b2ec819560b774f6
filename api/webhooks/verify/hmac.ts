/** The generic verifier: an HMAC somewhere in a header. GitHub, Jira and PagerDuty are records of it. */
import { createHmac } from 'node:crypto';
import { readJson } from '../../body.ts';
import { valueAt } from '../pointer.ts';
import { TOLERANCE_S } from '../standard.ts';
import { bodyId, equal, headerId, isDeliveryId, SIGNATURES_MAX, type Delivery } from './scheme.ts';
import type { Verification } from './verification.ts';

export type Place = { readonly header: string } | { readonly path: string };

export interface HmacRecipe {
  /** Where the signature is. */
  readonly header: string;
  /** Before each signature, e.g. `sha256=`. */
  readonly prefix: string;
  /** Between several signatures in one header; without it there is one. */
  readonly separator?: string;
  readonly encoding: 'hex' | 'base64';
  readonly algorithm: 'sha256' | 'sha512';
  /** What is signed: `{body}`, `{timestamp}.{body}`, `v0:{timestamp}:{body}`, `{id}.{timestamp}.{body}`. */
  readonly signed: string;
  /** Where the sender's id of the delivery is; without it the body's SHA-256 stands in. */
  readonly id?: Place;
  /** Where the time of sending is; deliveries outside the tolerance are replays. */
  readonly timestamp?: Place & { readonly unit: 's' | 'ms'; readonly toleranceS: number };
}

/** A shorter one can be found by trying. */
const SECRET_BYTES_MIN = 16;
/** No dot or colon where the id is signed: one signed text must not read as another id and body. */
const SIGNED_ID = /^[A-Za-z0-9_=+/-]{1,255}$/;

type Refused = Verification & { readonly ok: false };

function sentAt(recipe: HmacRecipe, value: string | undefined, now: Date): Date | Refused | undefined {
  if (recipe.timestamp === undefined) return undefined;
  const { unit, toleranceS } = recipe.timestamp;
  const inHeader = 'header' in recipe.timestamp;
  // A body without a time was signed without one: nothing was taken away from it.
  if (value === undefined) return inHeader ? { ok: false, reason: 'missing-header' } : undefined;
  if (!/^\d{1,14}$/.test(value)) return { ok: false, reason: 'malformed-header' };
  const at = new Date(unit === 's' ? Number(value) * 1000 : Number(value));
  const ageS = Math.floor((now.getTime() - at.getTime()) / 1000);
  if (ageS > toleranceS) return { ok: false, reason: 'too-old' };
  // Retries come late, never early: ahead of us it is a wrong clock, whatever the tolerance.
  if (ageS < -Math.min(toleranceS, TOLERANCE_S)) return { ok: false, reason: 'too-new' };
  return at;
}

function matches(recipe: HmacRecipe, delivery: Delivery, before: string, given: string, secrets: readonly string[]) {
  const { prefix, separator, algorithm, encoding } = recipe;
  const signatures = separator === undefined ? [given] : given.split(separator).slice(0, SIGNATURES_MAX);
  let matched = false;
  for (const secret of secrets) {
    const expected = `${prefix}${createHmac(algorithm, secret).update(before).update(delivery.body).digest(encoding)}`;
    for (const signature of signatures) matched = equal(signature.trim(), expected) || matched;
  }
  return matched;
}

function bodyText(body: unknown, path: string): string | undefined {
  const value = valueAt(body, path);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** Signature first; what lies in the body is read only after it matched. */
export function verifyHmac(
  recipe: HmacRecipe,
  delivery: Delivery,
  secrets: readonly string[],
  now: Date,
): Verification {
  const { id, timestamp } = recipe;
  const given = delivery.header(recipe.header);
  if (!given) return { ok: false, reason: 'missing-header' };
  const headed = id !== undefined && 'header' in id ? headerId(delivery, [id.header]) : bodyId(delivery.body);
  if (headed === undefined) return { ok: false, reason: 'malformed-header' };
  if (recipe.signed.includes('{id}') && !SIGNED_ID.test(headed)) return { ok: false, reason: 'malformed-header' };
  const stamp = timestamp !== undefined && 'header' in timestamp ? delivery.header(timestamp.header) : undefined;
  const early = timestamp !== undefined && 'header' in timestamp ? sentAt(recipe, stamp, now) : undefined;
  if (early !== undefined && 'ok' in early) return early;
  const usable = secrets.filter((secret) => Buffer.byteLength(secret) >= SECRET_BYTES_MIN);
  if (usable.length === 0) return { ok: false, reason: 'no-secret' };
  const before = recipe.signed
    .replace('{body}', '')
    .replace('{id}', headed)
    .replace('{timestamp}', stamp ?? '');
  if (!matches(recipe, delivery, before, given, usable)) return { ok: false, reason: 'no-match' };
  const read = readJson(delivery.body);
  const body = read.ok ? read.value : undefined;
  const late =
    timestamp !== undefined && 'path' in timestamp ? sentAt(recipe, bodyText(body, timestamp.path), now) : early;
  if (late !== undefined && 'ok' in late) return late;
  const inBody = id !== undefined && 'path' in id ? bodyText(body, id.path) : undefined;
  const chosen = inBody !== undefined && isDeliveryId(inBody) ? inBody : headed;
  return { ok: true, id: chosen, ...(late === undefined ? {} : { sentAt: late }) };
}
