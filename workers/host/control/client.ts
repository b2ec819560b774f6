/** The command line's end of the control socket. */
import { request } from 'node:http';
import { CounterpartError } from '../../../activities/errors.ts';
import { BOARD_PATH, boardSchema, COMMAND_PATH, replySchema, SNAPSHOT_PATH, type ControlCommand } from './protocol.ts';

/** A confirmation waits for the board to be read again, so it may take some beats. */
const COMMAND_MS = 120_000;
const SNAPSHOT_MS = 5000;

function unreachable(path: string, why: string): CounterpartError {
  return new CounterpartError({
    type: 'host/worker-not-running',
    kind: 'needs-operator',
    subject: path,
    what: 'the worker of this host does not answer',
    why,
    remedy:
      'Run this as root. See systemctl status bellwether-host, or read the board without it: bellwether-host status --metadata FILE.',
  });
}

function ask(socketPath: string, path: string, limitMs: number, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(unreachable(socketPath, error.message));
    const call = request(
      { socketPath, path, method: body === undefined ? 'GET' : 'POST', agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
        response.on('error', failed);
      },
    );
    call.setTimeout(limitMs, () => call.destroy(new Error(`no answer within ${limitMs / 1000} s`)));
    call.on('error', failed);
    call.end(body);
  });
}

/** The snapshot's text. @throws CounterpartError `host/worker-not-running` */
export function askSnapshot(socketPath: string): Promise<string> {
  return ask(socketPath, SNAPSHOT_PATH, SNAPSHOT_MS);
}

/** Slots by host id, as they were read last. @throws CounterpartError `host/worker-not-running` */
export async function askBoard(socketPath: string): Promise<ReadonlyMap<number, Buffer>> {
  const slots = boardSchema.parse(JSON.parse(await ask(socketPath, BOARD_PATH, SNAPSHOT_MS)));
  return new Map(Object.entries(slots).map(([id, bytes]) => [Number(id), Buffer.from(bytes, 'base64')]));
}

/** Lines for people. @throws CounterpartError what the worker refused, or `host/worker-not-running` */
export async function sendCommand(socketPath: string, command: ControlCommand): Promise<readonly string[]> {
  const text = await ask(socketPath, COMMAND_PATH, COMMAND_MS, JSON.stringify(command));
  const reply = replySchema.parse(JSON.parse(text));
  if (reply.ok) return reply.lines;
  const { type, kind, subject, what, why, remedy } = reply;
  throw new CounterpartError({ type, kind, subject, what, why, remedy });
}
