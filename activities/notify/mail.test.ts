/** Mail to a real SMTP server: TLS and password as the target says, or no mail at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../../infra/lab/pki.ts';
import { freePorts } from '../../infra/processes.ts';
import type { News } from '../../workflows/model/notify.ts';
import { CounterpartError } from '../errors.ts';
import type { MailTarget } from './config.ts';
import { send } from './send.ts';

const PASSWORD = 'mail-password';
const NEWS: News = {
  id: 'upgrade/Default/CHG1 parked',
  kind: 'parked',
  cluster: 'Default',
  at: '2026-11-22T00:00:00.000Z',
  title: 'CHG1 waits for you',
  happened: 'The engine refused.',
  todo: ['Free it.'],
};
const pki = createAuthority();
const { signal } = new AbortController();
let dir: string;
let caFile: string;
let passwordFile: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-mail-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  caFile = file('ca.pem', pki.ca);
  passwordFile = file('password', `${PASSWORD}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Taken {
  readonly mails: string[];
  /** Users that were let in. */
  readonly users: string[];
}

/** A server for the time of `use`. */
async function onServer(options: SMTPServerOptions, use: (port: number, taken: Taken) => Promise<void>): Promise<void> {
  const [port = 0] = await freePorts(1);
  const taken: Taken = { mails: [], users: [] };
  const server = new SMTPServer({
    ...pki.issue(['localhost', '127.0.0.1']),
    ...options,
    onAuth({ username = '', password }, _session, answer) {
      if (password !== PASSWORD) return answer(new Error('wrong password'));
      taken.users.push(username);
      answer(null, { user: username });
    },
    onData(stream, _session, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      stream.on('end', () => {
        taken.mails.push(text);
        done();
      });
    },
  });
  // A client that hangs up in the middle is no trouble of the server's.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await use(port, taken);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

const target = (port: number, change: Partial<MailTarget> = {}): MailTarget => ({
  to: ['admins@example.test'],
  from: 'bellwether@example.test',
  server: 'localhost',
  port,
  security: 'starttls',
  caFile,
  ...change,
});
const mail = (email: MailTarget) => send({ name: 'admins', on: ['parked'], email }, NEWS, {}, signal);
const login = () => ({ user: 'bellwether', passwordFile });

test.each([
  ['STARTTLS', { secure: false }, 'starttls'],
  ['TLS from the first byte', { secure: true }, 'tls'],
] as const)('is sent with %s and a password', async (_, server, security) => {
  await onServer(server, async (port, { mails, users }) => {
    await mail(target(port, { security, ...login() }));
    expect(users).toEqual(['bellwether']);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain('To: admins@example.test');
    expect(mails[0]).toContain('The engine refused.');
  });
});

test('goes in plain words only where the target says so', async () => {
  const noTls = { secure: false, disabledCommands: ['STARTTLS'], authOptional: true };
  await onServer(noTls, async (port, { mails }) => {
    await expect(mail(target(port))).rejects.toThrow(CounterpartError);
    expect(mails).toEqual([]);
    await mail(target(port, { security: 'none' }));
    expect(mails).toHaveLength(1);
  });
});

test('tells a stranger neither mail nor password', async () => {
  writeFileSync(join(dir, 'other.pem'), createAuthority('another authority').ca);
  await onServer({ secure: false }, async (port, { mails, users }) => {
    const stranger = mail(target(port, { ...login(), caFile: join(dir, 'other.pem') }));
    await expect(stranger).rejects.toMatchObject({ facts: { type: 'notify/mail', kind: 'retryable' } });
    expect([mails, users]).toEqual([[], []]);
  });
});

test('names the server, the cause and what to look at when the password is wrong', async () => {
  writeFileSync(join(dir, 'wrong'), 'something else\n');
  await onServer({ secure: false }, async (port, { mails }) => {
    const refused = mail(target(port, { ...login(), passwordFile: join(dir, 'wrong') }));
    await expect(refused).rejects.toMatchObject({
      facts: {
        subject: 'localhost',
        why: expect.stringContaining('wrong password'),
        remedy: expect.stringContaining('BELLWETHER_NOTIFY_FILE'),
      },
    });
    expect(mails).toEqual([]);
  });
});
