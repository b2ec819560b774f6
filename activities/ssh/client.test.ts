/** Against the lab's SSH server, which is a real one. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machineShell } from '../../infra/lab/machine/shell.ts';
import { keyPair } from '../../infra/lab/machine/keys.ts';
import { startSshServer, type SshServer } from '../../infra/lab/machine/ssh-server.ts';
import { Units } from '../../infra/lab/machine/units.ts';
import { freePorts } from '../../infra/processes.ts';
import { CounterpartError } from '../errors.ts';
import { connectSsh, shownHostKey, type SshLogin } from './client.ts';

const PASSWORD = 'root-password';
const hostKey = keyPair();
const rootKey = keyPair();
const { signal } = new AbortController();
const known = { publicKey: hostKey.public };
let dir: string;
let server: SshServer;
let target: { subject: string; address: string; port: number };
/** Passwords and keys that were offered to the server. */
const offered: string[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-ssh-'));
  const [port = 0] = await freePorts(1);
  target = { subject: 'host host4', address: '127.0.0.1', port };
  server = await startSshServer({
    address: '127.0.0.1',
    port,
    hostKey: hostKey.private,
    rootPassword: PASSWORD,
    rootKey: rootKey.public,
    shell: machineShell(dir, new Units(), join(dir, 'log')),
    onLogin: (method) => offered.push(method),
  });
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

const login = (given: SshLogin, key: Parameters<typeof connectSsh>[1] = known) =>
  connectSsh(target, key, given, signal);

async function refusal(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CounterpartError) return error.facts;
  throw new Error(`not refused: ${String(error)}`);
}

describe('a host over SSH', () => {
  test.each([
    ['password', { password: PASSWORD }],
    ['key', { privateKey: rootKey.private }],
  ])('runs commands and takes files, root by %s', async (_, given) => {
    const ssh = await login(given);
    try {
      expect(await ssh.run('/usr/bin/node --version')).toEqual({ code: 0, stdout: `${process.version}\n`, stderr: '' });
      expect(await ssh.run('nonsense')).toMatchObject({ code: 127 });
      const content = Buffer.alloc(300_000, 'content\n');
      await ssh.put('/file', content, 0o755);
      chmodSync(join(dir, 'file'), 0o600);
      await ssh.put('/file', content.subarray(1), 0o755);
      expect(readFileSync(join(dir, 'file')).equals(content.subarray(1))).toBe(true);
      expect(statSync(join(dir, 'file')).mode & 0o777).toBe(0o755);
      expect(await refusal(ssh.put('/no/such/folder', content, 0o644))).toMatchObject({ type: 'ssh/command-failed' });
    } finally {
      ssh.close();
    }
  });

  test('is told nothing while it is not the known one', async () => {
    offered.length = 0;
    const other = ssh2.utils.parseKey(keyPair().public);
    const wrong = other instanceof Error || Array.isArray(other) ? '' : other.getPublicSSH().toString('base64');
    const facts = await refusal(login({ password: PASSWORD }, { publicKey: `ssh-ed25519 ${wrong}` }));
    expect(facts).toMatchObject({ type: 'ssh/host-key-mismatch', kind: 'needs-operator' });
    expect(facts.why).toContain(await shownHostKey(target, signal));
    expect(await refusal(login({ password: PASSWORD }, {}))).toMatchObject({ type: 'ssh/host-key-unknown' });
    expect(await refusal(login({ password: PASSWORD }, { fingerprint: 'MD5:00' }))).toMatchObject({
      type: 'ssh/host-key-unknown',
    });
    expect(offered).toEqual([]);
  });

  test('is known by its fingerprint alone, whatever other kinds of key are asked for', async () => {
    const ssh = await login({ password: PASSWORD }, { fingerprint: await shownHostKey(target, signal) });
    ssh.close();
  });

  test.each([
    ['password', { password: 'wrong' }],
    ['key', { privateKey: keyPair().private }],
  ])('refuses a wrong %s: a person must act', async (_, given) => {
    expect(await refusal(login(given))).toMatchObject({ type: 'ssh/login-refused', kind: 'needs-operator' });
  });

  test('that can’t be reached is tried again', async () => {
    const [port = 0] = await freePorts(1);
    const work = connectSsh({ ...target, port }, known, { password: PASSWORD }, signal);
    expect(await refusal(work)).toMatchObject({ type: 'ssh/unreachable', kind: 'retryable', subject: 'host host4' });
  });

  test('is let go when the step is stopped', async () => {
    const stop = new AbortController();
    const ssh = await connectSsh(target, known, { password: PASSWORD }, stop.signal);
    const waiting = ssh.run('sleep');
    stop.abort(new Error('the operation was aborted'));
    await expect(waiting).rejects.toThrow('the operation was aborted');
  });
});
