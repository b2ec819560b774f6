/** The front door on Node's HTTP server. */
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { FrontDoor } from '../app.ts';
import { isLoopback } from '../auth.ts';

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface ServedApp {
  readonly url: string;
  /** Takes no new requests, lets those under way finish for `graceMs` (default 5000), then cuts them. */
  close(graceMs?: number): Promise<void>;
}

/** A whole request must be here in this time: a sender that trickles must not hold a socket for ever. */
const REQUEST_TIMEOUT_MS = 10_000;

function listen(server: Server, options: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : options.port);
    });
  });
}

/**
 * Serves the app.
 * @throws Error when it has no token and the host is not loopback, or when the port is taken.
 */
export async function serveApp(app: FrontDoor, options: ServeOptions): Promise<ServedApp> {
  if (!app.tokenRequired && !isLoopback(options.host)) {
    throw new Error(
      `the front door has no API token, so it may listen on 127.0.0.1 only, not on ${options.host}. Configure a token file.`,
    );
  }
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: 5000, connectionsCheckingInterval: 1000 },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  const port = await listen(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    async close(graceMs = 5000) {
      app.endStreams();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
