/** Which SSH host key is a host's own: what the engine knows, or the request says. Pure. */
import { createHash } from 'node:crypto';

/** The engine's `ssh` of a host (engine.md 8.2): older engines know the fingerprint only, newer ones the key too. */
export interface KnownHostKey {
  /** `SHA256:` and base64, as ssh-keygen prints it. */
  readonly fingerprint?: string | undefined;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey?: string | undefined;
}

/** A host has a key of each kind, and the engine knows one of them: it is asked for kind by kind. */
export const KEY_KINDS = {
  'ssh-ed25519': ['ssh-ed25519'],
  ecdsa: ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
} as const;
export type KeyKind = keyof typeof KEY_KINDS;

const FINGERPRINT = /^SHA256:([A-Za-z0-9+/]{43})=?$/;

/** The key's own bytes out of `type base64 [comment]`; undefined: no such text. */
function keyBytes(publicKey: string): Buffer | undefined {
  const [, base64] = /^(?:ssh-|ecdsa-)\S+\s+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(publicKey.trim()) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}

/** As ssh-keygen and the engine print it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The one fingerprint that counts: of the key where it is known. undefined: nothing that can be compared safely. */
export function expectedFingerprint({ publicKey, fingerprint }: KnownHostKey): string | undefined {
  const bytes = publicKey === undefined ? undefined : keyBytes(publicKey);
  if (bytes !== undefined) return fingerprintOf(bytes);
  const [, digest] = FINGERPRINT.exec(fingerprint?.trim() ?? '') ?? [];
  return digest === undefined ? undefined : `SHA256:${digest}`;
}

/** The kinds in the order in which to ask: the known key's own first, and alone. */
export function kindsToTry({ publicKey }: KnownHostKey): readonly KeyKind[] {
  const type = publicKey?.trim().split(/\s+/)[0] ?? '';
  if (type === 'ssh-ed25519' || type === 'ssh-rsa') return [type];
  if (type.startsWith('ecdsa-')) return ['ecdsa'];
  return ['ssh-ed25519', 'ecdsa', 'ssh-rsa'];
}
