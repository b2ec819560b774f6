/** Services beside the API: health and PKI (engine.md 7). */
import { createPublicKey } from 'node:crypto';

import type { Answer } from './answer.ts';
import { htmlError, textAnswer } from './answer.ts';
import { formOf } from './incoming.ts';
import type { Incoming } from './incoming.ts';

export const HEALTH_PATH = '/ovirt-engine/services/health';
/** The whole phrase is compared by the HA agent; no newline. */
const HEALTHY = 'DB Up!Welcome to Health Status!';

export interface Pki {
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
}

export function services(incoming: Incoming, pki: Pki): Answer | undefined {
  const { path, form } = formOf(incoming);
  if (path === HEALTH_PATH) return health();
  if (path === '/ovirt-engine/services/pki-resource') return pkiResource(form, pki);
  return undefined;
}

export function health(): Answer {
  return textAnswer(200, HEALTHY, 'text/html');
}

function pkiResource(form: URLSearchParams, pki: Pki): Answer {
  const resource = form.get('resource');
  const format = form.get('format') ?? 'X509-PEM';
  if (resource === 'ca-certificate') {
    return textAnswer(200, pki.ca, format === 'X509-PEM-CA' ? 'application/x-x509-ca-cert' : 'application/x-pem-file');
  }
  if (resource === 'engine-certificate') {
    return format === 'OPENSSH-PUBKEY'
      ? textAnswer(200, opensshKey(pki.cert), 'text/plain')
      : textAnswer(200, pki.cert, 'application/x-pem-file');
  }
  return htmlError(400, 'Bad Request');
}

/** The certificate's public key as a line for `authorized_keys`. */
export function opensshKey(cert: string): string {
  const key = createPublicKey(cert).export({ format: 'jwk' });
  if (key.kty === 'RSA') return line('ssh-rsa', [bytes(key.e), bytes(key.n)]);
  const curve = key.crv === 'P-384' ? 'nistp384' : key.crv === 'P-521' ? 'nistp521' : 'nistp256';
  const point = Buffer.concat([Buffer.from([4]), bytes(key.x), bytes(key.y)]);
  return line(`ecdsa-sha2-${curve}`, [Buffer.from(curve), point], true);
}

function bytes(part: string | undefined): Buffer {
  return Buffer.from(part ?? '', 'base64url');
}

function line(type: string, parts: readonly Buffer[], raw = false): string {
  const field = (value: Buffer) => {
    // A number with its top bit set gets a zero byte before it, or it would be negative.
    const padded = !raw && (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(padded.length);
    return Buffer.concat([length, padded]);
  };
  return `${type} ${Buffer.concat([field(Buffer.from(type)), ...parts.map(field)]).toString('base64')} ovirt-engine\n`;
}
