import { rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../activities/engine/testing.ts';
import { scratch, story } from '../journal/testing.ts';
import { createAlerts, type AlertConfig, type Alerts, type Round } from './alerts.ts';
import { smtpSink, until } from './testing.ts';
import { shownUrl, type WebhookTarget } from './webhook.ts';

const SECRET = `whsec_${Buffer.from('orchestrator and host know this').toString('base64')}`;
const sick = { kind: 'engine-unhealthy', text: 'The engine does not answer.' } as const;
const [, , , , entry] = story();
if (entry === undefined) throw new Error('the story has rounds');
const round: Round = { observation: entry.observation, decision: entry.decision };

interface Seen {
  readonly headers: Record<string, string>;
  readonly body: string;
}

let folder: string;
let secretFile: string;
const logged: string[] = [];
const seen: Seen[] = [];
const servers: Server[] = [];
const open: Alerts[] = [];
/** Status by call; the last one stays; 0 is never answered. */
let answers: number[] = [204];
let conf: string | undefined;
/** Calls that are neither answered nor given up. */
let pending = 0;

beforeEach(() => {
  folder = scratch();
  secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
  answers = [204];
  conf = undefined;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (alerts) => alerts.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
  logged.length = 0;
  seen.length = 0;
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  pending += 1;
  response.on('close', () => (pending -= 1));
  request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const);
    seen.push({ headers: Object.fromEntries(headers), body });
    const status = answers.length > 1 ? answers.shift() : answers[0];
    if (status !== 0) response.writeHead(status ?? 500, { location: '/elsewhere' }).end('ok');
  });
}

async function listen(server: Server, scheme: string): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return `${scheme}://127.0.0.1:${address.port}/alerts`;
}

function make(target: Partial<WebhookTarget> & { readonly url: string }, more: Partial<AlertConfig> = {}): Alerts {
  const alerts = createAlerts(
    {
      hostname: 'node-a',
      webhook: { secretFile, ...target },
      webhookPausesMs: [5, 5],
      webhookTimeoutMs: 5000,
      ...more,
    },
    { brokerConf: () => conf, wallMs: () => 1_795_230_612_000, log: (_, text) => logged.push(text) },
  );
  open.push(alerts);
  return alerts;
}

const verified = ({ headers, body }: Seen, secret = SECRET) => new Webhook(secret).verify(body, headers);

