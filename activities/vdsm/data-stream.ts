/**
 * A volume's content over HTTP on VDSM's own port (vdsm.md 10 "Data streams"): how the engine writes OVF_STORE.
 *
 * Works on the SPM with a connected pool. Each stream has a connection of its own, apart from the client's calls.
 */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { CounterpartError } from '../errors.ts';
import { abortReason, systemClock, type Clock } from './clock.ts';
import { CONNECT_TIMEOUT_MS, dialTls, reset, type VdsmPeer } from './dial.ts';
import { codeError, unknownOutcome } from './errors.ts';
import { parseJson } from './json-rpc.ts';
import { linkError, lostError } from './link-errors.ts';
import { num } from './shapes.ts';

/** Where a volume is, by ids. */
export interface VolumePlace {
  readonly pool: string;
  readonly domain: string;
  readonly image: string;
  readonly volume: string;
}

export interface StreamOptions {
  readonly signal?: AbortSignal;
  /** For the whole exchange; default 180 s. The engine's 20 s once got hosts fenced that were only slow. */
  readonly timeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}

/** VDSM's side of a stream is a task on the SPM. */
export interface StreamTask {
  /** "Done" on the wire means only that the stream ended: `runTask` this one to learn whether it was written. */
  readonly taskId: string | undefined;
}

interface Answered extends StreamTask {
  readonly body: Buffer;
}

type Method = 'PUT' | 'GET';
const ERROR_BODY_BYTES_MAX = 64 * 1024;
const failure = z.looseObject({ status: z.looseObject({ code: num, message: z.string().default('') }) });

/**
 * Writes the volume from its first byte on. Behind the end of `bytes` a file volume is cut off, a block volume keeps what
 * lay there: pad to the full size where the rest matters.
 * @throws CounterpartError with VDSM's code; `vdsm/stream-cut` with `outcomeUnknown` when the connection ended or the
 * time was up after the first byte went out: read the volume back. Or the signal's reason.
 */
export async function putVolume(
  peer: VdsmPeer,
  place: VolumePlace,
  bytes: Buffer,
  options: StreamOptions = {},
): Promise<StreamTask> {
  const { taskId } = await stream(peer, 'PUT', place, { 'content-length': String(bytes.length) }, bytes, options);
  return { taskId };
}

/** Content that is too long to be held: read as fast as the host takes it. */
export interface Content {
  readonly bytes: number;
  readonly read: () => AsyncIterable<Buffer>;
}

/** As `putVolume`, for content of any length: what is in memory stays some hundred KiB. */
export async function putVolumeFrom(
  peer: VdsmPeer,
  place: VolumePlace,
  content: Content,
  options: StreamOptions = {},
): Promise<StreamTask> {
  const { taskId } = await stream(peer, 'PUT', place, { 'content-length': String(content.bytes) }, content, options);
  return { taskId };
}

/** As `getVolume`, handed on piece by piece. `take` must not keep the buffers. */
export async function scanVolume(
  peer: VdsmPeer,
  place: VolumePlace,
  length: number,
  take: (piece: Buffer) => void,
  options: StreamOptions = {},
): Promise<void> {
  if (!Number.isSafeInteger(length) || length < 1) throw new RangeError(`reading ${length} bytes`);
  await stream(peer, 'GET', place, { range: `bytes=0-${length - 1}` }, undefined, options, length, take);
}

/**
 * The first `length` bytes of the volume; VDSM can't start elsewhere. The task needs no look afterwards: all bytes are there.
 * @throws CounterpartError as `putVolume`, but a cut is plainly retryable: reading changes nothing
 */
export async function getVolume(
  peer: VdsmPeer,
  place: VolumePlace,
  length: number,
  options: StreamOptions = {},
): Promise<Buffer> {
  if (!Number.isSafeInteger(length) || length < 1) throw new RangeError(`reading ${length} bytes`);
  const { body } = await stream(peer, 'GET', place, { range: `bytes=0-${length - 1}` }, undefined, options, length);
  return body.length > length ? body.subarray(0, length) : body;
}

