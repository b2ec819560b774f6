import { writeFileSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EngineClient, type EngineOptions } from './client.ts';
import { EngineError } from './errors.ts';
import { FakeEngine, PASSWORD, type Reply, USER, selfSigned } from './testing.ts';
import { correlationIdOf, pathOf } from './transport.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function fakeEngine(options?: Parameters<typeof FakeEngine.start>[0]): Promise<FakeEngine> {
  const engine = await FakeEngine.start(options);
  closers.push(() => engine.stop());
  return engine;
}

function clientOf(engine: Pick<FakeEngine, 'url' | 'caFile'>, options: Partial<EngineOptions> = {}): EngineClient {
  const client = new EngineClient({
    baseUrl: `${engine.url}/ovirt-engine/api`,
    caFile: engine.caFile,
    user: USER,
    password: () => PASSWORD,
    timeoutMs: 5_000,
    ...options,
  });
  closers.push(() => client.close());
  return client;
}

/** A TCP server on loopback; its port. */
async function plainServer(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    closers.push(() => Promise.resolve(void socket.destroy()));
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function failure(work: Promise<unknown>): Promise<EngineError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
  return error;
}

const VMS: Reply = { json: { vm: [{ id: 'v1', name: 'HostedEngine', status: 'up' }] } };
const TOKEN = 'POST /ovirt-engine/sso/oauth/token';

describe('the token', () => {
  it('is asked for with exactly the four members and one media type', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    await clientOf(engine).vms();
    const [login] = engine.calls(TOKEN);
    expect(Object.fromEntries(new URLSearchParams(login?.body))).toEqual({
      grant_type: 'password',
      scope: 'ovirt-app-api',
      username: USER,
      password: PASSWORD,
    });
    expect(login?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    });
  });

  it('is shared: thirty calls at once log in once', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => client.withCorrelation(`op-${i}`).vms()));
    expect(answers.flat()).toHaveLength(30);
    expect(engine.calls(TOKEN)).toHaveLength(1);
  });

  it('is renewed once after a 401, by one log-in for all', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    engine.revokeTokens();
    const answers = await Promise.all(Array.from({ length: 12 }, () => client.vms()));
    expect(answers.flat()).toHaveLength(12);
    expect(engine.calls(TOKEN)).toHaveLength(2);
  });

  it('renews for a change too, which then happens once', async () => {
    const engine = await fakeEngine();
    let done = 0;
    engine.on('GET /vms', VMS);
    engine.on('POST /hosts/h1/activate', () => {
      done += 1;
      return { json: { status: 'complete' } };
    });
    const client = clientOf(engine);
    await client.vms();
    engine.revokeTokens();
    await client.activateHost('h1');
    expect(done).toBe(1);
  });

  it('refused late, when a newer one is there already, does not end the newer one', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    let refuse = () => {};
    const refused = new Promise<void>((resolve) => (refuse = resolve));
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    engine.on('GET /hosts', async () => {
      engine.on('GET /hosts', { json: { host: [{ id: 'h', name: 'host1' }] } });
      arrive();
      await refused;
      return { status: 401, text: '' };
    });
    const slow = client.hosts();
    await arrived;
    engine.revokeTokens();
    await client.vms();
    refuse();
    expect(await slow).toHaveLength(1);
    await client.vms();
    expect(engine.calls(TOKEN)).toHaveLength(2);
  });

  it('refused twice is an error of the credentials, not a loop', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', { status: 401, text: '' });
    const error = await failure(clientOf(engine).vms());
    expect(error.facts).toMatchObject({ type: 'engine/credentials-refused', kind: 'needs-operator', code: 401 });
    expect(engine.calls('GET /vms')).toHaveLength(2);
    expect(engine.calls(TOKEN)).toHaveLength(2);
  });

  it('is refused for a wrong password: tried once, and the password shows nowhere', async () => {
    const engine = await fakeEngine();
    const secret = 'not-the-password-7431';
    const said: unknown[] = [];
    const logger = { debug: (...all: unknown[]) => said.push(all), warn: (...all: unknown[]) => said.push(all) };
    const error = await failure(clientOf(engine, { password: () => secret, logger }).vms());
    expect(error.facts).toMatchObject({ type: 'engine/credentials-refused', kind: 'needs-operator' });
    expect(error.message).toContain('Unable to log in');
    expect(engine.calls(TOKEN)).toHaveLength(1);
    expect(JSON.stringify([error, error.message, String(error.stack), said])).not.toContain(secret);
  });

  it('reads the password again at the next log-in', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const passwords = ['old', PASSWORD];
    const client = clientOf(engine, { password: () => Promise.resolve(passwords.shift() ?? '') });
    await failure(client.vms());
    expect(await client.vms()).toHaveLength(1);
  });

  it.each([
    [
      { status: 400, json: { error_code: 'invalid_scope', error: 'bad scope' } },
      'engine/login-refused',
      'needs-operator',
    ],
    [
      { status: 400, json: { error: 'access_denied', error_description: 'no' } },
      'engine/credentials-refused',
      'needs-operator',
    ],
    [{ status: 200, json: { error: 'access_denied' } }, 'engine/credentials-refused', 'needs-operator'],
    [{ status: 400, json: { error_code: 'server_error', error: 'oops' } }, 'engine/login-refused', 'retryable'],
    [{ status: 503, text: '<html>Service Unavailable</html>' }, 'engine/unavailable', 'retryable'],
    [{ status: 404, text: '<html>Not Found</html>' }, 'engine/starting', 'retryable'],
    [{ status: 200, json: { exp: '1' } }, 'engine/bad-answer', 'retryable'],
    ['drop', 'engine/unreachable', 'retryable'],
  ] as const)('answered with %j is %s', async (reply, type, kind) => {
    const engine = await fakeEngine();
    engine.login = () => reply;
    const error = await failure(clientOf(engine).setGlobalMaintenance('v1', true));
    expect(error.facts).toMatchObject({ type, kind });
    // The change itself was never sent.
    expect(error.facts.outcomeUnknown).toBeUndefined();
  });

  it('survives a caller that gives up during the shared log-in', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    const impatient = new AbortController();
    let release = () => {};
    engine.holdLogin = new Promise((resolve) => (release = resolve));
    const first = client.vms(undefined, { signal: impatient.signal });
    const second = client.vms();
    impatient.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    release();
    expect(await second).toHaveLength(1);
  });

  it('is given back at the end', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    const used = engine.calls('GET /vms')[0]?.headers.authorization?.replace('Bearer ', '');
    await client.close();
    const [logout] = engine.calls('POST /ovirt-engine/services/sso-logout');
    expect(Object.fromEntries(new URLSearchParams(logout?.body))).toEqual({ scope: 'ovirt-app-api', token: used });
  });

  it('is not asked for only to give it back, and close survives a dead engine', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const [idle, used] = [clientOf(engine), clientOf(engine)];
    await idle.close();
    expect(engine.seen).toHaveLength(0);
    await used.vms();
    await engine.stop();
    await used.close();
  });
});

