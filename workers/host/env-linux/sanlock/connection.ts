/** One connection to sanlock's socket. What is asked has a time limit, as a hung storage hangs the daemon too. */
import { connect, type Socket } from 'node:net';
import { type Answer, AnswerReader } from './codec.ts';
import { noAnswer, type Trouble } from './errors.ts';

interface Waiting {
  readonly what: string;
  readonly reader: AnswerReader;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_MS = 5000;

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** ECONNREFUSED: the socket is there and nobody listens, so a daemon has died. */
export function isDead(error: unknown): boolean {
  return error instanceof Error && codeOf(error.cause) === 'ECONNREFUSED';
}

export class Connection {
  readonly #socket: Socket;
  readonly #path: string;
  #waiting: Waiting | undefined;
  #closed = false;

  constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#closed = true;
      this.#fail('gone', 'the daemon closed the connection');
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Called once, at once when the daemon dies. */
  onClose(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  /** A process may end while this connection is open. */
  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** For the command that has no answer. */
  tell(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /**
   * One question at a time. After a time-out or rubbish the connection is closed: a late answer would be taken for the next.
   * @param limitMs undefined waits for as long as the daemon lives
   * @throws CounterpartError `sanlock/gone`, `sanlock/hung`, `sanlock/protocol`
   */
  async ask(bytes: Buffer, what: string, limitMs: number | undefined): Promise<Answer> {
    if (this.#waiting !== undefined) throw new Error('one question at a time');
    if (this.#closed) throw noAnswer(this.#path, what, 'gone', 'the daemon closed the connection');
    const late = () => this.#fail('hung', `no answer within ${limitMs} ms`);
    const timer = limitMs === undefined ? undefined : setTimeout(late, limitMs);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#waiting = { what, reader: new AnswerReader(), resolve, reject };
        this.#socket.write(bytes);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #take(chunk: Buffer): void {
    // Nothing is sent without being asked for; on a connection that only stands, it would be of no meaning.
    if (this.#waiting === undefined) return;
    try {
      const answer = this.#waiting.reader.push(chunk);
      if (answer === undefined) return;
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(answer);
    } catch (error) {
      this.#fail('protocol', error instanceof Error ? error.message : String(error));
    }
  }

  #fail(trouble: Trouble, why: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    this.#socket.destroy();
    waiting.reject(noAnswer(this.#path, waiting.what, trouble, why, true));
  }
}

/** @throws CounterpartError `sanlock/gone` (its cause is the system's error) or `sanlock/hung` */
export async function openConnection(path: string, limitMs: number, signal?: AbortSignal): Promise<Connection> {
  const what = 'sanlock can’t be reached';
  if (signal?.aborted === true) throw noAnswer(path, what, 'closed', 'it is ending');
  const socket = connect(path);
  return await new Promise<Connection>((resolve, reject) => {
    const fail = (trouble: Trouble, why: string, cause?: unknown) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      socket.destroy();
      reject(noAnswer(path, what, trouble, why, false, cause));
    };
    const aborted = () => fail('closed', 'it is ending');
    const timer = setTimeout(() => fail('hung', `no connection within ${limitMs} ms`), limitMs);
    signal?.addEventListener('abort', aborted, { once: true });
    socket.once('error', (error) =>
      fail(codeOf(error) === 'EAGAIN' ? 'hung' : 'gone', codeOf(error) ?? error.message, error),
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      const connection = new Connection(socket, path);
      // For its whole life: what waits on it ends when the worker ends.
      const end = () => connection.close();
      signal?.addEventListener('abort', end, { once: true });
      connection.onClose(() => signal?.removeEventListener('abort', end));
      resolve(connection);
    });
  });
}

/** One question on a connection of its own, as sanlock's own tools do: no answer can be taken for another's. */
export async function askOnce(
  path: string,
  bytes: Buffer,
  what: string,
  options: { readonly limitMs: number | undefined; readonly signal?: AbortSignal },
): Promise<Answer> {
  const connection = await openConnection(path, options.limitMs ?? CONNECT_MS, options.signal);
  try {
    return await connection.ask(bytes, what, options.limitMs);
  } finally {
    connection.close();
  }
}
