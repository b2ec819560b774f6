/** One SSH connection to a host: commands and files. The host proves who it is before anything is sent to it. */
import ssh2, { type Client, type ConnectConfig, type SFTPWrapper } from 'ssh2';
import { commandFailed, refusedLogin, unknownHostKey, unreachable, wrongHostKey } from './errors.ts';
import { expectedFingerprint, fingerprintOf, KEY_KINDS, kindsToTry, type KnownHostKey } from './host-key.ts';

const READY_MS = 20_000;
const COMMAND_MS = 120_000;
const OUTPUT_MAX = 64 * 1024;

export type SshLogin = { readonly password: string } | { readonly privateKey: string };

export interface SshTarget {
  /** For people: "host host4". */
  readonly subject: string;
  readonly address: string;
  readonly port: number;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SshSession {
  readonly subject: string;
  /** Any exit code is an answer. @throws CounterpartError retryable when none came */
  run(command: string): Promise<CommandResult>;
  /** Writes beside it and renames, so that nobody reads half a file. The path needs no quotes. */
  put(path: string, content: Buffer, mode: number): Promise<void>;
  close(): void;
}

/** `level` tells a refused login from all else (ssh2). */
function isRefusedLogin(error: Error): boolean {
  return 'level' in error && error.level === 'client-authentication';
}

const NO_COMMON_KEY = /no matching host key/i;

/** Answers the connected client, or the fingerprint that was shown and not accepted. */
function dial(config: ConnectConfig, accept: (fingerprint: string) => boolean, signal: AbortSignal) {
  return new Promise<Client | string>((resolve, reject) => {
    const client = new ssh2.Client();
    let shown: string | undefined;
    const stop = () => {
      client.destroy();
      reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    };
    signal.addEventListener('abort', stop, { once: true });
    client.once('ready', () => {
      signal.removeEventListener('abort', stop);
      resolve(client);
    });
    client.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      if (shown === undefined) reject(error);
      else resolve(shown);
    });
    client.connect({
      ...config,
      readyTimeout: READY_MS,
      hostVerifier: (key: Buffer) => {
        const fingerprint = fingerprintOf(key);
        if (accept(fingerprint)) return true;
        shown = fingerprint;
        return false;
      },
    });
  });
}

function configFor({ address, port }: SshTarget, kind: keyof typeof KEY_KINDS): ConnectConfig {
  return { host: address, port, username: 'root', algorithms: { serverHostKey: [...KEY_KINDS[kind]] } };
}

/**
 * The host key that the server shows, and nothing is sent to it. For people: it proves nothing.
 * @throws CounterpartError when it can't be reached
 */
export async function shownHostKey(target: SshTarget, signal: AbortSignal): Promise<string> {
  for (const kind of kindsToTry({})) {
    try {
      const seen = await dial(configFor(target, kind), () => false, signal);
      if (typeof seen === 'string') return seen;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error && NO_COMMON_KEY.test(error.message))) throw unreachable(target.subject, error);
    }
  }
  return 'of no kind that is accepted';
}

/**
 * Logs in as root.
 * @throws CounterpartError `ssh/*`; needs-operator where the host is not the known one or refuses the login
 */
export async function connectSsh(
  target: SshTarget,
  known: KnownHostKey,
  login: SshLogin,
  signal: AbortSignal,
): Promise<SshSession> {
  const { subject } = target;
  const expected = expectedFingerprint(known);
  if (expected === undefined) throw unknownHostKey(subject);
  const byKey = 'privateKey' in login;
  const seen: string[] = [];
  for (const kind of kindsToTry(known)) {
    try {
      const config = { ...configFor(target, kind), ...login };
      const client = await dial(config, (fingerprint) => fingerprint === expected, signal);
      if (typeof client !== 'string') return new Session(subject, client, signal);
      seen.push(client);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      if (isRefusedLogin(error))
        throw refusedLogin(subject, byKey ? 'with the given key' : 'with the given password', error);
      if (!NO_COMMON_KEY.test(error.message)) throw unreachable(subject, error);
    }
  }
  throw wrongHostKey(subject, expected, seen);
}

class Session implements SshSession {
  readonly subject: string;
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(subject: string, client: Client, signal: AbortSignal) {
    this.subject = subject;
    this.#client = client;
    this.#signal = signal;
  }

  /** Settles with the work, and rejects when the connection ends, time is up or the step is stopped. */
  #within<T>(what: string, work: (done: (value: T) => void, failed: (error: unknown) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#client.off('close', gone).off('error', gone);
        this.#signal.removeEventListener('abort', stop);
        settle();
      };
      const failed = (error: unknown) =>
        end(() => reject(commandFailed(this.subject, what, error instanceof Error ? error.message : String(error))));
      const gone = () => failed('the connection ended');
      const stop = () =>
        end(() => {
          this.close();
          reject(this.#signal.reason instanceof Error ? this.#signal.reason : new Error('stopped'));
        });
      const timer = setTimeout(() => failed(`no answer within ${COMMAND_MS / 1000} s`), COMMAND_MS);
      this.#client.once('close', gone).once('error', gone);
      this.#signal.addEventListener('abort', stop, { once: true });
      work((value) => end(() => resolve(value)), failed);
    });
  }

  run(command: string): Promise<CommandResult> {
    return this.#within<CommandResult>(command, (done, failed) => {
      this.#client.exec(`LC_ALL=C ${command}`, (error, channel) => {
        if (error !== undefined) return failed(error);
        const text = { stdout: '', stderr: '' };
        let code: number | undefined;
        const take = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
          if (text[stream].length < OUTPUT_MAX) text[stream] += chunk.toString('utf8');
        };
        channel.on('data', take('stdout'));
        channel.stderr.on('data', take('stderr'));
        channel.on('exit', (given: number | null) => (code = given ?? 128));
        channel.on('close', () =>
          code === undefined ? failed('it ended without an exit code') : done({ code, ...text }),
        );
        channel.end();
      });
    });
  }

  async put(path: string, content: Buffer, mode: number): Promise<void> {
    const fresh = `${path}.bellwether-new`;
    const what = `put ${path}`;
    const sftp = await this.#within<SFTPWrapper>('sftp', (done, failed) => {
      this.#client.sftp((error, opened) => (error === undefined ? done(opened) : failed(error)));
    });
    const step = (work: (settled: (error: Error | null | undefined) => void) => void) =>
      this.#within<null>(what, (done, failed) => {
        work((error) => (error === undefined || error === null ? done(null) : failed(error)));
      });
    try {
      await step((settled) => sftp.writeFile(fresh, content, { mode }, settled));
      await step((settled) => sftp.chmod(fresh, mode, settled));
    } finally {
      sftp.end();
    }
    // The rename of SFTP refuses an existing target.
    const { code, stderr } = await this.run(`mv -f ${fresh} ${path}`);
    if (code !== 0) throw commandFailed(this.subject, what, stderr.trim() || `exit code ${code}`);
  }

  close(): void {
    this.#client.end();
  }
}
