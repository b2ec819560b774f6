/** The asymmetric half of Standard Webhooks (`v1a`): we hold public keys only, so nothing of ours can forge a delivery. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Bytes of base64 text that reads the same when written again: no ignored bits, no ignored characters. */
function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** The key in a `whpk_<base64>` line; undefined if it is none. */
export function decodePublicKey(secret: string): KeyObject | undefined {
  const bytes = secret.startsWith('whpk_') ? strictBase64(secret.slice(5)) : undefined;
  if (bytes?.length !== KEY_BYTES) return undefined;
  const x = bytes.toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
}

/** True when `signature` (`v1a,<base64>`) is over `text` and of this key. */
export function verifiesEd25519(key: KeyObject, text: Uint8Array, signature: string): boolean {
  const bytes = signature.startsWith('v1a,') ? strictBase64(signature.slice(4)) : undefined;
  return bytes?.length === SIGNATURE_BYTES && verify(null, text, key, bytes);
}
