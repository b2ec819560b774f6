/**
 * Verifier of Standard Webhooks 1.0 (`v1`, HMAC-SHA256; `v1a`, ed25519). A pure function of bytes, headers, secrets and
 * time.
 *
 * Signatures are compared as base64 text, not as decoded bytes: the last character of a 32-byte value carries two bits
 * that decoding ignores, and a changed header must never pass.
 */
import { createHmac } from 'node:crypto';
import { decodePublicKey, verifiesEd25519 } from './verify/ed25519.ts';
import { equal, SIGNATURES_MAX } from './verify/scheme.ts';
import type { Verification } from './verify/verification.ts';

/** Deliveries older or newer than this are replays, or come from a wrong clock. */
export const TOLERANCE_S = 300;
const SECRET_BYTES_MIN = 24;

/** The key in a `whsec_<base64>` secret; undefined if it is none or too short (the specification asks for 24 bytes). */
export function decodeSecret(secret: string): Buffer | undefined {
  const text = secret.startsWith('whsec_') ? secret.slice(6) : undefined;
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length >= SECRET_BYTES_MIN ? key : undefined;
}

/** `v1,<base64>` over id, time and the raw body, as a sender makes it. @throws Error when the secret is none. */
export function signStandard(body: Uint8Array, id: string, timestamp: string, secret: string): string {
  const key = decodeSecret(secret);
  if (key === undefined) throw new Error('the secret must read whsec_ and base64 of at least 24 bytes');
  return `v1,${mac(key, id, timestamp, body)}`;
}

function mac(key: Buffer, id: string, timestamp: string, body: Uint8Array): string {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
}

/**
 * Accepts a delivery when one of its `v1` signatures matches one of the active secrets (`whsec_`), or one of its `v1a`
 * signatures one of the public keys (`whpk_`).
 * Every pair is compared, so that the time taken says nothing about which one matched.
 */
export function verifyStandard(
  body: Uint8Array,
  header: (name: string) => string | undefined,
  secrets: readonly string[],
  now: Date,
): Verification {
  const id = header('webhook-id');
  const timestamp = header('webhook-timestamp');
  const signatures = header('webhook-signature');
  if (!id || !timestamp || !signatures) return { ok: false, reason: 'missing-header' };
  // A dot in the id would let one signed text be read as another id, time and body.
  if (!/^[\x21-\x2d\x2f-\x7e]{1,255}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) {
    return { ok: false, reason: 'malformed-header' };
  }
  const age = Math.floor(now.getTime() / 1000) - Number(timestamp);
  if (age > TOLERANCE_S) return { ok: false, reason: 'too-old' };
  if (age < -TOLERANCE_S) return { ok: false, reason: 'too-new' };
  const keys = secrets.map(decodeSecret).filter((key) => key !== undefined);
  const publicKeys = secrets.map(decodePublicKey).filter((key) => key !== undefined);
  if (keys.length + publicKeys.length === 0) return { ok: false, reason: 'no-secret' };
  const given = signatures.split(' ').slice(0, SIGNATURES_MAX);
  let matched = false;
  for (const key of keys) {
    const expected = `v1,${mac(key, id, timestamp, body)}`;
    for (const signature of given) matched = equal(signature, expected) || matched;
  }
  const text = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  for (const key of publicKeys) {
    for (const signature of given) matched = verifiesEd25519(key, text, signature) || matched;
  }
  return matched ? { ok: true, id, sentAt: new Date(Number(timestamp) * 1000) } : { ok: false, reason: 'no-match' };
}
