/**
 * The HA metadata volume's bytes, past every cache: synchronous calls, for a process of their own (lab.md 4, lesson a).
 *
 * O_DIRECT, because a page cache once showed living hosts as dead (ha-agent.md 11.1); O_DSYNC, because a slot that only
 * looks written is worse than none. The kernel wants page-aligned memory for that, and no kind of `Buffer` is; the memory
 * of WebAssembly is (peers-ha.md 5).
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { BLOCK_BYTES, HOST_ID_MAX, slotOffset } from '../../../activities/storage/whiteboard.ts';

/** Node's own types know only its namespace. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};

const WASM_PAGE_BYTES = 65_536;
/** One request's size. A whole board is eight of them. */
const CHUNK_BYTES = 1024 * 1024;
/** Ids that lie so close are read in one request: on shared storage requests cost more than bytes. */
const GAP_SLOTS = 16;
const BOARD_BYTES = (HOST_ID_MAX + 1) * BLOCK_BYTES;

/** How the file was opened. `why` says what forbade O_DIRECT; then other hosts' writes may be seen late. */
export type Access = { readonly direct: true } | { readonly direct: false; readonly why: string };

export interface SlotsRead {
  readonly access: Access;
  /** Asked for: each of them. Whole board: those that are not empty, and slot 0. */
  readonly slots: ReadonlyMap<number, Buffer>;
}

/** The file is shorter than the board that should be in it. */
export class ShortBoard extends Error {
  readonly code = 'SHORT';
}

/** Memory whose address is a multiple of the page size, as O_DIRECT demands (EINVAL otherwise). */
export function alignedMemory(bytes: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / WASM_PAGE_BYTES) });
  return new Uint8Array(memory.buffer, 0, bytes);
}

let allocated: Uint8Array | undefined;
/** One request's memory, for the process that does the I/O: whoever only imports this needs none. */
function chunk(): Uint8Array {
  return (allocated ??= alignedMemory(CHUNK_BYTES));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Some file systems refuse O_DIRECT when opening, others at the first transfer. */
function refusesDirect(error: unknown): boolean {
  return ['EINVAL', 'EOPNOTSUPP', 'ENOTSUP'].includes(codeOf(error));
}

function using<T>(path: string, flags: number, work: (fd: number) => T): T {
  const fd = openSync(path, flags);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opened anew each time: VDSM may have put another device behind the same name. */
function withFile<T>(path: string, flags: number, work: (fd: number) => T): { access: Access; result: T } {
  try {
    return { access: { direct: true }, result: using(path, flags | constants.O_DIRECT, work) };
  } catch (error) {
    if (!refusesDirect(error)) throw error;
    const why = `the file system refuses O_DIRECT (${codeOf(error)})`;
    return { access: { direct: false, why }, result: using(path, flags, work) };
  }
}

interface Span {
  readonly first: number;
  readonly last: number;
}

function spansOf(ids: readonly number[]): Span[] {
  const spans: Span[] = [];
  for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
    const open = spans.at(-1);
    const fits = open !== undefined && id - open.last <= GAP_SLOTS && id - open.first < CHUNK_BYTES / BLOCK_BYTES;
    if (fits) spans[spans.length - 1] = { first: open.first, last: id };
    else spans.push({ first: id, last: id });
  }
  return spans;
}

function copyOf(slot: number): Buffer {
  return Buffer.from(chunk().subarray(slot * BLOCK_BYTES, (slot + 1) * BLOCK_BYTES));
}

function readAsked(fd: number, ids: readonly number[]): Map<number, Buffer> {
  const asked = new Set(ids);
  const slots = new Map<number, Buffer>();
  for (const { first, last } of spansOf(ids)) {
    const bytes = (last - first + 1) * BLOCK_BYTES;
    const got = readSync(fd, chunk(), 0, bytes, slotOffset(first));
    if (got < bytes) throw new ShortBoard(`it ends within slot ${first + Math.floor(got / BLOCK_BYTES)}`);
    for (let id = first; id <= last; id += 1) if (asked.has(id)) slots.set(id, copyOf(id - first));
  }
  return slots;
}

function readWhole(fd: number): Map<number, Buffer> {
  const slots = new Map<number, Buffer>();
  for (let offset = 0; offset < BOARD_BYTES; offset += CHUNK_BYTES) {
    const wanted = Math.min(CHUNK_BYTES, BOARD_BYTES - offset);
    const got = readSync(fd, chunk(), 0, wanted, offset);
    for (let slot = 0; (slot + 1) * BLOCK_BYTES <= got; slot += 1) {
      const id = offset / BLOCK_BYTES + slot;
      if (id === 0 || chunk()[slot * BLOCK_BYTES] !== 0) slots.set(id, copyOf(slot));
    }
    // Only the first 256 slots exist on some volumes; the next offset would no longer be aligned.
    if (got < wanted) break;
  }
  if (!slots.has(0)) throw new ShortBoard('it has not even slot 0');
  return slots;
}

/** Slots of these ids, or of the whole board. @throws what the system says, or `ShortBoard` */
export function readSlots(path: string, ids: readonly number[] | undefined): SlotsRead {
  const { access, result } = withFile(path, constants.O_RDONLY, (fd) =>
    ids === undefined ? readWhole(fd) : readAsked(fd, ids),
  );
  return { access, slots: result };
}

/** The first bytes of a volume, fewer when it is shorter. @throws what the system says */
export function readBytes(path: string, length: number): { access: Access; bytes: Buffer } {
  const { access, result } = withFile(path, constants.O_RDONLY, (fd) => {
    const parts: Buffer[] = [];
    for (let offset = 0; offset < length; offset += CHUNK_BYTES) {
      // Whole blocks, as O_DIRECT demands.
      const wanted = Math.min(CHUNK_BYTES, Math.ceil((length - offset) / BLOCK_BYTES) * BLOCK_BYTES);
      const got = readSync(fd, chunk(), 0, wanted, offset);
      parts.push(Buffer.from(chunk().subarray(0, got)));
      if (got < wanted) break;
    }
    return Buffer.concat(parts).subarray(0, length);
  });
  return { access, bytes: result };
}

/** One write of one slot, on disk when it returns. Never lengthens a file. @throws what the system says, or `ShortBoard` */
export function writeSlot(path: string, id: number, block: Uint8Array): Access {
  const { access } = withFile(path, constants.O_WRONLY | constants.O_DSYNC, (fd) => {
    const about = fstatSync(fd);
    if (about.isFile() && about.size < slotOffset(id + 1)) throw new ShortBoard(`it ends before slot ${id}`);
    chunk().set(block, 0);
    const put = writeSync(fd, chunk(), 0, BLOCK_BYTES, slotOffset(id));
    if (put < BLOCK_BYTES) throw new ShortBoard(`only ${put} bytes of slot ${id} could be written`);
  });
  return access;
}
