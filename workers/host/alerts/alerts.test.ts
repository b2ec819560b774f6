import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scratch, story } from '../journal/testing.ts';
import { createAlerts, type AlertConfig, type Alerts, type Round } from './alerts.ts';
import { smtpSink, until, type SmtpSink } from './testing.ts';

const HOUR = 3_600_000;
const WALL = Date.parse('2026-11-21T03:10:12Z');

/** The round of the story in which the engine VM was started. */
const started: Round = (() => {
  const entry = story().find((one) => one.order?.kind === 'start');
  if (entry === undefined) throw new Error('the story has a start');
  return { observation: entry.observation, decision: entry.decision };
})();

let sink: SmtpSink;
let folder: string;
let wallMs = WALL;
let conf: string | undefined;
const logged: string[] = [];
const open: Alerts[] = [];

beforeEach(async () => {
  sink = await smtpSink();
  folder = scratch();
  wallMs = WALL;
  conf = brokerConf();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (alerts) => alerts.close()));
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
  logged.length = 0;
});

const brokerConf = (rule = 'state_transition = maintenance|start|stop|up|down', timeout = 5) =>
  `[email]\nsmtp-server = 127.0.0.1\nsmtp-port = ${sink.port}\nsmtp-timeout = ${timeout}\n` +
  `source-email = he@example.test\ndestination-emails = a@example.test, b@example.test\n[notify]\n${rule}\n`;

function make(more: Partial<AlertConfig> = {}): Alerts {
  const alerts = createAlerts(
    { hostname: 'node-a', mailPausesMs: [10, 10], ...more },
    { brokerConf: () => conf, wallMs: () => wallMs, log: (level, text) => logged.push(`${level} ${text}`) },
  );
  open.push(alerts);
  return alerts;
}

const sick = { kind: 'engine-unhealthy', text: 'The engine does not answer.' } as const;

describe('a mail', () => {
  it('tells a change of state: what, why, what was done, what to do', async () => {
    const alerts = make();
    alerts.transition('EngineDown', 'EngineStart', started);
    expect(await alerts.flush(5000)).toBe(true);
    const [mail] = sink.mails;
    expect(mail).toMatchObject({ from: 'he@example.test', to: ['a@example.test', 'b@example.test'] });
    expect(mail?.headers.get('subject')).toBe('Hosted engine, node-a: state changed, EngineDown-EngineStart');
    expect(mail?.headers.get('from')).toBe('he@example.test');
    expect(mail?.headers.get('to')).toBe('a@example.test, b@example.test');
    expect(mail?.headers.has('date')).toBe(true);
    const lines = mail?.text.split('\n') ?? [];
    for (const line of [
      "The state of the hosted engine's worker on node-a changed from EngineDown to EngineStart.",
      'Cause:   No living host has the engine VM, nobody renews its lease, and it is the turn of this host.',
      'Done:    The VM is started here; sanlock holds it back until the lease is free. Ordered now: start the engine VM on this host.',
      'To do:   Find out what happened to the host that had it: bellwether-host why, bellwether-host status.',
      'Time:    2026-11-21T03:10:12.000Z',
      'Rule:    start-here: nobody has it, no owner renews, and it is this host’s turn',
      'Order:   start the engine VM on this host',
    ])
      expect(lines).toContain(line);
    expect(logged).toEqual([]);
  });

  it('is sent for an alert whatever the rule for transitions, unless a rule of its own says no', async () => {
    conf = brokerConf('state_transition = nothing-at-all');
    const alerts = make();
    alerts.transition('EngineDown', 'EngineStart', started);
    alerts.alert(sick, started);
    conf = brokerConf('alert = nobody');
    alerts.alert({ ...sick, text: 'other words' }, started);
    await alerts.flush(5000);
    expect(sink.mails.map((mail) => mail.headers.get('subject'))).toEqual([
      'Hosted engine, node-a: the engine does not answer, restarts did not help',
    ]);
  });

  it.each([
    ['there is no broker.conf', () => undefined],
    ['it has no [email]', () => '[notify]\nstate_transition = start\n'],
    ['it has no [notify]', () => brokerConf('').replace('[notify]', '')],
    ['its rule is no regular expression', () => brokerConf('state_transition = start(')],
  ])('of a transition is not sent when %s', async (_, text) => {
    conf = text();
    const alerts = make();
    alerts.transition('EngineDown', 'EngineStart', started);
    expect(alerts.notify('state_transition', 'EngineDown-EngineStart', new Map())).toBe(false);
    expect(await alerts.flush(5000)).toBe(true);
    expect([sink.connections, logged.length]).toEqual([0, conf?.includes('start(') === true ? 1 : 0]);
  });

  it('has the words of the administrator’s template, and is not sent when that has an unknown placeholder', async () => {
    mkdirSync(join(folder, 'notifications'));
    const file = join(folder, 'notifications', 'state_transition.txt');
    const head = 'From: Engine <{source-email}>\nTo: Team <team@example.test>\nSubject: [HE] {hostname} {detail}\n\n';
    writeFileSync(file, `${head}Sent by {smtp-server}; {{braces}}.\n`);
    const alerts = make({ templateDir: join(folder, 'notifications') });
    alerts.transition('EngineDown', 'EngineStart', started);
    await alerts.flush(5000);
    const [mail] = sink.mails;
    expect(mail?.headers.get('subject')).toBe('[HE] node-a EngineDown-EngineStart');
    expect(mail?.headers.get('from')).toBe('Engine <he@example.test>');
    expect(mail?.headers.get('to')).toBe('Team <team@example.test>');
    expect(mail?.to).toEqual(['a@example.test', 'b@example.test']);
    expect(mail?.text).toMatch(/^Sent by 127\.0\.0\.1; \{braces\}\.\n\nCause: /);
    writeFileSync(file, `${head}{nonsense}\n`);
    alerts.transition('EngineStart', 'EngineStarting', started);
    await alerts.flush(5000);
    expect(sink.mails).toHaveLength(1);
    expect(logged.join()).toContain('the template has the placeholder {nonsense}, which is not known');
  });
});

