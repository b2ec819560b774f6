/** The end of an audit trail: where the chain goes on, and what of it is no line. */
import type { FileHandle } from 'node:fs/promises';
import { readLink, sha256 } from './line.ts';

export interface Tail {
  readonly last: { readonly seq: number; readonly sha256: string } | undefined;
  /** Where the next line goes. */
  readonly end: number;
  /** What lies behind `end`: not ended, or no line at all. */
  readonly torn: Buffer;
}

const FIRST_LOOK = 64 * 1024;
const LF = 0x0a;

async function readAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** The last line that is one, looked for from behind. */
function lastLine(
  bytes: Buffer,
  mid: boolean,
): { readonly end: number; readonly line: Buffer; readonly seq: number } | undefined {
  for (let end = bytes.lastIndexOf(LF); end >= 0;) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(LF, end - 1);
    if (before < 0 && mid) return undefined;
    const line = bytes.subarray(before + 1, end);
    const link = readLink(line);
    if (link !== undefined) return { end: end + 1, line, seq: link.seq };
    end = before;
  }
  return undefined;
}

/** @throws the file system's error */
export async function readTail(handle: FileHandle): Promise<Tail> {
  const { size } = await handle.stat();
  for (let look = FIRST_LOOK; ; look *= 8) {
    const from = Math.max(0, size - look);
    const bytes = await readAt(handle, from, size - from);
    const found = lastLine(bytes, from > 0);
    if (found !== undefined) {
      const last = { seq: found.seq, sha256: sha256(found.line) };
      return { last, end: from + found.end, torn: bytes.subarray(found.end) };
    }
    if (from === 0) return { last: undefined, end: 0, torn: bytes };
  }
}
