/**
 * A host's ovirt-imageio daemon: parts of an image over HTTPS for whoever holds a ticket that VDSM put there (vdsm.md 10
 * "Data streams"). Only what its file backend does: GET with Range, PUT with Content-Range, in place.
 */
import { once } from 'node:events';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { labPaths } from '../fixture.ts';
import type { HostState } from './host-state.ts';

export interface ImageTicket {
  readonly uuid: string;
  /** Bytes of the image. */
  readonly size: number;
  /** Path of the prepared volume, from its `file://` URL. */
  readonly path: string;
  readonly writable: boolean;
  /** Lab time. */
  readonly expires: number;
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @throws Refused 403 when there is no such ticket, or it does not allow that */
function ticketOf(host: HostState, request: IncomingMessage): ImageTicket {
  const id = /^\/images\/([0-9a-f-]{36})(?:\?.*)?$/.exec(request.url ?? '')?.[1];
  if (id === undefined) throw new Refused(404, `No handler for ${request.url}`);
  const ticket = host.imageTickets.get(id);
  const refusal = 'You are not allowed to access this resource: ';
  if (ticket === undefined || !existsSync(ticket.path)) throw new Refused(403, `${refusal}No such ticket ${id}`);
  if (ticket.expires <= host.clock.now()) throw new Refused(403, `${refusal}Ticket ${id} expired`);
  if (request.method === 'PUT' && !ticket.writable) throw new Refused(403, `${refusal}Ticket ${id} forbids write`);
  return ticket;
}

/** @throws Refused 416 behind the image's end */
function within(ticket: ImageTicket, start: number, length: number): void {
  if (start + length > ticket.size) throw new Refused(416, `Requested range not satisfiable, size ${ticket.size}`);
}

function get(ticket: ImageTicket, request: IncomingMessage, response: ServerResponse): void {
  const [, from = '0', to = String(ticket.size - 1)] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const [start, length] = [Number(from), Number(to) - Number(from) + 1];
  within(ticket, start, length);
  const bytes = Buffer.alloc(length);
  const file = openSync(ticket.path, 'r');
  try {
    readSync(file, bytes, 0, length, start);
  } finally {
    closeSync(file);
  }
  response.writeHead(206, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': length,
    'Content-Range': `bytes ${start}-${start + length - 1}/*`,
  });
  response.end(bytes);
}

async function put(ticket: ImageTicket, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const length = Number(request.headers['content-length'] ?? NaN);
  if (!Number.isSafeInteger(length)) throw new Refused(400, 'Content-Length is required');
  // The daemon takes only the start from the header.
  const start = Number(/^bytes (\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? 0);
  within(ticket, start, length);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const file = openSync(ticket.path, 'r+');
  try {
    writeSync(file, Buffer.concat(chunks), 0, length, start);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  response.writeHead(200, { 'Content-Length': 0 });
  response.end();
}

export class ImageioDaemon {
  readonly #host: HostState;
  #server: Server | undefined;
  constructor(host: HostState) {
    this.#host = host;
  }

  async listen(): Promise<void> {
    const paths = labPaths(this.#host.fixture.dir);
    const { name, address } = this.#host.config;
    const tls = { key: readFileSync(paths.hostKey(name)), cert: readFileSync(paths.hostCert(name)) };
    const server = createServer(tls, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        const status = error instanceof Refused ? error.status : 500;
        response.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' });
        response.end(error instanceof Error ? error.message : String(error));
      });
    });
    // Next to VDSM's, as on a real host.
    server.listen({ port: this.#host.port + 1, host: address });
    try {
      await once(server, 'listening');
    } catch (error) {
      // Beside a VDSM that took any free port there need be none.
      if (this.#host.config.vdsmPort !== 0) throw error;
      return;
    }
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ticket = ticketOf(this.#host, request);
    if (request.method === 'GET') get(ticket, request, response);
    else if (request.method === 'PUT') await put(ticket, request, response);
    else throw new Refused(405, `Invalid method for /images: ${request.method}`);
  }
}