describe('notify of the broker’s socket', () => {
  it('says whether a rule asks for it, at once, and sends it', async () => {
    conf = brokerConf('state_transition = start\nmaintenance = .');
    const alerts = make();
    expect(alerts.notify('state_transition', 'EngineUp-EngineDown', new Map())).toBe(false);
    expect(alerts.notify('other', 'start', new Map())).toBe(false);
    expect(alerts.notify('state_transition', 'EngineDown-EngineStart', new Map([['hostname', 'node-x']]))).toBe(true);
    expect(sink.mails).toEqual([]);
    await alerts.flush(5000);
    expect(sink.mails.map((mail) => mail.headers.get('subject'))).toEqual([
      'Hosted engine, node-x: state_transition, EngineDown-EngineStart',
    ]);
  });

  it('lets nobody add headers or recipients', async () => {
    const detail = 'start\r\nBcc: evil@example.test\r\n\r\nhello';
    mkdirSync(join(folder, 'notifications'));
    writeFileSync(join(folder, 'notifications', 'state_transition.txt'), 'Subject: {detail} {hostname}\n\n{detail}\n');
    for (const templateDir of [folder, join(folder, 'notifications')]) {
      const alerts = make({ templateDir });
      expect(alerts.notify('state_transition', detail, new Map([['hostname', 'x\r\nBcc: evil@example.test']]))).toBe(
        true,
      );
      await alerts.flush(5000);
    }
    expect(sink.mails).toHaveLength(2);
    for (const mail of sink.mails) {
      expect(mail.to).toEqual(['a@example.test', 'b@example.test']);
      expect(mail.headers.has('bcc')).toBe(false);
      expect(mail.headers.get('subject')).toContain('start Bcc: evil@example.test');
      expect(mail.text).toContain('start Bcc: evil@example.test hello');
    }
  });
});