describe('every call', () => {
  it('says which version, which format and which operation it is for', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.withCorrelation('upgrade/Default/CHG0001234').vms('name="HostedEngine"');
    await client.vms();
    const [first, second] = engine.calls('GET /vms');
    expect(first?.headers).toMatchObject({
      accept: 'application/json',
      version: '4',
      'correlation-id': 'upgradeDefaultCHG0001234',
    });
    expect(first?.query.get('search')).toBe('name="HostedEngine"');
    expect(second?.headers['correlation-id']).toBeUndefined();
  });

  it('keeps correlation ids as the engine does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
        const id = correlationIdOf(text);
        if (id === undefined) expect(text).not.toMatch(/[0-9A-Za-z_-]/);
        else expect(id).toMatch(/^[0-9A-Za-z_-]{1,36}$/);
      }),
    );
  });

  it('can not leave its path', () => {
    expect(pathOf('vms', '../hosts?x=1#')).toBe('/vms/..%2Fhosts%3Fx%3D1%23');
  });

  it('reads over kept connections, and changes over one of its own', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    engine.on('POST /hosts/h1/activate', { json: { status: 'complete' } });
    const client = clientOf(engine);
    await client.vms();
    await client.activateHost('h1');
    await client.vms();
    const [read, again] = engine.calls('GET /vms');
    expect(again?.connection).toBe(read?.connection);
    expect(engine.calls('POST /hosts/h1/activate')[0]?.connection).not.toBe(read?.connection);
  });

  it('reads again by itself when the server had closed the kept connection', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    let first = true;
    engine.on('GET /vms', () => {
      if (!first) return VMS;
      first = false;
      return 'drop';
    });
    expect(await client.vms()).toHaveLength(1);
    engine.closeIdle();
    expect(await client.vms()).toHaveLength(1);
  });
});

