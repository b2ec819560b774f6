/** One mutual TLS connection to VDSM's port 54321, on which STOMP and HTTP are told apart by their first bytes (vdsm.md 1). */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { CounterpartError } from '../errors.ts';
import { abortReason, systemClock, type Clock } from './clock.ts';
import { certificateFileError, linkError, lostError } from './link-errors.ts';

export interface VdsmPeer {
  /** Name of the host for messages. */
  readonly name: string;
  readonly address: string;
  /** 54321 on a real host. */
  readonly port: number;
  /** Paths of PEM files, read again at each dial: host-deploy changes them under a running deployment (vdsm.md 1). */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /**
   * Compare the certificate's name with `address` (default off: a host's certificate carries the address it was added
   * under, and the worker on the host dials localhost). The chain and the dates are always checked.
   */
  readonly checkServerName?: boolean;
}

export interface DialOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** Limit for TCP and TLS together; VDSM gives the handshake as long. */
export const CONNECT_TIMEOUT_MS = 10_000;

async function readPem(peer: VdsmPeer, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw certificateFileError(peer.name, path, cause);
  }
}

async function tlsOptions(peer: VdsmPeer): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all([
    readPem(peer, peer.ca),
    readPem(peer, peer.cert),
    readPem(peer, peer.key),
  ]);
  return {
    host: peer.address,
    port: peer.port,
    ca,
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(isIP(peer.address) === 0 ? { servername: peer.address } : {}),
    ...(peer.checkServerName === true ? {} : { checkServerIdentity: () => undefined }),
  };
}

/**
 * Dials and finishes the TLS handshake. With TLS 1.3 the host's verdict on *our* certificate comes later, as the
 * connection's end: whoever uses the socket must expect that.
 * @throws CounterpartError (see link-errors.ts), or the signal's reason
 */
export async function dialTls(peer: VdsmPeer, options: DialOptions = {}): Promise<TLSSocket> {
  const { timeoutMs = CONNECT_TIMEOUT_MS, signal, clock = systemClock } = options;
  const tls = await tlsOptions(peer);
  if (signal?.aborted === true) throw abortReason(signal);
  return new Promise((resolve, reject) => {
    let socket: TLSSocket;
    try {
      socket = connect(tls);
    } catch (cause) {
      // A file that is no PEM, or a key that does not belong to the certificate.
      reject(certificateFileError(peer.name, `${peer.cert} or ${peer.key} or ${peer.ca}`, cause));
      return;
    }
    const settle = (error?: Error) => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
      socket.off('secureConnect', onSecure).off('error', onError).off('close', onClose);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      // A destroyed socket may still report; nobody is left to hear it.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = () => settle(signal === undefined ? new Error('aborted') : abortReason(signal));
    const cancelTimer = clock.after(timeoutMs, () =>
      settle(
        lostError(peer.name, 'connect-timeout', `no connection within ${timeoutMs} ms`, 'Check that the host is up'),
      ),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    const onSecure = () => settle();
    const onError = (cause: Error) => settle(linkError(peer.name, cause));
    const onClose = () => settle(linkError(peer.name, reset()));
    socket.once('secureConnect', onSecure).once('error', onError).once('close', onClose);
  });
}

/** Stands for "the peer closed", which Node reports as an event and not as an error. */
export function reset(): Error {
  return Object.assign(new Error('closed by the peer'), { code: 'ECONNRESET' });
}

/** True when nothing but a person can make the next dial succeed. */
export function needsOperator(error: unknown): boolean {
  return error instanceof CounterpartError && error.facts.kind !== 'retryable';
}