describe('the webhook', () => {
  it('posts an alert, signed, with all that a person needs', async () => {
    const alerts = make({ url: await listen(createHttp(answer), 'http') });
    alerts.alert(sick, round);
    alerts.transition('EngineDown', 'EngineStart', round);
    expect(await alerts.flush(5000)).toBe(true);
    const [first, second] = seen.map((one) => verified(one));
    expect(first).toEqual({
      host: 'node-a',
      kind: 'engine-unhealthy',
      text: 'The engine does not answer.',
      cause: expect.stringContaining('although its VM was restarted'),
      effect: expect.any(String),
      did: expect.any(String),
      todo: expect.any(String),
      atIso: '2026-11-21T03:10:12.000Z',
    });
    expect(second).toMatchObject({
      kind: 'state_transition',
      text: expect.stringContaining('EngineDown to EngineStart'),
    });
    expect(seen[0]?.headers['webhook-id']).not.toBe(seen[1]?.headers['webhook-id']);
    expect(logged).toEqual([]);
  });

  it('reads the secret anew at each send', async () => {
    const alerts = make({ url: await listen(createHttp(answer), 'http') });
    alerts.alert(sick, round);
    await alerts.flush(5000);
    const next = `whsec_${Buffer.from('another secret, after a rotation').toString('base64')}`;
    writeFileSync(secretFile, next);
    alerts.alert({ ...sick, text: 'again' }, round);
    await alerts.flush(5000);
    const [first, second] = seen;
    if (first === undefined || second === undefined) throw new Error('two were posted');
    expect(() => verified(first, next)).toThrow();
    expect(verified(second, next)).toMatchObject({ text: 'again' });
  });

  it('tries three times under one id, and gives up', async () => {
    answers = [503];
    const alerts = make({ url: await listen(createHttp(answer), 'http') });
    alerts.alert(sick, round);
    await alerts.flush(5000);
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map((one) => one.headers['webhook-id'])).size).toBe(1);
    expect(logged.at(-1)).toContain('was dropped: ');
    answers = [503, 429, 200];
    alerts.alert(sick, round);
    await alerts.flush(5000);
    expect(seen).toHaveLength(6);
    expect(logged.at(-1)).toContain('was sent at try 3');
  });

  it.each([400, 401, 301])('does not repeat, or follow, what was answered with %d', async (status) => {
    answers = [status];
    const alerts = make({ url: await listen(createHttp(answer), 'http') });
    alerts.alert(sick, round);
    await alerts.flush(5000);
    expect(seen).toHaveLength(1);
    expect(logged.join()).toContain(`it answered ${status}`);
  });

  it('ends a call that is not answered', async () => {
    answers = [0, 204];
    const alerts = make({ url: await listen(createHttp(answer), 'http') }, { webhookTimeoutMs: 100 });
    alerts.alert(sick, round);
    expect(await alerts.flush(5000)).toBe(true);
    expect(seen).toHaveLength(2);
    expect(logged[0]).toContain('no end within 0.1 s');
    await until('both connections are ended', () => pending === 0);
  });

  it('trusts the authority that it is told, and no other', async () => {
    const pair = await selfSigned('127.0.0.1');
    const url = await listen(createHttps(pair, answer), 'https');
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, pair.cert);
    const [trusting, doubting] = [make({ url, caFile }), make({ url })];
    trusting.alert(sick, round);
    doubting.alert(sick, round);
    await Promise.all([trusting.flush(5000), doubting.flush(5000)]);
    expect(seen).toHaveLength(1);
    expect(logged.at(-1)).toMatch(/self.signed certificate/);
  });

  it('finds a host by its name', async () => {
    const url = await listen(createHttp(answer), 'http');
    const alerts = make({ url: url.replace('127.0.0.1', 'localhost') });
    alerts.alert(sick, round);
    await alerts.flush(5000);
    expect([seen.length, logged]).toEqual([1, []]);
  });

  it.each([
    ['is not there', () => rmSync(secretFile)],
    ['holds none', () => writeFileSync(secretFile, 'whsec_%%% not a secret %%%')],
    ['is empty', () => writeFileSync(secretFile, '')],
  ])('sends nothing unsigned: the secret’s file %s', async (_, change) => {
    change();
    const alerts = make({ url: await listen(createHttp(answer), 'http') });
    alerts.alert(sick, round);
    await alerts.flush(5000);
    expect(seen).toEqual([]);
    expect(logged.join()).toContain(secretFile);
    expect(logged.join()).not.toContain('%%%');
  });

  it('puts no secret into the log, whatever goes wrong', async () => {
    answers = [500];
    const url = (await listen(createHttp(answer), 'http')).replace('//', '//user:hunter2@');
    const alerts = make({ url: `${url}?token=hunter3` });
    alerts.alert(sick, round);
    await alerts.flush(5000);
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join()).not.toMatch(/hunter|whsec|b3JjaGVzdHJhdG9y/);
    expect(shownUrl('no url')).toBe('the webhook URL');
  });

  it('is tried again where connections are refused', async () => {
    const url = await listen(createHttp(answer), 'http');
    const [server] = servers.splice(0);
    server?.close();
    const alerts = make({ url });
    alerts.alert(sick, round);
    expect(await alerts.flush(5000)).toBe(true);
    expect(logged.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(3);
  });

  it('is not held up by a mail server that hangs', async () => {
    const sink = await smtpSink();
    sink.mood = 'silent';
    conf = `[email]\nsmtp-server=127.0.0.1\nsmtp-port=${sink.port}\n`;
    const alerts = make({ url: await listen(createHttp(answer), 'http') });
    alerts.alert(sick, round);
    await until('the mail and the POST', () => sink.connections === 1 && seen.length === 1);
    expect(await alerts.flush(1)).toBe(false);
    await alerts.close();
    await sink.close();
  });
});
