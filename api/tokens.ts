/**
 * Lines of the API's token file: `name:role:token`, `token name`, or a token alone. Only the first kind can be read-only; the
 * others are operators.
 */
import { createHash } from 'node:crypto';
import { sameSecret } from './secrets.ts';

export const ROLES = ['read-only', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Somebody whose token is in the file. */
export interface Holder {
  /** As the file names them. */
  readonly name?: string;
  readonly role: Role;
  readonly token: string;
}

const NAMED = /^([\p{L}\p{N}][\p{L}\p{N} .@_+-]{0,79}):(read-only|operator):(\S+)$/u;

export function readHolder(line: string): Holder {
  const [, name, role, token] = NAMED.exec(line) ?? [];
  if (name !== undefined && token !== undefined) {
    return { name, role: role === 'read-only' ? 'read-only' : 'operator', token };
  }
  const [first = '', ...words] = line.split(/\s+/);
  return { role: 'operator', token: first, ...(words.length === 0 ? {} : { name: words.join(' ') }) };
}

/** Whose token it is. Each line is compared: which one matched must not show in the time taken. */
export function holderOf(lines: readonly string[], given: string): Holder | undefined {
  const [match] = lines.map(readHolder).filter(({ token }) => sameSecret(token, given));
  return match;
}

/** Tells tokens apart without telling them. */
export function fingerprint(token: string): string {
  return createHash('sha256').update(`bellwether token\n${token}`).digest('hex').slice(0, 32);
}

/** For the trail: the name, or the begin of the token's digest. */
export function holderName({ name, token }: Holder): string {
  return name ?? `sha256:${createHash('sha256').update(token).digest('hex').slice(0, 8)}`;
}
