/** The lab's hand inside a namespace: a process of `inside.ts`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SOURCES } from '../host.ts';

const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url));
const ANSWER_MS = 30_000;

const portSchema = z.object({ port: z.number() });
const pageSchema = z.object({ page: z.string() });

export class Outpost {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  /** One question at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  /** @param inside command that leads into the namespace (`Networks.inside`) */
  constructor(inside: readonly string[]) {
    const [command, ...args] = [...inside, ...SOURCES.slice(0, 3), INSIDE];
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  #ask(wish: object): Promise<{ readonly message: unknown; readonly handle: unknown }> {
    const answer = this.#queue.then(
      () =>
        new Promise<{ message: unknown; handle: unknown }>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('no answer from inside the namespace')), ANSWER_MS);
          this.#child.once('message', (message, handle) => {
            clearTimeout(timer);
            resolve({ message, handle });
          });
          this.#child.send(wish, (error) => {
            if (error !== null) reject(error);
          });
        }),
    );
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  /**
   * A server that listens in the namespace and whose connections arrive here. `port` 0: any.
   * @throws Error when it can't be had
   */
  async listen(host: string, port: number): Promise<{ readonly server: Server; readonly port: number }> {
    const { message, handle } = await this.#ask({ listen: { host, port } });
    if (!(handle instanceof Server)) throw new Error(`nothing listens on ${host}:${port} in the namespace`);
    return { server: handle, port: portSchema.parse(message).port };
  }

  /** Text of a page as it is seen from there; empty when there is none. */
  async page(url: string): Promise<string> {
    return pageSchema.parse((await this.#ask({ page: url })).message).page;
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}
