/** The worker's door for its own command line: a Unix socket for root, answered from memory. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CounterpartError } from '../../../activities/errors.ts';
import { checkPlace, listen, publish, temporaryPath, type SocketPlace } from '../broker/socket-file.ts';
import {
  BOARD_PATH,
  commandSchema,
  COMMAND_PATH,
  SNAPSHOT_PATH,
  type ControlCommand,
  type ControlReply,
} from './protocol.ts';

const BODY_BYTES_MAX = 16 * 1024;

export interface ControlOptions {
  readonly place: SocketPlace;
  /** The snapshot's text, as `journal/codec.ts` makes it. */
  readonly snapshot: () => string;
  /** Slots by host id, as they were read last. */
  readonly board: () => ReadonlyMap<number, Buffer>;
  /** Lines for people. @throws CounterpartError for what is refused */
  readonly perform: (command: ControlCommand) => Promise<readonly string[]>;
}

export interface Control {
  close(): Promise<void>;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let body = '';
  for await (const part of request as AsyncIterable<Buffer>) {
    body += part.toString('utf8');
    if (body.length > BODY_BYTES_MAX) throw new RangeError('the command is too long');
  }
  return JSON.parse(body);
}

async function reply(options: ControlOptions, request: IncomingMessage): Promise<ControlReply> {
  try {
    const command = commandSchema.parse(await bodyOf(request));
    return { ok: true, lines: [...(await options.perform(command))] };
  } catch (error) {
    if (error instanceof CounterpartError) {
      const { type, kind, subject, what, why, remedy } = error.facts;
      return { ok: false, type, kind, subject, what, why, remedy };
    }
    return {
      ok: false,
      type: 'host/command',
      kind: 'fatal',
      subject: 'the command',
      what: 'the worker could not carry it out',
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Look at the worker’s log (journalctl -u bellwether-host).',
    };
  }
}

/** @throws CounterpartError when another worker has the socket */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { place } = options;
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === SNAPSHOT_PATH) return send(response, 200, options.snapshot());
    if (request.method === 'GET' && request.url === BOARD_PATH) {
      const slots = [...options.board()].map(([id, bytes]) => [id, bytes.toString('base64')]);
      return send(response, 200, JSON.stringify(Object.fromEntries(slots)));
    }
    if (request.method === 'POST' && request.url === COMMAND_PATH) {
      void reply(options, request).then((answer) => send(response, answer.ok ? 200 : 409, JSON.stringify(answer)));
      return undefined;
    }
    return send(response, 404, '{}');
  });
  await checkPlace(place);
  const temporary = temporaryPath(place);
  await listen(server, temporary);
  const withdraw = publish(place);
  return {
    close: () =>
      new Promise((resolve) => {
        withdraw();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
