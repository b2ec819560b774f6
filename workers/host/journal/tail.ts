/** The end of a journal file: where the chain goes on, and what of it is no line. */
import { fstatSync, readSync } from 'node:fs';
import { readLink, sha256 } from './line.ts';

export interface Tail {
  readonly last: { readonly seq: number; readonly sha256: string } | undefined;
  /** Where the next line goes. */
  readonly end: number;
  /** What lies behind `end`: not ended, or no line at all (zeros after a power cut). */
  readonly torn: Buffer;
  /** Lines that were read on the way, oldest first; not necessarily all. */
  readonly lines: readonly Buffer[];
}

const FIRST_LOOK = 256 * 1024;
const LF = 0x0a;

function readAt(fd: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, from + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Whole lines of a piece that begins at a line's start, or anywhere (`mid`: what is before the first end of line is none). */
function linesOf(bytes: Buffer, mid: boolean): { readonly start: number; readonly bytes: Buffer }[] {
  const found: { start: number; bytes: Buffer }[] = [];
  let start = mid ? bytes.indexOf(LF) + 1 : 0;
  if (mid && start === 0) return found;
  for (let end = bytes.indexOf(LF, start); end >= 0; end = bytes.indexOf(LF, start)) {
    found.push({ start, bytes: bytes.subarray(start, end) });
    start = end + 1;
  }
  return found;
}

/** @throws the file system's error */
export function readTail(fd: number): Tail {
  const { size } = fstatSync(fd);
  for (let look = FIRST_LOOK; ; look *= 4) {
    const from = Math.max(0, size - look);
    const bytes = readAt(fd, from, size - from);
    const lines = linesOf(bytes, from > 0);
    for (let at = lines.length - 1; at >= 0; at -= 1) {
      const line = lines[at];
      const link = line === undefined ? undefined : readLink(line.bytes);
      if (line === undefined || link === undefined) continue;
      const end = line.start + line.bytes.length + 1;
      return {
        last: { seq: link.seq, sha256: sha256(line.bytes) },
        end: from + end,
        torn: bytes.subarray(end),
        lines: lines.slice(0, at + 1).map((one) => one.bytes),
      };
    }
    if (from === 0) return { last: undefined, end: 0, torn: bytes, lines: [] };
  }
}
