/** Content that does not fit into memory passes through the data stream, both ways. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { CounterpartError } from '../errors.ts';
import { putVolumeFrom, scanVolume } from './data-stream.ts';
import { factsOf, FakeVdsm, makePki, type Pki } from './testing.ts';

let pki: Pki;
let vdsm: FakeVdsm;
const place = { pool: 'p', domain: 'd', image: 'i', volume: 'v' };
const MIB = 2 ** 20;
const PIECES = 48;

beforeAll(async () => {
  pki = await makePki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  vdsm = await new FakeVdsm(pki).listen();
});
afterEach(() => vdsm.close());

const piece = (nth: number) => Buffer.alloc(MIB, nth);

function digestOfAll(): string {
  const hash = createHash('sha256');
  for (let nth = 0; nth < PIECES; nth += 1) hash.update(piece(nth));
  return hash.digest('hex');
}

it('a PUT takes the next piece only when the host has taken those before', async () => {
  let made = 0;
  let taken = 0;
  let most = 0;
  const hash = createHash('sha256');
  vdsm.onHttp = async (request: IncomingMessage, response) => {
    for await (const chunk of request) {
      const bytes = chunk as Buffer;
      hash.update(bytes);
      taken += bytes.length;
      most = Math.max(most, made * MIB - taken);
    }
    response.socket?.write('HTTP/1.1 200 OK\r\nTask-Id: t1\r\n\r\n');
  };
  async function* read(): AsyncGenerator<Buffer> {
    for (; made < PIECES; made += 1) yield piece(made);
  }
  expect(await putVolumeFrom(vdsm.peer(), place, { bytes: PIECES * MIB, read })).toEqual({ taskId: 't1' });
  expect(taken).toBe(PIECES * MIB);
  expect(hash.digest('hex')).toBe(digestOfAll());
  // What was made and not yet taken lies in the sockets and in one stream's buffer.
  expect(most).toBeLessThan(16 * MIB);
});

it('an error of the source is the one that the caller gets', async () => {
  vdsm.onHttp = async (request, response) => {
    request.on('error', () => response.destroy());
    for await (const chunk of request) void chunk;
  };
  async function* read(): AsyncGenerator<Buffer> {
    yield piece(1);
    throw new CounterpartError({
      type: 'archive/not-found',
      kind: 'needs-operator',
      subject: 'appliance',
      what: 'it is gone',
      why: 'somebody removed it',
      remedy: 'Put it back',
    });
  }
  const facts = await factsOf(putVolumeFrom(vdsm.peer(), place, { bytes: 9 * MIB, read }));
  expect(facts.type).toBe('archive/not-found');
});

it('a scan hands on every byte and keeps none; too few are an error', async () => {
  vdsm.onHttp = async (request, response) => {
    const wanted = Number(/-(\d+)$/.exec(request.headers.range ?? '')?.[1]) + 1;
    response.writeHead(206, { 'content-length': wanted });
    for (let nth = 0; nth * MIB < Math.min(wanted, PIECES * MIB); nth += 1) {
      if (!response.write(piece(nth))) await new Promise((resolve) => response.once('drain', resolve));
    }
    if (wanted > PIECES * MIB) response.destroy();
    else response.end();
  };
  const hash = createHash('sha256');
  await scanVolume(vdsm.peer(), place, PIECES * MIB, (bytes) => hash.update(bytes));
  expect(hash.digest('hex')).toBe(digestOfAll());
  const facts = await factsOf(scanVolume(vdsm.peer(), place, PIECES * MIB + 1, () => {}));
  expect(facts).toMatchObject({ type: 'vdsm/stream-cut', kind: 'retryable' });
});
