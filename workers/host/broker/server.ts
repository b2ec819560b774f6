/** The broker's door: HTTP with XML-RPC on a Unix socket (ha-agent.md 4.1). Touches no file and no thread pool while it runs. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CounterpartError } from '../../../activities/errors.ts';
import { createCaller, type Caller, type CallOptions } from './calls.ts';
import { checkPlace, listen, publish, temporaryPath, type SocketPlace } from './socket-file.ts';
import { formatAnswer, formatFault, parseCall, RpcFault } from './xmlrpc.ts';

export type { FailedCall } from './calls.ts';
export type { BrokerPort, MonitorValue } from './port.ts';

/** The largest call is a slot: 5.5 KiB in base64. */
const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_MS = 5000;
const CONNECTIONS_MAX = 128;
const PATHS: ReadonlySet<string> = new Set(['/', '/RPC2']);

export interface BrokerOptions extends CallOptions {
  readonly place: SocketPlace;
  /** A caller that has not said its call within this is dropped; default 5 s. */
  readonly requestMs?: number;
}

export interface Broker {
  /** Removes the file, gives up what runs, drops callers and closes the socket. */
  close(): Promise<void>;
}

class HttpRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX)
    throw new HttpRefusal(413, 'the call is too large');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BODY_BYTES_MAX) throw new HttpRefusal(413, 'the call is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  // One call per connection, as the reference's server: nobody then writes into a connection that is just being closed.
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), connection: 'close' });
  response.end(body);
}

async function answer(call: Caller, body: string): Promise<string> {
  try {
    return formatAnswer(await call(parseCall(body)));
  } catch (error) {
    return formatFault(error instanceof RpcFault ? error : new RpcFault(1, String(error)));
  }
}

async function handle(call: Caller, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (request.method !== 'POST') throw new HttpRefusal(405, 'only POST is served here');
    if (!PATHS.has(request.url ?? '')) throw new HttpRefusal(404, 'XML-RPC is served at /RPC2');
    send(response, 200, 'text/xml', await answer(call, await bodyOf(request)));
  } catch (error) {
    // A caller that went away has nobody to be answered to.
    if (error instanceof HttpRefusal) send(response, error.status, 'text/plain', `${error.message}\n`);
    else response.destroy();
  }
}

/**
 * Listens on the socket until it is closed. A dead broker's socket is replaced.
 *
 * @throws {CounterpartError} `broker/socket-in-use` (another broker lives), `broker/socket-path`, `broker/socket`
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { place } = options;
  const ending = new AbortController();
  const call = createCaller(options, ending.signal);
  await checkPlace(place);
  const requestMs = options.requestMs ?? REQUEST_MS;
  const server = createServer(
    { requestTimeout: requestMs, headersTimeout: requestMs, connectionsCheckingInterval: Math.ceil(requestMs / 5) },
    (request, response) => void handle(call, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  try {
    await listen(server, temporaryPath(place));
    const remove = publish(place);
    return {
      close: () =>
        new Promise((resolve) => {
          remove();
          ending.abort();
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  } catch (error) {
    server.close();
    throw new CounterpartError(
      {
        type: 'broker/socket',
        kind: 'needs-operator',
        subject: place.path,
        what: 'the broker can’t take its socket',
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Make sure this user may write in its directory (RuntimeDirectory= and User= of the unit).',
      },
      { cause: error },
    );
  }
}
