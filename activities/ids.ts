/** Ids that a step creates are derived from the operation, so that acting twice creates once (design.md "An operation"). */
import { createHash } from 'node:crypto';

/** Namespace of our name-based UUIDs (RFC 9562, version 5); any fixed UUID does. */
const NAMESPACE = Buffer.from('6d1f0b7c2a4e4f7b9b5c3e8a1d2f4c60', 'hex');

/** The same operation and purpose always give the same UUID. */
export function deriveId(operationId: string, purpose: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(`${operationId}\0${purpose}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * The operation's name in VDSM's and the engine's logs. The engine keeps 36 characters of `[0-9A-Za-z_-]`, so the part
 * that people search for, the ticket, comes first.
 */
export function correlationOf(operationId: string): string {
  return operationId
    .split('/')
    .toReversed()
    .join('-')
    .replace(/[^0-9A-Za-z_-]/g, '_')
    .slice(0, 36);
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
