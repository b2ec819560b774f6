/**
 * Small tars in memory, as they lie at the start of raw volumes.
 *
 * A volume goes on behind its tar with zeros or with the rest of an older, longer one, so the end is found from the
 * headers, never from the end of the data.
 */
import tar from 'tar-stream';

const BLOCK = 512;
/** Far above any real member (an OVF has up to 40 KiB); a header can claim anything. */
const MEMBER_BYTES_MAX = 16 * 1024 * 1024;
const MEMBERS_MAX = 10_000;

export interface TarMember {
  readonly name: string;
  readonly content: string | Buffer;
  /** Default: the epoch, so that the same content gives the same bytes. */
  readonly writtenAt?: Date;
}

export interface UnpackedMember {
  readonly content: Buffer;
  readonly writtenAt: Date;
}

export type TarReading =
  | { readonly ok: true; readonly members: ReadonlyMap<string, UnpackedMember>; readonly bytes: number }
  | { readonly ok: false; readonly why: string };

/** tar-stream's types leave the chunks open; they are bytes. */
function bytesOf(chunk: unknown): Buffer {
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0);
}

/** The same members give the same bytes: no users, no clock. `mode` is for those who unpack by hand. */
export async function packTar(members: readonly TarMember[], mode = 0o644): Promise<Buffer> {
  const pack = tar.pack();
  for (const { name, content, writtenAt } of members) {
    pack.entry({ name, mode, mtime: writtenAt ?? new Date(0), uid: 0, gid: 0 }, content);
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(bytesOf(chunk));
  return Buffer.concat(chunks);
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** Length of the tar at the start of `bytes`, end marker excluded; undefined when it runs past the end or is none. */
function tarLength(bytes: Buffer): number | undefined {
  let at = 0;
  for (let count = 0; count < MEMBERS_MAX; count += 1) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.length === 0 || (header.length === BLOCK && isZero(header))) return at;
    if (header.length < BLOCK) return undefined;
    const size = /^ *([0-7]{1,11})[ \0]/.exec(header.toString('latin1', 124, 136))?.[1];
    if (size === undefined) return undefined;
    const length = Number.parseInt(size, 8);
    if (length > MEMBER_BYTES_MAX) return undefined;
    at += BLOCK + Math.ceil(length / BLOCK) * BLOCK;
    if (at > bytes.length) return undefined;
  }
  return undefined;
}

/** Members by name; of a name given twice the last counts, as for `tar -x`. Never throws. */
export async function unpackTar(bytes: Buffer): Promise<TarReading> {
  const length = tarLength(bytes);
  if (length === undefined) return { ok: false, why: 'it is no tar, or is cut off' };
  if (length === 0) return { ok: false, why: 'it is empty' };
  const members = new Map<string, UnpackedMember>();
  const extract = tar.extract();
  try {
    extract.end(Buffer.concat([bytes.subarray(0, length), Buffer.alloc(2 * BLOCK)]));
    for await (const entry of extract) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(bytesOf(chunk));
      const { name, type, mtime } = entry.header;
      if (type !== 'file' && type !== 'contiguous-file') continue;
      members.set(name.replace(/^\.\//, ''), { content: Buffer.concat(chunks), writtenAt: mtime ?? new Date(0) });
    }
  } catch (error) {
    return { ok: false, why: `the tar is damaged: ${error instanceof Error ? error.message : String(error)}` };
  }
  return { ok: true, members, bytes: length };
}
