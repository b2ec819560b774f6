import { array, assert, integer, nat, oneof, property, record, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  ANSWER_BYTES_MAX,
  AnswerReader,
  HEAD_BYTES,
  hostsOf,
  lockspacesOf,
  ownersOf,
  requests,
  SanlockProtocolError,
} from './codec.ts';

const resource = { lockspace: 'LS', name: 'engine', path: '/dev/leases', offset: 1048576 };

function answer(result: number, body: Buffer, data2 = 0): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(0x04282010, 0);
  head.writeUInt32LE(HEAD_BYTES + body.length, 16);
  head.writeInt32LE(result, 24);
  head.writeUInt32LE(data2, 28);
  return Buffer.concat([head, body]);
}

const bare = (body: Buffer): Answer => ({ result: 0, data2: 0, body });

function host(id: bigint, generation: bigint, timestamp: bigint, io: number, flags: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(id, 0);
  bytes.writeBigUInt64LE(generation, 8);
  bytes.writeBigUInt64LE(timestamp, 16);
  bytes.writeUInt32LE(io, 24);
  bytes.writeUInt32LE(flags, 28);
  return bytes;
}

describe('requests', () => {
  it('have the lengths and places that sanlock_sock.h gives', () => {
    const acquire = requests.acquire(resource);
    expect(acquire.length).toBe(32 + 128 + 1040 + 56);
    expect(acquire.subarray(0, 32).toString('hex')).toBe(
      ['10202804', '01000000', '07000000', '00000000', 'e8040000', '00000000', '01000000', 'ffffffff'].join(''),
    );
    expect(acquire.toString('latin1', 32, 34)).toBe('LS');
    expect(acquire.toString('latin1', 80, 86)).toBe('engine');
    expect(acquire.readUInt32LE(32 + 124)).toBe(1);
    expect(acquire.toString('latin1', 160, 171)).toBe('/dev/leases');
    expect(acquire.readBigUInt64LE(160 + 1024)).toBe(1048576n);
    const add = requests.addLockspace({ name: 'LS', hostId: 7, path: '/ids', offset: 0 }, 10);
    expect(add.length).toBe(32 + 1104);
    expect([add.readUInt32LE(8), add.readUInt32LE(24), add.readBigUInt64LE(32 + 48)]).toEqual([2, 10, 7n]);
    expect(requests.getHosts('LS').length).toBe(32 + 1104);
    expect(requests.release(resource).length).toBe(32 + 128);
    expect(requests.readResourceOwners(resource).length).toBe(32 + 128 + 1040);
  });

  it('refuse names that would be cut off or empty, as they would name another lock', () => {
    expect(() => requests.getHosts('x'.repeat(49))).toThrow(RangeError);
    expect(requests.getHosts('x'.repeat(48)).length).toBe(1136);
    expect(() => requests.getHosts('')).toThrow(RangeError);
    expect(() => requests.getHosts('a\0b')).toThrow(RangeError);
    expect(() => requests.acquire({ ...resource, path: `/${'p'.repeat(1023)}` })).toThrow(RangeError);
    expect(() => requests.acquire({ ...resource, offset: -1 })).toThrow(RangeError);
  });
});

describe('answers', () => {
  it('are the same however their bytes are cut', () => {
    assert(
      property(
        uint8Array({ maxLength: 300 }),
        integer({ min: -300, max: 0 }),
        array(integer({ min: 1, max: 40 }), { maxLength: 20 }),
        (body, result, cuts) => {
          const bytes = answer(result, Buffer.from(body), 5);
          const reader = new AnswerReader();
          let at = 0;
          let got: Answer | undefined;
          for (const cut of [...cuts, bytes.length]) {
            if (at >= bytes.length) break;
            got = reader.push(bytes.subarray(at, at + cut));
            at += cut;
          }
          expect(got).toEqual({ result, data2: 5, body: Buffer.from(body) });
        },
      ),
    );
  });

  it('are errors of one kind, or nothing yet, for any bytes', () => {
    const anything = uint8Array({ maxLength: 200 });
    const nearly = record({ length: nat(), rest: anything }).map(({ length, rest }) => {
      const bytes = answer(0, Buffer.from(rest));
      bytes.writeUInt32LE(length >>> 0, 16);
      return bytes;
    });
    assert(
      property(oneof(anything, nearly), (bytes) => {
        const reader = new AnswerReader();
        try {
          const got = reader.push(Buffer.from(bytes));
          if (got !== undefined) for (const parse of [hostsOf, lockspacesOf, ownersOf]) parse(got);
        } catch (error) {
          expect(error).toBeInstanceOf(SanlockProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never keep more than the limit', () => {
    const head = answer(0, Buffer.alloc(0));
    head.writeUInt32LE(ANSWER_BYTES_MAX + 1, 16);
    expect(() => new AnswerReader().push(head)).toThrow('an answer of');
    expect(() => new AnswerReader().push(Buffer.concat([answer(0, Buffer.alloc(0)), Buffer.from([1])]))).toThrow(
      'more bytes',
    );
  });

  it('tell hosts, lockspaces and owners', () => {
    expect(hostsOf(bare(Buffer.concat([host(1n, 3n, 99n, 10, 3), host(2n, 1n, 5n, 10, 5)])))).toEqual([
      { id: 1, generation: 3, timestamp: 99, ioSeconds: 10, state: 'live' },
      { id: 2, generation: 1, timestamp: 5, ioSeconds: 10, state: 'dead' },
    ]);
    expect(ownersOf(bare(Buffer.alloc(128)))).toEqual([]);
    expect(ownersOf(bare(Buffer.concat([Buffer.alloc(128), host(2n, 4n, 1n, 0, 0)])))).toEqual([
      { id: 2, generation: 4 },
    ]);
    const lockspace = requests.addLockspace({ name: 'n'.repeat(48), hostId: 9, path: '/ids', offset: 4096 }, 0);
    const body = Buffer.from(lockspace.subarray(32));
    const expected = { name: 'n'.repeat(48), hostId: 9, path: '/ids', offset: 4096 };
    expect(lockspacesOf(bare(body))).toEqual([{ ...expected, state: 'active' }]);
    body.writeUInt32LE(1, 56);
    expect(lockspacesOf(bare(body))[0]?.state).toBe('adding');
    body.writeUInt32LE(2, 56);
    expect(lockspacesOf(bare(body))[0]?.state).toBe('removing');
    expect(() => hostsOf(bare(Buffer.alloc(33)))).toThrow(SanlockProtocolError);
  });
});
