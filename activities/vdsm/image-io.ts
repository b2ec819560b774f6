/**
 * Parts of a volume through ovirt-imageio, the engine's own way to images (vdsm.md 10): any host that sees the domain
 * serves it, at any offset and in place. VDSM's own stream (data-stream.ts) begins at the first byte, cuts a file off
 * behind what it writes and works on the SPM only, so it can't change one host's slot of the HA metadata while the others
 * write theirs.
 *
 * VDSM prepares the image and leaves a ticket with the daemon; whoever knows the ticket's id may use it until it is taken
 * back or has run out. The volume is not torn down afterwards: the host's HA services use the same path.
 */
import { randomUUID } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { CounterpartError } from '../errors.ts';
import type { CallOptions, VdsmClient } from './client.ts';
import { dialTls } from './dial.ts';
import { linkError } from './link-errors.ts';
import { BLANK_UUID } from './verbs.ts';

export interface ImageVolume {
  readonly domain: string;
  readonly image: string;
  readonly volume: string;
}

type Options = Pick<CallOptions, 'correlationId'> & { readonly signal: AbortSignal };
type Range = { readonly offset: number; readonly length: number };

/** Seconds: enough for one exchange; a ticket that we lose ends by itself. */
const TICKET_S = 60;
const EXCHANGE_MS = 30_000;

/** @throws CounterpartError retryable when the daemon can't be reached, refuses or hangs up: reading changes nothing */
export function readRange(host: VdsmClient, volume: ImageVolume, range: Range, options: Options): Promise<Buffer> {
  return withTicket(host, volume, 'read', options, async (ticket) => {
    const last = range.offset + range.length - 1;
    const headers = { range: `bytes=${range.offset}-${last}` };
    const body = await exchange(host, 'GET', ticket, headers, undefined, options.signal);
    if (body.length === range.length) return body;
    throw trouble(host, 'GET', `${body.length} of ${range.length} bytes came`);
  });
}

/**
 * Writes `bytes` at `offset` and flushes them; the rest of the volume stays.
 * @throws CounterpartError as `readRange`, with `outcomeUnknown`: read it back, or write the same again
 */
export async function writeRange(
  host: VdsmClient,
  volume: ImageVolume,
  offset: number,
  bytes: Buffer,
  options: Options,
): Promise<void> {
  await withTicket(host, volume, 'write', options, async (ticket) => {
    const last = offset + bytes.length - 1;
    const headers = { 'content-range': `bytes ${offset}-${last}/*`, 'content-length': String(bytes.length) };
    await exchange(host, 'PUT', ticket, headers, bytes, options.signal);
  });
}

async function withTicket<T>(
  host: VdsmClient,
  { domain, image, volume }: ImageVolume,
  right: 'read' | 'write',
  options: Options,
  use: (ticket: string) => Promise<T>,
): Promise<T> {
  const ids = { storagepoolID: BLANK_UUID, storagedomainID: domain, imageID: image, volumeID: volume };
  const { capacity } = await host.call('Volume.getInfo', ids, options);
  const { path } = await host.call('Image.prepare', ids, options);
  const uuid = randomUUID();
  const ticket = { uuid, size: capacity, url: `file://${path}`, timeout: TICKET_S, ops: [right] };
  await host.call('Host.add_image_ticket', { ticket }, options).catch((error: unknown) => {
    // VDSM's word for a daemon that is not there or does not take the ticket: it can be started.
    const refused = error instanceof CounterpartError && error.facts.kind === 'fatal';
    throw refused ? trouble(host, right === 'read' ? 'GET' : 'PUT', error.facts.why, error) : error;
  });
  try {
    return await use(uuid);
  } finally {
    // One that can't be taken back runs out.
    await host.call('Host.remove_image_ticket', { uuid }, options).catch(() => undefined);
  }
}

async function exchange(
  host: VdsmClient,
  method: 'GET' | 'PUT',
  ticket: string,
  headers: Readonly<Record<string, string>>,
  bytes: Buffer | undefined,
  signal: AbortSignal,
): Promise<Buffer> {
  // 54322 beside 54321.
  const peer = { ...host.peer, port: host.peer.port + 1 };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(EXCHANGE_MS)]);
  const socket = await dialTls(peer, { signal: limit }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw trouble(host, method, error instanceof CounterpartError ? error.facts.why : String(error), error);
  });
  const onAbort = () => socket.destroy();
  limit.addEventListener('abort', onAbort, { once: true });
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const sent = request({
        createConnection: () => socket,
        method,
        path: `/images/${ticket}`,
        headers: {
          host: `${peer.address.includes(':') ? `[${peer.address}]` : peer.address}:${peer.port}`,
          ...headers,
        },
      });
      sent.on('error', (cause) => reject(trouble(host, method, linkError(host.name, cause).facts.why, cause)));
      sent.on('response', (response) => {
        readAnswer(host, method, response).then(resolve, reject);
      });
      sent.end(bytes);
    });
  } finally {
    limit.removeEventListener('abort', onAbort);
    socket.destroy();
    signal.throwIfAborted();
  }
}

async function readAnswer(host: VdsmClient, method: 'GET' | 'PUT', response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch (cause) {
    throw trouble(host, method, 'the connection ended within the answer', cause);
  }
  const body = Buffer.concat(chunks);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return body;
  throw trouble(host, method, `HTTP status ${status}: ${body.toString('utf8').trim().slice(0, 200) || 'no reason'}`);
}

function trouble(host: VdsmClient, method: 'GET' | 'PUT', why: string, cause?: unknown): CounterpartError {
  const facts = {
    type: 'vdsm/imageio',
    kind: 'retryable',
    subject: `host ${host.name}`,
    what: `ovirt-imageio did not ${method === 'GET' ? 'hand out' : 'write'} a part of a volume`,
    why,
    remedy: `It is tried again by itself. If it lasts, see that ovirt-imageio runs there and that its port (54322) is open, and look at /var/log/ovirt-imageio/daemon.log.`,
  } as const;
  return new CounterpartError(method === 'PUT' ? { ...facts, outcomeUnknown: true } : facts, { cause });
}