async function stream(
  peer: VdsmPeer,
  method: Method,
  place: VolumePlace,
  headers: Readonly<Record<string, string>>,
  bytes: Buffer | Content | undefined,
  options: StreamOptions,
  expected = 0,
  take?: (piece: Buffer) => void,
): Promise<Answered> {
  const { signal, clock = systemClock, connectTimeoutMs = CONNECT_TIMEOUT_MS, timeoutMs = 180_000 } = options;
  const socket = await dialTls(peer, { signal, clock, timeoutMs: Math.min(connectTimeoutMs, timeoutMs) });
  let release = () => {};
  try {
    return await new Promise<Answered>((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () => reject(cut(peer, method, `not done within ${timeoutMs} ms`)));
      const onAbort = () => signal !== undefined && reject(abortReason(signal));
      signal?.addEventListener('abort', onAbort, { once: true });
      release = () => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const sent = send(socket, peer, method, place, headers);
      // What the content's own source threw says more than the cut that it made.
      sent.on('error', (cause) =>
        reject(
          cause instanceof CounterpartError ? cause : cut(peer, method, linkError(peer.name, cause).facts.why, cause),
        ),
      );
      sent.on('response', (response) => {
        readAnswer(peer, method, response, expected, take).then(resolve, reject);
      });
      if (bytes === undefined || Buffer.isBuffer(bytes)) sent.end(bytes);
      // Its own end, and an error of the connection, come with the request's events.
      else pipeline(Readable.from(bytes.read()), sent).catch(reject);
    });
  } finally {
    release();
    socket.destroy();
  }
}

function send(
  socket: TLSSocket,
  peer: VdsmPeer,
  method: Method,
  place: VolumePlace,
  headers: Readonly<Record<string, string>>,
): ClientRequest {
  return request({
    // The dialled connection, with its checks, instead of one of an agent's.
    createConnection: () => socket,
    method,
    path: '/',
    headers: {
      host: peer.address.includes(':') ? `[${peer.address}]:${peer.port}` : `${peer.address}:${peer.port}`,
      connection: 'close',
      'storage-pool-id': place.pool,
      'storage-domain-id': place.domain,
      'image-id': place.image,
      'volume-id': place.volume,
      ...headers,
    },
  });
}

async function readAnswer(
  peer: VdsmPeer,
  method: Method,
  response: IncomingMessage,
  expected: number,
  take?: (piece: Buffer) => void,
): Promise<Answered> {
  const status = response.statusCode ?? 0;
  const taskId = header(response, 'task-id');
  // VDSM ends the answer to a PUT neither with a length nor, at times, with the connection: its head is all of it.
  if (method === 'PUT' && status >= 200 && status < 300) return { taskId, body: Buffer.alloc(0) };
  if (method === 'GET' && status === 206) return { taskId, body: await readBody(peer, response, expected, take) };
  const body = await readSome(response);
  const parsed = failure.safeParse(parseJson(body));
  if (parsed.success) throw codeError(peer.name, method, parsed.data.status.code, parsed.data.status.message);
  throw new CounterpartError({
    type: 'vdsm/stream-refused',
    // 5xx without VDSM's status object is an exception in its handler, which may come after the first bytes.
    kind: status >= 500 ? 'retryable' : 'fatal',
    subject: peer.name,
    what: `${method} of a volume failed with HTTP status ${status}`,
    why: body.toString('utf8').trim().slice(0, 200) || response.statusMessage || 'VDSM gave no reason',
    remedy: 'Look at vdsm.log on the host',
    code: status,
    outcomeUnknown: method === 'PUT' && status >= 500,
  });
}

function header(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Exactly what was asked for: an end before that is a cut, whatever content-length said. */
async function readBody(
  peer: VdsmPeer,
  response: IncomingMessage,
  expected: number,
  take?: (piece: Buffer) => void,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      if (take === undefined) chunks.push(chunk);
      else take(chunk.subarray(0, expected - size));
      size += chunk.length;
      if (size >= expected) break;
    }
  } catch (cause) {
    throw cut(peer, 'GET', `the connection ended after ${size} of ${expected} bytes`, cause);
  }
  if (size < expected) throw cut(peer, 'GET', `the answer ended after ${size} of ${expected} bytes`, reset());
  return Buffer.concat(chunks);
}

/** Best effort: an error's text is worth what arrived of it. */
async function readSome(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ERROR_BODY_BYTES_MAX) break;
    }
  } catch {
    // The status code is known, which is what counts.
  }
  return Buffer.concat(chunks);
}

function cut(peer: VdsmPeer, method: Method, why: string, cause?: unknown): CounterpartError {
  if (method === 'PUT') return unknownOutcome(peer.name, 'PUT of a volume', 'stream-cut', why, cause);
  const { facts } = lostError(peer.name, 'stream-cut', why, 'Read again');
  return new CounterpartError({ ...facts, what: 'GET of a volume was cut short' }, { cause });
}
