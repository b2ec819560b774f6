import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDepth, readBody, readJson } from './body.ts';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

/** A request whose body comes in pieces, without a declared length. */
function chunked(pieces: number, size: number): { request: Request; sent: () => number } {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === pieces) controller.close();
      else {
        sent += 1;
        controller.enqueue(new Uint8Array(size).fill(120));
      }
    },
  });
  const init = { method: 'POST', body, duplex: 'half' } as const;
  return { request: new Request('http://localhost/', init), sent: () => sent };
}

describe('readBody', () => {
  it('reads what is declared and fits', async () => {
    const request = new Request('http://localhost/', { method: 'POST', body: 'abc' });
    expect(await readBody(request, '3', 3)).toEqual({ ok: true, bytes: new Uint8Array(Buffer.from('abc')) });
  });

  it.each(['4', '99999999999999999999', '-1', '1e3', 'x', ''])(
    'refuses a declared length of "%s" unread',
    async (length) => {
      const request = new Request('http://localhost/', { method: 'POST', body: 'abc' });
      expect(await readBody(request, length, 3)).toEqual({ ok: false, limit: 3 });
      expect(request.bodyUsed).toBe(false);
    },
  );

  it('does not believe a declared length that is too small', async () => {
    const request = new Request('http://localhost/', { method: 'POST', body: 'abcdef' });
    expect(await readBody(request, '3', 3)).toEqual({ ok: false, limit: 3 });
  });

  it('counts chunks and stops reading at the limit', async () => {
    const small = chunked(3, 100);
    const read = await readBody(small.request, undefined, 300);
    expect(read.ok && read.bytes.byteLength).toBe(300);
    const endless = chunked(1000, 100);
    expect(await readBody(endless.request, undefined, 300)).toEqual({ ok: false, limit: 300 });
    expect(endless.sent()).toBeLessThan(10);
  });

  it('takes no body at all as an empty one', async () => {
    expect(await readBody(new Request('http://localhost/'), undefined, 3)).toEqual({
      ok: true,
      bytes: new Uint8Array(),
    });
  });
});

describe('readJson', () => {
  it('measures the depth of any JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(jsonDepth(Buffer.from(JSON.stringify(value)))).toBe(depthOf(value));
      }),
    );
  });

  it('gives the value of any JSON within the depth, and never throws on other bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        expect(readJson(Buffer.from(text))).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readJson(bytes)));
  });

  it.each([
    ['['.repeat(32) + ']'.repeat(32), true],
    ['['.repeat(33) + ']'.repeat(33), false],
    ['{"a":'.repeat(33) + '1' + '}'.repeat(33), false],
    [`["${'['.repeat(100)}\\"${'{'.repeat(100)}"]`, true],
  ])('nesting %.20s...', (text, ok) => {
    expect(readJson(Buffer.from(text)).ok).toBe(ok);
  });

  it('refuses what is no UTF-8, and says why', () => {
    expect(readJson(Uint8Array.of(0x22, 0xff, 0x22)).ok).toBe(false);
    expect(readJson(Buffer.from('{"a":}'))).toMatchObject({ ok: false, why: expect.stringContaining('JSON') });
  });
});
