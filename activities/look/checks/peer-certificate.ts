/** The certificate that a server shows, whoever signed it and however old it is: nothing is sent but the handshake. */
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { CounterpartError } from '../../errors.ts';
import { linkError } from '../../vdsm/link-errors.ts';

export interface PeerCertificate {
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Why it is not trusted. Undefined when it is, and when it has expired: OpenSSL tells one reason only. */
  readonly distrust: string | undefined;
}

export interface PeerAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly ca: Buffer;
  readonly own?: { readonly cert: Buffer; readonly key: Buffer };
}

function noCertificate(name: string): CounterpartError {
  return new CounterpartError({
    type: 'tls/no-certificate',
    kind: 'needs-operator',
    subject: name,
    what: 'it shows no certificate',
    why: 'the handshake ended without one',
    remedy: 'Check the address and the port.',
  });
}

/** @throws CounterpartError when there is no TLS connection; the signal's reason. */
export function peerCertificate(peer: PeerAddress, signal: AbortSignal): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const { name, host, port, ca, own } = peer;
    // Not trusted is what we came to see: it is told, and nothing is sent over it.
    const socket = connect({
      host,
      port,
      ca,
      ...own,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const end = (work: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.on('error', () => {});
      work();
      socket.destroy();
    };
    const onAbort = () => end(() => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped')));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => end(() => reject(linkError(name, error))));
    socket.once('secureConnect', () => {
      const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
      if (to === undefined) return end(() => reject(noCertificate(name)));
      // Node types it as an Error; it is OpenSSL's code as a text.
      const code = socket.authorized ? '' : String(socket.authorizationError);
      const distrust =
        code === '' || code === 'CERT_HAS_EXPIRED' || code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? undefined : code;
      end(() => resolve({ validFrom: new Date(from), validTo: new Date(to), distrust }));
    });
  });
}
