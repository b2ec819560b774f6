/** As much of QEMU's machine protocol (QMP: JSON lines over a unix socket) as the lab needs. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const lineSchema = z.object({ return: z.unknown().optional(), error: z.object({ desc: z.string() }).optional() });
const statusSchema = z.object({ status: z.string() });

export class Qmp {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => this.#take(line));
    const fail = () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('qemu has closed its monitor'));
    };
    socket.on('error', fail);
    socket.on('close', fail);
  }

  /** @throws Error while nobody listens there */
  static async open(path: string): Promise<Qmp> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const monitor = new Qmp(socket);
    await monitor.#execute('qmp_capabilities');
    return monitor;
  }

  #take(line: string): void {
    const { return: value, error } = lineSchema.parse(JSON.parse(line));
    // The greeting and events carry neither.
    if (error !== undefined) this.#waiting.shift()?.reject(new Error(error.desc));
    else if (value !== undefined) this.#waiting.shift()?.resolve(value);
  }

  #execute(command: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command })}\n`);
    });
  }

  /** `running`, `paused`, `io-error` ... */
  async status(): Promise<string> {
    return statusSchema.parse(await this.#execute('query-status')).status;
  }

  /** The power button: the guest is asked to shut down. */
  async powerDown(): Promise<void> {
    await this.#execute('system_powerdown');
  }

  /** Its end must not keep the process. */
  unref(): void {
    this.#socket.unref();
  }
}
