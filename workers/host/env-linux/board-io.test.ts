import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../activities/storage/whiteboard.ts';
import { alignedMemory, readSlots, ShortBoard, writeSlot } from './board-io.ts';

const filled = (byte: string) => Buffer.alloc(BLOCK_BYTES, byte);

let directory: string;
let path: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bellwether-board-'));
  path = join(directory, 'metadata');
});
afterAll(() => rmSync(directory, { recursive: true }));

function directRead(buffer: Uint8Array, at: number): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECT);
  try {
    return String(readSync(fd, buffer, at, BLOCK_BYTES, 0));
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    closeSync(fd);
  }
}

describe('direct I/O', () => {
  it('has memory that the kernel takes, where it refuses any other', (context) => {
    writeFileSync(path, Buffer.alloc(8 * BLOCK_BYTES));
    const memory = alignedMemory(3 * BLOCK_BYTES);
    if (directRead(memory, 1) !== 'EINVAL') context.skip(`${directory}: its file system does not mind alignment`);
    expect(directRead(memory, 0)).toBe('4096');
    expect(directRead(memory, BLOCK_BYTES)).toBe('4096');
    expect(readSlots(path, [0]).access).toEqual({ direct: true });
    expect(writeSlot(path, 3, filled('x'))).toEqual({ direct: true });
  });

  it('does without where it is refused, and says so', (context) => {
    const refusing = ['/proc/config.gz', '/sys/kernel/btf/vmlinux'].find((each) => existsSync(each));
    if (refusing === undefined) return context.skip('no file here that refuses O_DIRECT');
    const { access, slots } = readSlots(refusing, [0]);
    expect(access).toEqual({ direct: false, why: 'the file system refuses O_DIRECT (EINVAL)' });
    expect(slots.get(0)).toEqual(readFileSync(refusing).subarray(0, BLOCK_BYTES));
  });
});

describe('slots', () => {
  it('writes one slot and no byte beside it', () => {
    const before = Buffer.alloc(16 * BLOCK_BYTES, 7);
    writeFileSync(path, before);
    writeSlot(path, 5, filled('a'));
    const expected = Buffer.from(before);
    filled('a').copy(expected, 5 * BLOCK_BYTES);
    expect(readFileSync(path).equals(expected)).toBe(true);
  });

  it('reads exactly those asked for, near ones and far ones', () => {
    const board = Buffer.alloc(2001 * BLOCK_BYTES);
    for (const id of [0, 1, 7, 400, 2000]) board.fill(`<${id}>`, id * BLOCK_BYTES, (id + 1) * BLOCK_BYTES);
    writeFileSync(path, board);
    const { slots } = readSlots(path, [7, 0, 2000, 400, 7, 30]);
    expect([...slots.keys()].sort((a, b) => a - b)).toEqual([0, 7, 30, 400, 2000]);
    for (const [id, bytes] of slots)
      expect(bytes.equals(board.subarray(id * BLOCK_BYTES, (id + 1) * BLOCK_BYTES))).toBe(true);
    const whole = readSlots(path, undefined).slots;
    expect([...whole.keys()]).toEqual([0, 1, 7, 400, 2000]);
    expect(whole.get(2000)?.toString().startsWith('<2000>')).toBe(true);
  });

  it('reads a board that is shorter than 2000 hosts, also one with an odd end', () => {
    const board = Buffer.alloc(300 * BLOCK_BYTES + 512);
    board.fill('z', 299 * BLOCK_BYTES);
    writeFileSync(path, board);
    expect([...readSlots(path, undefined).slots.keys()]).toEqual([0, 299]);
  });

  it('says so when the file ends too early, and never lengthens it', () => {
    writeFileSync(path, Buffer.alloc(2 * BLOCK_BYTES));
    expect(() => readSlots(path, [0, 2])).toThrow(ShortBoard);
    expect(() => writeSlot(path, 2, filled('a'))).toThrow(/ends before slot 2/);
    expect(readFileSync(path).length).toBe(2 * BLOCK_BYTES);
    writeFileSync(path, 'short');
    expect(() => readSlots(path, undefined)).toThrow(/not even slot 0/);
  });
});
