import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, StompParser, StompProtocolError, type StompItem, type StompLimits } from './stomp.ts';

/** Items in a form that `toEqual` compares by content. */
function plain(items: readonly StompItem[]) {
  return items.map((item) =>
    item.kind === 'heart-beat'
      ? 'heart-beat'
      : { command: item.frame.command, headers: { ...item.frame.headers }, body: item.frame.body.toString('base64') },
  );
}

/** Pushes the stream in pieces of the given sizes (the rest as the last piece); an error ends it. */
function parsePieces(stream: Buffer, sizes: readonly number[], limits?: StompLimits) {
  const parser = new StompParser(limits);
  const items: StompItem[] = [];
  let at = 0;
  for (const size of [...sizes, stream.length]) {
    const piece = Buffer.from(stream.subarray(at, at + size));
    at += size;
    try {
      items.push(...parser.push(piece));
    } catch (error) {
      if (!(error instanceof StompProtocolError)) throw error;
      items.push(...error.itemsBefore);
      return { items: plain(items), failed: true };
    }
    if (at >= stream.length) break;
  }
  return { items: plain(items), failed: false };
}

const header = fc.string({ unit: 'grapheme', maxLength: 12 });
const frames = fc.array(
  fc.record({
    command: fc.constantFrom('CONNECT', 'SEND', 'MESSAGE', 'SUBSCRIBE', 'DISCONNECT'),
    headers: fc.dictionary(
      fc
        .oneof(header, fc.constantFrom('__proto__', 'toString', ':', '\\', 'a\nb'))
        .filter((k) => k !== 'content-length'),
      header,
    ),
    body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 5 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
/** Bytes that look enough like STOMP to reach every branch. */
const garbage = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'SEND',
        'MESSAGE\n',
        'a:b\n',
        '\n',
        '\r\n',
        '\0',
        'content-length:3\n',
        'content-length:x\n',
        '\\',
        ':',
      ),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 20 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

describe('STOMP codec', () => {
  it('round-trips any headers and bodies, whatever the split', () => {
    fc.assert(
      fc.property(frames, sizes, (sent, cuts) => {
        const stream = Buffer.concat(sent.map((f) => encodeFrame(f.command, f.headers, f.body)));
        const { items, failed } = parsePieces(stream, cuts);
        expect(failed).toBe(false);
        expect(items).toHaveLength(sent.length);
        for (const [i, f] of sent.entries()) {
          const got = items[i];
          if (got === undefined || typeof got === 'string') throw new Error('a heart-beat where a frame was sent');
          expect(got.command).toBe(f.command);
          expect(got.body).toBe(f.body.toString('base64'));
          const { 'content-length': length, ...headers } = got.headers;
          expect(new Map(Object.entries(headers))).toEqual(new Map(Object.entries(f.headers)));
          if (f.body.length > 0) expect(length).toBe(String(f.body.length));
        }
      }),
    );
  });

  it('gives the same items and the same verdict for any split of any bytes', () => {
    const limits = { headerBytesMax: 24, bodyBytesMax: 24 };
    fc.assert(
      fc.property(garbage, sizes, (stream, cuts) => {
        expect(parsePieces(stream, cuts, limits)).toEqual(parsePieces(stream, [], limits));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads CR LF line ends, EOLs between frames and bodies that end at the first NUL', () => {
    const parsed = parsePieces(
      Buffer.from('\n\r\nCONNECTED\r\nversion:1.2\r\n\r\n\0\nMESSAGE\na:1\na:2\n\nbody\0'),
      [],
    );
    expect(parsed.items).toEqual([
      'heart-beat',
      'heart-beat',
      { command: 'CONNECTED', headers: { version: '1.2' }, body: '' },
      'heart-beat',
      { command: 'MESSAGE', headers: { a: '1' }, body: Buffer.from('body').toString('base64') },
    ]);
  });

  it('replaces a content-length that came along with forwarded headers', () => {
    const text = encodeFrame('SEND', { 'content-length': '999', destination: 'q' }, 'zwölf').toString('utf8');
    expect(text).toBe('SEND\ndestination:q\ncontent-length:6\n\nzwölf\0');
  });

  it.each([
    ['lower-case command', 'hello\n\n\0'],
    ['an HTTP answer', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['raw colon in a value', 'SEND\na:b:c\n\n\0'],
    ['undefined escape', 'SEND\na:\\t\n\n\0'],
    ['lone backslash', 'SEND\na:b\\\n\n\0'],
    ['header without a colon', 'SEND\nabc\n\n\0'],
    ['content-length too small', 'SEND\ncontent-length:1\n\nabc\0'],
    ['content-length not a number', 'SEND\ncontent-length:-1\n\nabc\0'],
    ['body over the limit', 'SEND\ncontent-length:9999999999\n\n'],
  ])('refuses %s', (_name, text) => {
    expect(() => new StompParser().push(Buffer.from(text))).toThrow(StompProtocolError);
  });

  it('keeps a 16 MiB body without content-length linear in small reads', () => {
    const parser = new StompParser();
    parser.push(Buffer.from('MESSAGE\n\n'));
    const piece = Buffer.alloc(4096, 'x');
    const started = performance.now();
    for (let i = 0; i < 4096; i += 1) expect(parser.push(piece)).toEqual([]);
    const [item] = parser.push(Buffer.from('\0'));
    expect(item?.kind === 'frame' && item.frame.body.length).toBe(16 * 1024 * 1024);
    // Quadratic joining would copy 32 GiB here; the bound is loose for a busy machine.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(() => {
      parser.push(Buffer.from('MESSAGE\n\n'));
      for (let i = 0; i < 4097; i += 1) parser.push(piece);
    }).toThrow(/body above/);
  });
});
