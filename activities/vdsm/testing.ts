/** Test support: a small VDSM peer on a real TLS socket, told by the test how to behave. The lab has the faithful one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { z } from 'zod';
import { CounterpartError } from '../errors.ts';
import type { VdsmPeer } from './dial.ts';
import { encodeFrame, HEART_BEAT, StompParser, type StompFrame } from './stomp.ts';

interface Pair {
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 86_400_000;

export function makeCa(name: string): Promise<Pair> {
  return pair(name, {
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
}

/** A certificate for `name`, self-signed without a CA; `expired` ended yesterday. */
export function makeCertificate(name: string, ca?: Pair, expired = false): Promise<Pair> {
  const now = Date.now();
  return pair(name, {
    ...(ca === undefined ? {} : { ca }),
    notBeforeDate: new Date(now - 2 * DAY_MS),
    notAfterDate: new Date(now + (expired ? -DAY_MS : DAY_MS)),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
}

async function pair(name: string, options: Parameters<typeof generate>[1]): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...options,
  });
  return { key: made.private, cert: made.cert };
}

export interface Pki {
  readonly ca: Pair;
  readonly host: Pair;
  readonly files: Pick<VdsmPeer, 'ca' | 'cert' | 'key'>;
  remove(): Promise<void>;
}

export async function makePki(): Promise<Pki> {
  const dir = await mkdtemp(join(tmpdir(), 'vdsm-pki-'));
  const ca = await makeCa('ca.example.test');
  const [host, client] = await Promise.all([
    makeCertificate('host1.example.test', ca),
    makeCertificate('client.example.test', ca),
  ]);
  const files = { ca: join(dir, 'ca.pem'), cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
  await writeFile(files.ca, ca.cert);
  await writeFile(files.cert, client.cert);
  await writeFile(files.key, client.key);
  return { ca, host, files, remove: () => rm(dir, { recursive: true }) };
}

const requestSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.string(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
});

/** One request as it came in. */
export interface Received {
  readonly id: string;
  readonly verb: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** `silent`: no answer ever. `cut`: the connection is closed without one. */
export type Reply =
  | { readonly result: unknown }
  | { readonly code: number; readonly message: string }
  | 'silent'
  | 'cut';
type Handler = (received: Received) => Reply | Promise<Reply>;

class Session {
  readonly socket: TLSSocket;
  readonly subscriptions = new Map<string, string>();
  readonly frames: StompFrame[] = [];
  beats = 0;
  first = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    this.socket = socket;
  }

  message(destination: string, body: unknown): void {
    const subscription = this.subscriptions.get(destination);
    if (subscription === undefined || this.socket.destroyed) return;
    const headers = { destination, 'content-type': 'application/json', subscription };
    this.socket.write(encodeFrame('MESSAGE', headers, JSON.stringify(body)));
  }
}

export class FakeVdsm {
  readonly #pki: Pki;
  readonly #http = createHttpServer((request, response) => void this.onHttp(request, response));
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;
  readonly sessions: Session[] = [];
  readonly received: Received[] = [];
  readonly handlers = new Map<string, Handler>([['Host.ping2', () => ({ result: true })]]);
  /** Heart-beat header of CONNECTED, and how often a beat is sent (0: never). */
  heartBeat = '0,0';
  beatMs = 0;
  answersInLists = false;
  /** Answer to CONNECT; undefined: none. */
  onConnect: () => Buffer | undefined = () =>
    encodeFrame('CONNECTED', { version: '1.2', 'heart-beat': this.heartBeat });
  onHttp: (request: IncomingMessage, response: ServerResponse) => void | Promise<void> = (_request, response) => {
    response.writeHead(500).end();
  };

  constructor(pki: Pki) {
    this.#pki = pki;
  }

  /** Starts, or starts again on the same port. */
  async listen(certificate: Pair = this.#pki.host): Promise<this> {
    const server = createServer(
      { ...certificate, ca: this.#pki.ca.cert, requestCert: true, rejectUnauthorized: true },
      (socket) => this.#accept(socket),
    );
    server.on('tlsClientError', () => {});
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    this.port = address.port;
    return this;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.kick();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** Drops all connections. */
  kick(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  peer(more: Partial<VdsmPeer> = {}): VdsmPeer {
    return { name: 'host1', address: '127.0.0.1', port: this.port, ...this.#pki.files, ...more };
  }

  verbs(): string[] {
    return this.received.map((one) => one.verb);
  }

  event(method: string, params: object): void {
    for (const session of this.sessions) session.message('jms.queue.events', { jsonrpc: '2.0', method, params });
  }

  #accept(socket: TLSSocket): void {
    socket.on('error', () => {});
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (/^(PUT|GET) \//.test(first.toString('latin1'))) this.#http.emit('connection', socket);
      else this.#stomp(socket, first);
      socket.resume();
    });
  }

  #stomp(socket: TLSSocket, first: Buffer): void {
    const session = new Session(socket);
    session.first = Buffer.from(first);
    this.sessions.push(session);
    const parser = new StompParser();
    socket.on('data', (chunk: Buffer) => {
      for (const item of parser.push(chunk)) {
        if (item.kind === 'heart-beat') session.beats += 1;
        else void this.#frame(session, item.frame);
      }
    });
    if (this.beatMs === 0) return;
    const timer = setInterval(() => this.beatMs > 0 && socket.write(HEART_BEAT), this.beatMs);
    socket.once('close', () => clearInterval(timer));
  }

  async #frame(session: Session, frame: StompFrame): Promise<void> {
    session.frames.push(frame);
    const { headers } = frame;
    if (frame.command === 'CONNECT') {
      const answer = this.onConnect();
      if (answer !== undefined) session.socket.write(answer);
    } else if (frame.command === 'SUBSCRIBE')
      session.subscriptions.set(headers['destination'] ?? '', headers['id'] ?? '');
    else if (frame.command === 'DISCONNECT') {
      session.socket.write(encodeFrame('RECEIPT', { 'receipt-id': headers['receipt'] ?? '' }));
    } else if (frame.command === 'SEND') await this.#request(session, frame);
  }

  async #request(session: Session, frame: StompFrame): Promise<void> {
    const { id, method: verb, params } = requestSchema.parse(JSON.parse(frame.body.toString('utf8')));
    const received = { id, verb, params, headers: frame.headers };
    this.received.push(received);
    const reply = (await this.handlers.get(verb)?.(received)) ?? { code: -32601, message: 'no such verb' };
    if (reply === 'silent') return;
    if (reply === 'cut') {
      session.socket.destroy();
      return;
    }
    const answer = 'result' in reply ? { result: reply.result } : { error: reply };
    const body = { jsonrpc: '2.0', id, ...answer };
    session.message(frame.headers['reply-to'] ?? '', this.answersInLists ? [body] : body);
  }
}

/** A promise opened from outside, for answers that the test releases. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Facts of the `CounterpartError` that `promise` must reject with. */
export async function factsOf(promise: Promise<unknown>): Promise<CounterpartError['facts']> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CounterpartError) return error.facts;
    throw error;
  }
  throw new Error('it succeeded');
}