describe('no answer', () => {
  it.each(['drop', 'cut', 'silence', 'stall'] as const)('(%s) leaves the outcome of a change open', async (reply) => {
    const engine = await fakeEngine();
    let seen = 0;
    engine.on('POST /storagedomains', () => {
      seen += 1;
      return reply;
    });
    const request = { name: 'sd', host: 'host1', storageType: 'nfs', address: 'a', path: '/p' } as const;
    const error = await failure(clientOf(engine).importFileStorageDomain(request, { timeoutMs: 300 }));
    expect(error.facts).toMatchObject({
      type: reply === 'silence' || reply === 'stall' ? 'engine/timeout' : 'engine/unreachable',
      kind: 'retryable',
      subject: 'storage domain sd at a:/p',
      outcomeUnknown: true,
    });
    expect(seen).toBe(1);
  });

  it.each(['drop', 'cut', 'silence', 'stall'] as const)('(%s) to a read is simply retryable', async (reply) => {
    const engine = await fakeEngine();
    engine.on('GET /vms', reply);
    const error = await failure(clientOf(engine).vms(undefined, { timeoutMs: 300 }));
    expect(error.facts.kind).toBe('retryable');
    expect(error.facts.outcomeUnknown).toBeUndefined();
  });

  it('on a kept connection: the request was sent', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    engine.on('GET /vms', 'silence');
    expect((await failure(client.vms(undefined, { timeoutMs: 200 }))).facts.why).toContain('the request was sent');
  });

  it('because nobody listens: nothing was sent', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    await engine.stop();
    const error = await failure(client.setGlobalMaintenance('v1', true));
    expect(error.facts).toMatchObject({ type: 'engine/unreachable', kind: 'retryable', code: 'ECONNREFUSED' });
    expect(error.facts.why).toContain('was not sent');
    expect(error.facts.outcomeUnknown).toBeUndefined();
  });

  it('because the peer takes the connection but no handshake: nothing was sent', async () => {
    const port = await plainServer(() => {});
    const engine = await fakeEngine();
    const client = clientOf({ url: `https://127.0.0.1:${port}`, caFile: engine.caFile }, { timeoutMs: 200 });
    const health = await failure(client.health());
    expect(health.facts).toMatchObject({ type: 'engine/timeout', kind: 'retryable' });
    expect(health.facts.why).toContain('was not sent');
  });

  it('because it is no TLS server', async () => {
    const port = await plainServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const engine = await fakeEngine();
    const error = await failure(clientOf({ url: `https://127.0.0.1:${port}`, caFile: engine.caFile }).health());
    expect(error.facts).toMatchObject({ type: 'engine/tls-failed', kind: 'needs-operator' });
  });

  it('because the name does not resolve', async () => {
    const engine = await fakeEngine();
    const client = clientOf({ url: 'https://engine.does-not-exist.invalid', caFile: engine.caFile });
    const error = await failure(client.health());
    expect(error.facts).toMatchObject({ type: 'engine/name-not-resolved', kind: 'retryable' });
  });

  it('when the caller gives up: its own reason comes back', async () => {
    const engine = await fakeEngine();
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    await client.vms();
    const controller = new AbortController();
    engine.on('GET /vms', () => {
      controller.abort(new Error('the operation was cancelled'));
      return 'silence';
    });
    await expect(client.vms(undefined, { signal: controller.signal })).rejects.toThrow('the operation was cancelled');
    await expect(client.withCorrelation('op', controller.signal).vms()).rejects.toThrow('the operation was cancelled');
  });
});

describe('the certificate', () => {
  it('of another authority is refused until the CA file is right, without a restart', async () => {
    const [right, other] = await Promise.all([selfSigned('127.0.0.1'), selfSigned('127.0.0.1')]);
    const engine = await fakeEngine({ pair: right, trusted: other.cert });
    engine.on('GET /vms', VMS);
    const client = clientOf(engine);
    const error = await failure(client.vms());
    expect(error.facts).toMatchObject({ type: 'engine/certificate-not-trusted', kind: 'needs-operator' });
    expect(error.facts.remedy).toContain('pki-resource');
    expect(engine.seen).toHaveLength(0);
    writeFileSync(engine.caFile, right.cert);
    expect(await client.vms()).toHaveLength(1);
  });

  it('out of date, or for another name, says so', async () => {
    const now = Date.now();
    const old = await fakeEngine({ pair: await selfSigned('127.0.0.1', { fromMs: now - 9e8, toMs: now - 1e8 }) });
    expect((await failure(clientOf(old).health())).facts.type).toBe('engine/certificate-expired');
    const named = await fakeEngine({ pair: await selfSigned('engine.example.test') });
    expect((await failure(clientOf(named).health())).facts.type).toBe('engine/certificate-name');
  });

  it('without its CA file', async () => {
    const engine = await fakeEngine();
    const error = await failure(clientOf({ url: engine.url, caFile: `${engine.caFile}.gone` }).vms());
    expect(error.facts).toMatchObject({ type: 'engine/ca-file', kind: 'needs-operator' });
  });
});

describe('the address', () => {
  it.each([
    'http://engine.example',
    'engine.example',
    'https://u:p@engine.example',
    'https://engine.example/other',
    '',
  ])('%j is refused at once', (baseUrl) => {
    const make = () => new EngineClient({ baseUrl, caFile: 'x', user: USER, password: () => '' });
    expect(make).toThrow('no HTTPS address');
  });

  it.each(['', '/', '/ovirt-engine', '/ovirt-engine/api', '/ovirt-engine/api/', '/ovirt-engine/api/v4'])(
    'may end in %j',
    async (end) => {
      const engine = await fakeEngine();
      engine.on('GET /vms', VMS);
      expect(await clientOf(engine, { baseUrl: `${engine.url}${end}` }).vms()).toHaveLength(1);
    },
  );
});