describe('the same thing', () => {
  it('is told once in two hours, and anew when it changed', async () => {
    const alerts = make({ stateFile: join(folder, 'told.json') });
    for (const text of ['a', 'a', 'b', 'a']) alerts.alert({ ...sick, text }, started);
    for (let count = 0; count < 3; count += 1) alerts.transition('EngineDown', 'EngineStart', started);
    await alerts.flush(5000);
    expect(sink.mails).toHaveLength(3);
    await alerts.close();
    const restarted = make({ stateFile: join(folder, 'told.json') });
    restarted.alert({ ...sick, text: 'a' }, started);
    await restarted.flush(5000);
    expect(sink.mails).toHaveLength(3);
    wallMs += 2 * HOUR;
    restarted.alert({ ...sick, text: 'a' }, started);
    await restarted.flush(5000);
    expect(sink.mails).toHaveLength(4);
    expect(sink.mails[3]?.text).toMatch(/^a \(It happened \d more times since it was told last\.\)\n/);
  });

  it('is told again when it could not be delivered the first time', async () => {
    const alerts = make();
    sink.mood = 'refuses';
    alerts.alert(sick, started);
    await alerts.flush(5000);
    sink.mood = 'kind';
    alerts.alert(sick, started);
    await alerts.flush(5000);
    expect(sink.mails).toHaveLength(1);
    expect(logged.join()).toContain('550');
    expect(sink.connections).toBe(2);
  });
});

describe('a mail server in trouble', () => {
  it('is asked again when it is busy', async () => {
    sink.mood = { busy: 3 };
    const alerts = make();
    alerts.alert(sick, started);
    expect(await alerts.flush(5000)).toBe(true);
    expect(sink.mails).toHaveLength(1);
    expect(logged.at(-1)).toMatch(/was sent at try \d/);
  });

  it('is asked again when it was down', async () => {
    const { port } = sink;
    await sink.close();
    const alerts = make({ mailPausesMs: Array.from({ length: 200 }, () => 20) });
    alerts.alert(sick, started);
    await until('a refused connection', () => logged.join().includes('ECONNREFUSED'));
    sink = await smtpSink(port);
    expect(await alerts.flush(5000)).toBe(true);
    expect(sink.mails).toHaveLength(1);
  });

  it.each(['silent', 'drip'] as const)('that is %s holds up nobody, and its connections end', async (mood) => {
    sink.mood = mood;
    conf = brokerConf(undefined, 0.2);
    const alerts = make({ queueLimit: 3 });
    for (let count = 0; count < 6; count += 1) alerts.alert({ ...sick, text: `${count}` }, started);
    expect(alerts.notify('state_transition', 'EngineUp-EngineDown', new Map())).toBe(true);
    expect(sink.connections).toBe(0);
    await until('three tries of the first', () => sink.connections >= 3);
    expect(logged.filter((line) => line.includes('more than 3 wait'))).toHaveLength(4);
    sink.mood = 'kind';
    expect(await alerts.flush(10_000)).toBe(true);
    expect(sink.mails.length).toBeGreaterThanOrEqual(2);
    expect(sink.mails.at(-1)?.headers.get('subject')).toContain('EngineUp-EngineDown');
    await until('no connection is left behind', () => sink.open() === 0);
  });

  it('does not keep the worker from stopping', async () => {
    sink.mood = 'silent';
    const alerts = make();
    alerts.alert(sick, started);
    await until('a connection', () => sink.connections === 1);
    expect(await alerts.flush(20)).toBe(false);
    await alerts.close();
    expect(await alerts.flush(1000)).toBe(true);
    expect(logged.join()).toContain('engine-unhealthy was dropped: the worker stops');
    await until('the connection is ended', () => sink.open() === 0, 2000);
  });
});

it('an idle worker carries neither the mail library nor the webhook’s', async () => {
  const { metafile } = await build({
    entryPoints: [join(import.meta.dirname, 'alerts.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    metafile: true,
    write: false,
    outdir: folder,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const kinds = Object.fromEntries(imports.map(({ path, kind }) => [path, kind]));
  expect(kinds).toMatchObject({
    nodemailer: 'dynamic-import',
    standardwebhooks: 'dynamic-import',
    'node:https': 'dynamic-import',
    zod: 'import-statement',
  });
});
