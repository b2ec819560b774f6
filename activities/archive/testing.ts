/** Test support: a real S3 server (versitygw over a folder) on loopback, from the binary that the suite has set up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Path of versitygw; undefined when this run has none. */
export const VERSITYGW = process.env['BELLWETHER_VERSITYGW'];

export const CREDENTIALS = { accessKeyId: 'tester', secretAccessKey: 'tester-secret' };

const START_LIMIT_MS = 15_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

export class S3Server {
  readonly port: number;
  /** Buckets are folders in it, objects files: a test may damage them. */
  readonly data: string;
  readonly #dir: string;
  readonly #binary: string;
  #child: ChildProcess | undefined;

  private constructor(binary: string, dir: string, port: number) {
    this.#binary = binary;
    this.#dir = dir;
    this.port = port;
    this.data = join(dir, 'data');
  }

  static async start(binary: string): Promise<S3Server> {
    const dir = mkdtempSync(join(tmpdir(), 'archive-s3-'));
    const server = new S3Server(binary, dir, await freePort());
    mkdirSync(server.data);
    mkdirSync(join(dir, 'versions'));
    await server.up();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it (again) on the same data and port. */
  async up(): Promise<void> {
    const versions = join(this.#dir, 'versions');
    const args = ['--port', `127.0.0.1:${this.port}`, 'posix', '--versioning-dir', versions, this.data];
    const { accessKeyId: ROOT_ACCESS_KEY, secretAccessKey: ROOT_SECRET_KEY } = CREDENTIALS;
    const env = { ...process.env, ROOT_ACCESS_KEY, ROOT_SECRET_KEY };
    this.#child = spawn(this.#binary, args, { cwd: this.#dir, env, stdio: 'ignore' });
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await accepts(this.port))) {
      if (Date.now() > deadline || this.#child.exitCode !== null) throw new Error(`${this.#binary} did not start`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Kills it; resolves when it is gone. */
  async down(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
