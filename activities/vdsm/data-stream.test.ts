import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { getVolume, putVolume } from './data-stream.ts';
import { isCode } from './errors.ts';
import { factsOf, FakeVdsm, makePki, type Pki } from './testing.ts';

let pki: Pki;
let vdsm: FakeVdsm;
const place = { pool: 'p', domain: 'd', image: 'i', volume: 'v' };

beforeAll(async () => {
  pki = await makePki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  vdsm = await new FakeVdsm(pki).listen();
});
afterEach(() => vdsm.close());

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('PUT', () => {
  it('sends every byte under the ids, and takes an answer that has neither length nor end', async () => {
    const bytes = Buffer.alloc(3 * 1024 * 1024, 'ovf');
    let got: Buffer = Buffer.alloc(0);
    let seen: IncomingMessage | undefined;
    vdsm.onHttp = async (request, response) => {
      seen = request;
      got = await bodyOf(request);
      // As VDSM does it: a head, no content-length, connection left open.
      response.socket?.write('HTTP/1.1 200 OK\r\nTask-Id: t1\r\n\r\n');
    };
    expect(await putVolume(vdsm.peer(), place, bytes)).toEqual({ taskId: 't1' });
    expect(got.equals(bytes)).toBe(true);
    expect(seen?.method).toBe('PUT');
    expect(seen?.url).toBe('/');
    expect(seen?.headers).toMatchObject({
      'storage-pool-id': 'p',
      'storage-domain-id': 'd',
      'image-id': 'i',
      'volume-id': 'v',
      'content-length': String(bytes.length),
    });
  });

  it('500 with a status object is the error of that code', async () => {
    vdsm.onHttp = async (request, response) => {
      await bodyOf(request);
      const body = JSON.stringify({ status: { code: 654, message: 'Not SPM' } });
      response.writeHead(500, { 'content-type': 'application/json' }).end(body);
    };
    const error = await putVolume(vdsm.peer(), place, Buffer.from('x')).catch((caught: unknown) => caught);
    expect(isCode(error, 654)).toBe(true);
  });

  it('500 without one may come after the first bytes: outcome unknown', async () => {
    vdsm.onHttp = (_request, response) => void response.writeHead(500).end();
    expect(await factsOf(putVolume(vdsm.peer(), place, Buffer.from('x')))).toMatchObject({
      type: 'vdsm/stream-refused',
      code: 500,
      outcomeUnknown: true,
    });
    vdsm.onHttp = (_request, response) => void response.writeHead(411).end();
    expect(await factsOf(putVolume(vdsm.peer(), place, Buffer.from('x')))).toMatchObject({
      kind: 'fatal',
      code: 411,
      outcomeUnknown: false,
    });
  });

  it('cut half way: outcome unknown', async () => {
    vdsm.onHttp = (request) => void request.once('data', () => vdsm.kick());
    const facts = await factsOf(putVolume(vdsm.peer(), place, Buffer.alloc(8 * 1024 * 1024)));
    expect(facts).toMatchObject({ type: 'vdsm/stream-cut', outcomeUnknown: true, kind: 'retryable' });
  });

  it('never sent: the trouble with the connection, outcome known', async () => {
    await vdsm.close();
    const facts = await factsOf(putVolume(vdsm.peer(), place, Buffer.from('x')));
    expect(facts.type).toBe('vdsm/connection-refused');
    expect(facts.outcomeUnknown).not.toBe(true);
  });

  it('too slow, or aborted', async () => {
    let arrived = 0;
    vdsm.onHttp = () => {
      arrived += 1;
    };
    const facts = await factsOf(putVolume(vdsm.peer(), place, Buffer.from('x'), { timeoutMs: 300 }));
    expect(facts).toMatchObject({ type: 'vdsm/stream-cut', outcomeUnknown: true, why: 'not done within 300 ms' });
    const controller = new AbortController();
    const reason = new Error('stop');
    const put = expect(putVolume(vdsm.peer(), place, Buffer.from('x'), { signal: controller.signal })).rejects.toBe(
      reason,
    );
    await vi.waitFor(() => expect(arrived).toBe(2));
    controller.abort(reason);
    await put;
  });
});

describe('GET', () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

  it('asks for the first bytes and gives exactly those', async () => {
    let range: string | undefined;
    vdsm.onHttp = (request, response) => {
      range = request.headers.range;
      const end = Number(range?.split('-')[1]) + 1;
      response.writeHead(206, { 'content-length': end, 'task-id': 't2' }).end(content.subarray(0, end));
    };
    const got = await getVolume(vdsm.peer(), place, 200_000);
    expect(range).toBe('bytes=0-199999');
    expect(got.equals(content.subarray(0, 200_000))).toBe(true);
  });

  it.each([
    ['cut by the connection', { 'content-length': 1000 }],
    ['ended early in good order', {}],
  ])('an answer %s is an error, and reading may be repeated', async (_name, headers) => {
    vdsm.onHttp = (_request, response) => {
      response.writeHead(206, { connection: 'close', ...headers });
      response.write(content.subarray(0, 500), () => response.socket?.end());
    };
    const facts = await factsOf(getVolume(vdsm.peer(), place, 1000));
    expect(facts).toMatchObject({ type: 'vdsm/stream-cut', kind: 'retryable' });
    expect(facts.why).toContain('500 of 1000 bytes');
    expect(facts.outcomeUnknown).not.toBe(true);
  });

  it('a failure has its code, and 200 instead of 206 is refused', async () => {
    vdsm.onHttp = (_request, response) =>
      void response.writeHead(500).end(JSON.stringify({ status: { code: 201, message: 'Volume does not exist' } }));
    const error = await getVolume(vdsm.peer(), place, 10).catch((caught: unknown) => caught);
    expect(isCode(error, 201)).toBe(true);
    vdsm.onHttp = (_request, response) => void response.writeHead(200).end('0123456789');
    expect(await factsOf(getVolume(vdsm.peer(), place, 10))).toMatchObject({ type: 'vdsm/stream-refused', code: 200 });
  });

  it('no length is refused before anything is sent', async () => {
    await expect(getVolume(vdsm.peer(), place, 0)).rejects.toThrow(RangeError);
  });
});
