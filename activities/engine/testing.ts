/** Test support: an HTTPS server that answers as the engine does where it matters here, and misbehaves on demand. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export const USER = 'admin@internal';
export const PASSWORD = 'p&ss=word ü';

const TOKEN_PATH = '/ovirt-engine/sso/oauth/token';
const DAY_MS = 86_400_000;

export interface Pair {
  readonly key: string;
  readonly cert: string;
}

export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Which connection it came on: 1 for the first of the server. */
  readonly connection: number;
}

export type Reply =
  | {
      readonly status?: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly type?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Connection closed after the request was read. */
  | 'drop'
  /** Half of an answer, then the connection is closed. */
  | 'cut'
  /** Half of an answer, and no more of it. */
  | 'stall'
  /** No answer, for as long as the server lives. */
  | 'silence';

export type Handler = (request: SeenRequest) => Reply | Promise<Reply>;

/** A self-signed certificate for `name`, which is its own authority. */
export async function selfSigned(
  name: string,
  valid?: { readonly fromMs: number; readonly toMs: number },
): Promise<Pair> {
  const now = Date.now();
  const altName = /^[\d.]+$/.test(name) ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const);
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(valid?.fromMs ?? now - DAY_MS),
    notAfterDate: new Date(valid?.toMs ?? now + DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [altName] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply === 'silence') return;
  if (reply === 'drop') {
    response.socket?.destroy();
    return;
  }
  if (reply === 'cut' || reply === 'stall') {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
    response.write('{"vm": [', () => {
      if (reply === 'cut') response.socket?.destroy();
    });
    return;
  }
  const type = reply.type ?? (reply.json === undefined ? 'text/html;charset=UTF-8' : 'application/json');
  response.writeHead(reply.status ?? 200, { 'Content-Type': type, ...reply.headers });
  response.end(reply.json === undefined ? (reply.text ?? '') : JSON.stringify(reply.json));
}

export class FakeEngine {
  readonly caFile: string;
  readonly seen: SeenRequest[] = [];
  /** Replaces the answer of the token endpoint. */
  login: Handler | undefined;
  /** The token endpoint answers only after this. */
  holdLogin: Promise<void> | undefined;
  readonly #dir: string;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, number>();
  readonly #handlers = new Map<string, Handler>();
  #connections = 0;
  #tokens = new Set<string>();

  private constructor(server: Server, dir: string, caFile: string) {
    this.#server = server;
    this.#dir = dir;
    this.caFile = caFile;
    server.on('secureConnection', (socket) => {
      this.#connections += 1;
      this.#sockets.set(socket, this.#connections);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: { pair?: Pair; trusted?: string } = {}): Promise<FakeEngine> {
    const pair = options.pair ?? (await selfSigned('127.0.0.1'));
    const dir = mkdtempSync(join(tmpdir(), 'fake-engine-'));
    const caFile = join(dir, 'ca.pem');
    writeFileSync(caFile, options.trusted ?? pair.cert);
    // A client that refuses our certificate hangs up in the handshake: no news for the server.
    const server = createServer({ key: pair.key, cert: pair.cert, keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeEngine(server, dir, caFile);
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** `on('GET /vms', ...)`: the path below the API's root. The last one set counts. */
  on(call: string, handler: Handler | Reply): void {
    this.#handlers.set(call, typeof handler === 'function' ? handler : () => handler);
  }

  /** All tokens end now, as after 30 idle minutes. */
  revokeTokens(): void {
    this.#tokens = new Set();
  }

  /** Closes the idle connections, as a server does after its keep-alive time. */
  closeIdle(): void {
    this.#server.closeIdleConnections();
  }

  calls(call: string): SeenRequest[] {
    return this.seen.filter((one) => `${one.method} ${one.path.replace(/^\/ovirt-engine\/api/, '')}` === call);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: await readAll(request),
      connection: this.#sockets.get(request.socket) ?? 0,
    };
    this.seen.push(seen);
    if (seen.path === TOKEN_PATH) await this.holdLogin;
    send(response, await this.#answer(seen));
  }

  #answer(seen: SeenRequest): Reply | Promise<Reply> {
    if (seen.path === TOKEN_PATH) return this.login?.(seen) ?? this.#issue(seen);
    if (seen.path === '/ovirt-engine/services/sso-logout') {
      this.#tokens.delete(new URLSearchParams(seen.body).get('token') ?? '');
      return { json: {} };
    }
    const inApi = seen.path.startsWith('/ovirt-engine/api');
    const path = seen.path.replace(/^\/ovirt-engine\/api/, '');
    const token = (seen.headers.authorization ?? '').replace(/^Bearer /, '');
    if (inApi && !this.#tokens.has(token)) {
      return { status: 401, text: '', headers: { 'WWW-Authenticate': 'Basic realm="RESTAPI"' } };
    }
    return this.#handlers.get(`${seen.method} ${path}`)?.(seen) ?? { status: 404, text: '' };
  }

  /** engine.md 1.1: exact Accept, four members, 400 for a bad password. */
  #issue(seen: SeenRequest): Reply {
    const form = Object.fromEntries(new URLSearchParams(seen.body));
    const expected = { grant_type: 'password', scope: 'ovirt-app-api', username: USER, password: PASSWORD };
    if (seen.headers.accept !== 'application/json' || Object.keys(form).length !== 4) {
      return { status: 400, json: { error_code: 'invalid_request', error: 'Invalid request' } };
    }
    if (JSON.stringify(form) !== JSON.stringify(expected)) {
      const error = `Cannot authenticate user '${form['username'] ?? ''}': Unable to log in.`;
      return { status: 400, json: { error_code: 'access_denied', error } };
    }
    const token = randomUUID();
    this.#tokens.add(token);
    return { json: { access_token: token, scope: 'ovirt-app-api', exp: '9223372036854775807', token_type: 'bearer' } };
  }
}
