/**
 * One HTTPS exchange with the engine, and the one thing that must never be guessed: was the request sent?
 *
 * A failure before the TLS handshake ended can have had no effect. After it, the engine may have carried out the
 * command although no answer came; only a look at the engine's state can tell (engine.md 20, "dropped connection").
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Agent, request } from 'node:https';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface WireRequest {
  readonly url: URL;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly agent: Agent;
  /** For the whole exchange, from the wait for a connection to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WireFailureFacts {
  /** Node's or OpenSSL's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), or `TIMEOUT`, `TOO_LARGE`, `CUT`. */
  readonly code: string;
  /** False only when it is certain that the engine saw nothing of the request. */
  readonly sent: boolean;
  /** The connection was an idle one kept alive; the peer may have closed it before we used it. */
  readonly reused: boolean;
}

export class WireFailure extends Error {
  override readonly name = 'WireFailure';
  readonly facts: WireFailureFacts;

  constructor(message: string, facts: WireFailureFacts, cause?: unknown) {
    super(message, { cause });
    this.facts = facts;
  }
}

/** A list of all VMs with their OVFs is some megabytes; a broken peer must not fill our memory. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'UNKNOWN';
}

/** Whole body, or a rejection when it is cut short or too long. */
function readBody(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > ANSWER_BYTES_MAX) {
        const error = Object.assign(new Error(`answer above ${ANSWER_BYTES_MAX} bytes`), { code: 'TOO_LARGE' });
        response.destroy(error);
      }
    });
    response.on('end', () => {
      if (response.complete) resolve(Buffer.concat(chunks));
    });
    response.on('error', reject);
    response.on('close', () => {
      if (!response.complete) reject(Object.assign(new Error('the answer was cut short'), { code: 'CUT' }));
    });
  });
}

/**
 * Sends one request and reads its whole answer, whatever its status.
 * @throws WireFailure when no whole answer came; `signal.reason` when the caller gave up.
 */
export function exchange(wire: WireRequest): Promise<WireAnswer> {
  const { signal } = wire;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    let sent = false;
    let timeout: Error | undefined;
    const call = request(wire.url, { method: wire.method, headers: wire.headers, agent: wire.agent });
    const giveUp = () => call.destroy(new Error('given up by the caller'));
    const timer = setTimeout(() => {
      // Kept: an answer under way may report only "aborted" when its connection is destroyed, and may do so first.
      timeout = Object.assign(new Error(`no answer within ${wire.timeoutMs} ms`), { code: 'TIMEOUT' });
      call.destroy(timeout);
    }, wire.timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const fail = (raised: unknown) => {
      const error = timeout ?? raised;
      settle();
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const message = error instanceof Error && error.message !== '' ? error.message : codeOf(error);
      reject(new WireFailure(message, { code: codeOf(error), sent, reused: call.reusedSocket }, error));
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    call.on('socket', (socket) => {
      // A reused connection is already past its handshake, and so is a fresh one from `secureConnect` on.
      if (call.reusedSocket) sent = true;
      else socket.once('secureConnect', () => (sent = true));
    });
    call.on('error', fail);
    call.on('response', (response) => {
      readBody(response).then((body) => {
        settle();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      }, fail);
    });
    call.end(wire.body);
  });
}
