import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VdsmClient } from './client.ts';
import { dialTls, type VdsmPeer } from './dial.ts';
import { encodeFrame } from './stomp.ts';
import { factsOf, FakeVdsm, makeCa, makeCertificate, makePki, type Pki } from './testing.ts';
import { Wire } from './wire.ts';

let pki: Pki;
let vdsm: FakeVdsm;

beforeAll(async () => {
  pki = await makePki();
});
afterAll(() => pki.remove());
beforeEach(() => {
  vdsm = new FakeVdsm(pki);
});
afterEach(() => vdsm.close());

/** Opens and closes a wire; what goes wrong comes out as with any call. */
async function open(peer: VdsmPeer, connectTimeoutMs = 5_000): Promise<void> {
  const handlers = { onAnswer: () => {}, onEvent: () => {}, onLost: () => {} };
  const wire = await Wire.open(peer, handlers, { connectTimeoutMs });
  await wire.close();
}

describe('certificates', () => {
  it("an expired host's certificate: renew it, at once and not at the deadline", async () => {
    await vdsm.listen(await makeCertificate('host1', pki.ca, true));
    const host = new VdsmClient({ ...vdsm.peer(), callTimeoutMs: 60_000 });
    const facts = await factsOf(host.call('Host.ping2', {}));
    expect(facts).toMatchObject({ type: 'vdsm/certificate-expired', kind: 'needs-operator', subject: 'host1' });
    expect(facts.remedy).toContain('Enroll Certificate');
    await host.close();
  });

  it('another CA: which file to use', async () => {
    await vdsm.listen(await makeCertificate('host1', await makeCa('other')));
    const facts = await factsOf(open(vdsm.peer()));
    expect(facts).toMatchObject({ type: 'vdsm/tls-untrusted', kind: 'needs-operator' });
    expect(facts.remedy).toContain('cacert.pem');
  });

  it('a host that was never added to an engine', async () => {
    await vdsm.listen(await makeCertificate('host1'));
    expect((await factsOf(open(vdsm.peer()))).why).toContain('self-signed');
  });

  it('our own certificate from another CA: the host hangs up, and the message says what that means', async () => {
    await vdsm.listen();
    const stranger = await makeCertificate('client', await makeCa('other'));
    await writeFile(`${pki.files.cert}.other`, stranger.cert);
    await writeFile(`${pki.files.key}.other`, stranger.key);
    const peer = vdsm.peer({ cert: `${pki.files.cert}.other`, key: `${pki.files.key}.other` });
    const facts = await factsOf(open(peer));
    expect(facts.type).toMatch(/^vdsm\/(connection-lost|tls-refused)$/);
    expect(facts.remedy).toContain('client certificate');
  });

  it('are read again at each dial', async () => {
    await vdsm.listen();
    const path = `${pki.files.ca}.changing`;
    await writeFile(path, (await makeCa('before host-deploy')).cert);
    expect((await factsOf(open(vdsm.peer({ ca: path })))).type).toBe('vdsm/tls-untrusted');
    await writeFile(path, pki.ca.cert);
    await open(vdsm.peer({ ca: path }));
  });

  it.each([
    ['missing', '/nonexistent/key.pem', 'ENOENT'],
    ['no PEM', undefined, 'key'],
  ])('a file that is %s is named', async (_name, path, text) => {
    await vdsm.listen();
    const broken = `${pki.files.key}.broken`;
    await writeFile(broken, 'not a key');
    const facts = await factsOf(open(vdsm.peer({ key: path ?? broken })));
    expect(facts).toMatchObject({ type: 'vdsm/certificate-unusable', kind: 'needs-operator' });
    expect(facts.what + facts.why).toContain(text);
  });

  it("the server's name counts only when asked for", async () => {
    await vdsm.listen();
    await open(vdsm.peer());
    const facts = await factsOf(open(vdsm.peer({ checkServerName: true })));
    expect(facts.why).toContain('another name');
    vdsm.kick();
    await vdsm.close();
    await vdsm.listen(await makeCertificate('localhost', pki.ca));
    await open(vdsm.peer({ checkServerName: true, address: 'localhost' }));
  });
});

describe('peers that are no VDSM', () => {
  async function withPlainServer(greet: string | undefined, act: (port: number) => Promise<void>): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume();
      if (greet !== undefined) socket.once('data', () => socket.end(greet));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address: AddressInfo | string | null = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    await act(address.port);
    await new Promise((resolve) => server.close(resolve));
  }

  it('nobody listens', async () => {
    await vdsm.listen();
    await vdsm.close();
    const facts = await factsOf(open(vdsm.peer()));
    expect(facts).toMatchObject({ type: 'vdsm/connection-refused', kind: 'retryable', code: 'ECONNREFUSED' });
  });

  it('no TLS on the port', async () => {
    await withPlainServer('HTTP/1.1 400 Bad Request\r\n\r\n', async (port) => {
      expect(await factsOf(open(vdsm.peer({ port })))).toMatchObject({ type: 'vdsm/not-tls' });
    });
  });

  it('a port that takes connections and says nothing', async () => {
    await withPlainServer(undefined, async (port) => {
      expect(await factsOf(open(vdsm.peer({ port }), 100))).toMatchObject({ type: 'vdsm/connect-timeout' });
    });
  });

  it.each([
    ['another version', () => encodeFrame('CONNECTED', { version: '1.1' }), 'STOMP version 1.1'],
    ['an ERROR', () => encodeFrame('ERROR', {}, 'Version unsupported'), 'Version unsupported'],
    ['bytes of another protocol', () => Buffer.from('220 ready\r\n'), 'frame'],
    ['nothing', () => undefined, 'no CONNECTED within'],
  ])('CONNECT answered with %s', async (_name, onConnect, why) => {
    await vdsm.listen();
    vdsm.onConnect = onConnect;
    const facts = await factsOf(open(vdsm.peer(), 300));
    expect(facts).toMatchObject({ type: 'vdsm/protocol', kind: 'retryable' });
    expect(facts.why).toContain(why);
  });
});

describe('dialTls', () => {
  it("ends with the signal's reason", async () => {
    await vdsm.listen();
    const reason = new Error('stop');
    await expect(dialTls(vdsm.peer(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const handlers = { onAnswer: () => {}, onEvent: () => {}, onLost: () => {} };
    vdsm.onConnect = () => {
      controller.abort(reason);
      return undefined;
    };
    await expect(Wire.open(vdsm.peer(), handlers, { signal: controller.signal })).rejects.toBe(reason);
  });
});
