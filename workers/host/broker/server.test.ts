import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BrokerOptions, startBroker, type Broker, type FailedCall } from './server.ts';
import { TestPort } from './testing.ts';

let directory: string;
let path: string;
let port: TestPort;
let failures: FailedCall[];
const open: Broker[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bellwether-broker-'));
  path = join(directory, 'broker.socket');
  port = new TestPort();
  failures = [];
});
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close();
  rmSync(directory, { recursive: true });
});

async function start(more: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await startBroker({ port, place: { path }, onFailed: (each) => failures.push(each), ...more });
  open.push(broker);
  return broker;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function post(body: string, options: { method?: string; url?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'POST', url = '/RPC2' } = options;
    const sent = request({ socketPath: path, path: url, method }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function ask(method: string, ...values: string[]): Promise<string> {
  const params = values.map((value) => `<param><value>${value}</value></param>`).join('');
  const { body } = await post(`<methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`);
  return /<value>(.*)<\/value>/s.exec(body)?.[1] ?? body;
}

const struct = (name: string, value: string) =>
  `<struct><member><name>${name}</name><value>${value}</value></member></struct>`;

describe('the broker’s methods', () => {
  it('answers with the reference’s words', async () => {
    await start();
    const options = struct('addr', '192.0.2.1');
    expect(await ask('start_monitor', '<string>network</string>', options)).toBe('<string>network</string>');
    expect(await ask('status_monitor', '<string>network</string>')).toBe('<string>None</string>');
    port.monitors.set('network', true);
    expect(await ask('status_monitor', 'network')).toBe('<string>True</string>');
    port.monitors.set('network', 0.1234);
    expect(await ask('status_monitor', 'network')).toBe('<string>0.1234</string>');
    expect(await ask('stop_monitor', 'network')).toBe('<string>ok</string>');
    expect(await ask('notify', 'state_transition', 'EngineDown-EngineStart', options)).toBe('<string>sent</string>');
    expect(await ask('notify', 'state_transition', 'EngineUp-EngineUp', struct('a', '<nil/>'))).toBe(
      '<string>ignored</string>',
    );
    expect(await ask('start_domain_monitor', '<int>1</int>')).toBe('<string>ok</string>');
    expect(await ask('stop_domain_monitor')).toBe('<string>ok</string>');
    expect(await ask('lock_host_id', '<i8>1</i8>')).toBe('<string>ok</string>');
    expect(await ask('release_host_id')).toBe('<string>ok</string>');
    expect(port.calls).toEqual([
      'start network [["addr","192.0.2.1"]]',
      'notify state_transition EngineDown-EngineStart [["addr","192.0.2.1"]]',
      'notify state_transition EngineUp-EngineUp []',
      'start domain 1',
      'stop domain',
      'lock 1',
      'release',
    ]);
  });

  it('tells who is alive as it was told', async () => {
    await start();
    expect(await ask('is_host_alive')).toBe('<array><data/></array>');
    const hosts = '<array><data><value><int>1</int></value><value><int>2</int></value></data></array>';
    expect(await ask('push_hosts_state', hosts)).toBe('<string>ok</string>');
    expect(await ask('is_host_alive')).toBe(hosts);
  });

  it('answers a failure with None and says why', async () => {
    await start();
    expect(await ask('reset_lockspace')).toBe('<nil/>');
    expect(await ask('status_monitor', 'nobody')).toBe('<nil/>');
    expect(await ask('lock_host_id')).toBe('<nil/>');
    expect(
      await ask('put_stats', '<int>3</int>', `<base64>${Buffer.from('garbage').toString('base64')}</base64>`),
    ).toBe('<nil/>');
    expect(port.slots.has(3)).toBe(false);
    expect(failures.map(({ method, why }) => `${method}: ${why}`)).toEqual([
      'reset_lockspace: sanlock says -22',
      'status_monitor: there is no monitor nobody',
      'lock_host_id: 0 arguments instead of 1',
      expect.stringContaining('put_stats: the block for slot 3 is refused: bad-field'),
    ]);
  });

  it('answers an unknown method and a broken call with a fault', async () => {
    await start();
    const unknown = await post('<methodCall><methodName>toString</methodName></methodCall>');
    expect(unknown).toMatchObject({ status: 200, body: expect.stringContaining('is not supported') });
    expect(unknown.body).toContain('<fault>');
    expect((await post('<methodCall>')).body).toContain('<fault>');
  });
});

describe('a call that hangs', () => {
  it('is answered None at its limit, aborted, and stops nobody else', async () => {
    await start({ limitsMs: { lock_host_id: 150, start_domain_monitor: 60_000 } });
    port.hangs = true;
    // More of one method than may run at once: the surplus is answered at once.
    const slow = Array.from({ length: 9 }, () => ask('lock_host_id', '<int>1</int>'));
    expect(await ask('status_monitor', 'nobody')).toBe('<nil/>');
    expect(await ask('get_stats')).toContain('<name>1</name>');
    expect(await Promise.all(slow)).toEqual(Array.from({ length: 9 }, () => '<nil/>'));
    const reasons = failures.filter(({ method }) => method === 'lock_host_id').map(({ why }) => why);
    expect(reasons.filter((why) => why === 'no answer within 0.15 s').length).toBe(8);
    expect(reasons.filter((why) => why.includes('are running already')).length).toBe(1);
    expect(port.hanging.every((signal) => signal.aborted)).toBe(true);
    port.hangs = false;
    expect(await ask('lock_host_id', '<int>1</int>')).toBe('<string>ok</string>');
  });

  it('does not hold up the end', async () => {
    const broker = await start();
    port.hangs = true;
    const cut = ask('start_domain_monitor', '<int>1</int>').catch((error: Error) => error.message);
    await vi.waitFor(() => expect(port.hanging.length).toBe(1));
    await broker.close();
    expect(await cut).toContain('socket hang up');
    expect(port.hanging[0]?.aborted).toBe(true);
  });
});

describe('the door', () => {
  it('refuses other methods, other paths and large bodies', async () => {
    await start();
    expect((await post('', { method: 'GET' })).status).toBe(405);
    expect((await post('', { url: '/other' })).status).toBe(404);
    const large = await post('x'.repeat(65 * 1024)).catch(() => ({ status: 413 }));
    expect(large.status).toBe(413);
    expect(await ask('is_host_alive')).toBe('<array><data/></array>');
  });

  it('drops a caller that does not finish its sentence', async () => {
    await start({ requestMs: 200 });
    const caller = connect(path);
    const closed = new Promise<void>((resolve) => caller.once('close', () => resolve()));
    caller.on('error', () => undefined);
    caller.resume();
    caller.write('POST /RPC2 HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n<meth');
    await closed;
  });
});

describe('the socket’s file', () => {
  it('is for its owner alone from the start, or as told', async () => {
    const first = await start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await first.close();
    expect(existsSync(path)).toBe(false);
    await start({
      place: { path, mode: 0o660, owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 } },
    });
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('replaces a dead broker’s socket', async () => {
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(`${path}.x`, resolve));
    // Renamed, Node does not remove it: as after a kill.
    renameSync(`${path}.x`, path);
    await new Promise<void>((resolve) => dead.close(() => resolve()));
    expect(statSync(path).isSocket()).toBe(true);
    await start();
    expect(await ask('is_host_alive')).toBe('<array><data/></array>');
  });

  it('leaves a living broker’s socket alone', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ facts: { type: 'broker/socket-in-use' } });
    expect(await ask('is_host_alive')).toBe('<array><data/></array>');
  });

  it('removes nothing that is no socket', async () => {
    writeFileSync(path, 'precious');
    await expect(start()).rejects.toMatchObject({ facts: { type: 'broker/socket-path' } });
    expect(statSync(path).size).toBe(8);
  });

  it('says what is wrong with the place', async () => {
    await expect(start({ place: { path: join(directory, 'x'.repeat(100)) } })).rejects.toMatchObject({
      facts: { type: 'broker/socket-path', why: 'its path is too long for a socket' },
    });
    await expect(start({ place: { path: join(directory, 'no/such/broker.socket') } })).rejects.toMatchObject({
      facts: { type: 'broker/socket-path', why: 'its directory does not exist' },
    });
  });

  it('does not remove a successor’s socket', async () => {
    const first = await start();
    rmSync(path);
    await start();
    await first.close();
    expect(await ask('is_host_alive')).toBe('<array><data/></array>');
  });
});
