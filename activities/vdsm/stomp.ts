/**
 * STOMP 1.2 framing as VDSM speaks it (vdsm.md 2), shared by the client and the lab.
 *
 * Pure bytes in, frames out. One frame is one buffer, so that a caller can hand it to the socket in one write: some
 * peers lose a frame whose header block is split over two writes.
 */

export interface StompFrame {
  readonly command: string;
  /** First of repeated headers wins (STOMP 1.2). Keys and values are unescaped. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A heart-beat is a lone EOL between frames. */
export type StompItem = { readonly kind: 'frame'; readonly frame: StompFrame } | { readonly kind: 'heart-beat' };

/** The peer's bytes are not STOMP 1.2; the connection can't be used any further. */
export class StompProtocolError extends Error {
  override readonly name = 'StompProtocolError';
  /** Good items that came before the bad bytes in the same read: they count, whichever way the stream was cut. */
  itemsBefore: readonly StompItem[] = [];
}

export interface StompLimits {
  readonly headerBytesMax: number;
  readonly bodyBytesMax: number;
}

/** VDSM itself has no limits; ours keep a broken peer from filling memory. */
export const DEFAULT_LIMITS: StompLimits = { headerBytesMax: 64 * 1024, bodyBytesMax: 16 * 1024 * 1024 };

/** What one EOL looks like on the wire when it is meant as a heart-beat. */
export const HEART_BEAT = Buffer.from('\n');

const LF = 0x0a;
const CR = 0x0d;
const NUL = 0x00;
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };
const UNESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', ':': '\\c', '\\': '\\\\' };
/** Frames that carry messages: content-length even for an empty body. The others are kept as short as VDSM's own. */
const WITH_BODY: ReadonlySet<string> = new Set(['SEND', 'MESSAGE', 'ERROR']);

/** VDSM applies the 1.2 escapes to every header, CONNECT's too (vdsm.md 2). */
function escapeHeader(text: string): string {
  return text.replace(/[\n\r:\\]/g, (c) => UNESCAPES[c] ?? c);
}

function unescapeHeader(text: string): string {
  return text.replace(/\\(.?)/gs, (sequence) => {
    const plain = ESCAPES[sequence];
    if (plain === undefined) throw new StompProtocolError(`undefined header escape ${JSON.stringify(sequence)}`);
    return plain;
  });
}

/**
 * Bytes of one frame. content-length is always the body's own byte count, whatever the headers say (a forwarded frame
 * brings its old one along): a wrong one makes VDSM close the connection or swallow the next frames (vdsm.md 2).
 */
export function encodeFrame(
  command: string,
  headers: Readonly<Record<string, string>> = {},
  body: Buffer | string = '',
): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  const lines = [command];
  for (const [key, value] of Object.entries(headers)) {
    if (key !== 'content-length') lines.push(`${escapeHeader(key)}:${escapeHeader(value)}`);
  }
  if (bytes.length > 0 || WITH_BODY.has(command)) lines.push(`content-length:${bytes.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n\n`, 'utf8'), bytes, Buffer.from([NUL])]);
}

interface Head {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyStart: number;
  /** Absent: the body runs to the first NUL. */
  readonly bodyBytes: number | undefined;
}

function parseHead(text: string, bodyStart: number): Head {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const command = lines[0] ?? '';
  if (!/^[A-Z]{1,32}$/.test(command))
    throw new StompProtocolError(`no command: ${JSON.stringify(command.slice(0, 80))}`);
  // No prototype: a missing header must never be found as `toString` or `__proto__`.
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 0) throw new StompProtocolError(`header line without a colon: ${JSON.stringify(line.slice(0, 80))}`);
    const rawValue = line.slice(colon + 1);
    if (rawValue.includes(':')) throw new StompProtocolError(`unescaped colon in header ${line.slice(0, colon)}`);
    const key = unescapeHeader(line.slice(0, colon));
    const value = unescapeHeader(rawValue);
    if (headers[key] === undefined) headers[key] = value;
  }
  const length = headers['content-length'];
  if (length !== undefined && !/^\d{1,10}$/.test(length)) throw new StompProtocolError(`content-length ${length}`);
  return { command, headers, bodyStart, bodyBytes: length === undefined ? undefined : Number(length) };
}

/** Bytes received and not yet consumed. Grows by doubling, so that many small reads of a large body stay linear. */
class ByteQueue {
  #store: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  get bytes(): Buffer {
    return this.#store.subarray(this.#start, this.#end);
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#store.length) {
      const held = this.bytes;
      const grown = Buffer.allocUnsafe(Math.max(1024, 2 * (held.length + chunk.length)));
      held.copy(grown);
      this.#store = grown;
      this.#start = 0;
      this.#end = held.length;
    }
    this.#end += chunk.copy(this.#store, this.#end);
  }

  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    // One huge answer must not hold its memory for the life of the connection.
    if (this.#store.length > 1024 * 1024) this.#store = Buffer.alloc(0);
  }
}

/**
 * Incremental parser: any split of the byte stream gives the same items, each byte is looked at once.
 * @throws StompProtocolError when the bytes can't be STOMP; the parser must then be thrown away.
 */
export class StompParser {
  readonly #limits: StompLimits;
  readonly #queue = new ByteQueue();
  /** Head of the frame whose body is still coming. */
  #head: Head | undefined;
  /** Bytes of the present frame that the search for its next delimiter has already passed. */
  #searched = 0;

  constructor(limits: StompLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  push(chunk: Buffer): StompItem[] {
    this.#queue.append(chunk);
    const items: StompItem[] = [];
    try {
      for (let item = this.#next(); item !== undefined; item = this.#next()) items.push(item);
    } catch (error) {
      if (error instanceof StompProtocolError) error.itemsBefore = items;
      throw error;
    }
    return items;
  }

  #next(): StompItem | undefined {
    const bytes = this.#queue.bytes;
    if (bytes.length === 0) return undefined;
    if (this.#head === undefined) {
      const beat = this.#heartBeatBytes(bytes);
      if (beat === undefined) return undefined;
      if (beat > 0) {
        this.#queue.drop(beat);
        return { kind: 'heart-beat' };
      }
      this.#head = this.#findHead(bytes);
      if (this.#head === undefined) return undefined;
      this.#searched = this.#head.bodyStart;
    }
    const { command, headers, bodyStart } = this.#head;
    const end = this.#findBodyEnd(bytes, this.#head);
    if (end === undefined) return undefined;
    const frame: StompFrame = { command, headers, body: Buffer.from(bytes.subarray(bodyStart, end)) };
    this.#queue.drop(end + 1);
    this.#head = undefined;
    this.#searched = 0;
    return { kind: 'frame', frame };
  }

  /** Length of the EOL at the start, 0 when a frame begins there, undefined when that is still open. */
  #heartBeatBytes(bytes: Buffer): number | undefined {
    const first = bytes[0] ?? NUL;
    if (first === LF) return 1;
    if (first === CR && bytes.length === 1) return undefined;
    if (first === CR && bytes[1] === LF) return 2;
    // Told at the first byte, so that a peer of another protocol is not waited for.
    if (first < 0x41 || first > 0x5a) throw new StompProtocolError(`a frame can't begin with byte ${first}`);
    return 0;
  }

  /** The header block ends with LF LF, or CR LF CR LF. */
  #findHead(bytes: Buffer): Head | undefined {
    const { headerBytesMax } = this.#limits;
    let at = bytes.indexOf(LF, this.#searched);
    for (; at >= 0; at = bytes.indexOf(LF, at + 1)) {
      const eol = bytes[at + 1] === CR ? at + 2 : at + 1;
      if (eol >= bytes.length || bytes[eol] === LF) break;
    }
    const passed = at < 0 ? bytes.length : at;
    if (passed > headerBytesMax) throw new StompProtocolError(`header block above ${headerBytesMax} bytes`);
    this.#searched = passed;
    if (at < 0) return undefined;
    const eol = bytes[at + 1] === CR ? at + 2 : at + 1;
    return eol >= bytes.length ? undefined : parseHead(bytes.toString('utf8', 0, at), eol + 1);
  }

  #findBodyEnd(bytes: Buffer, head: Head): number | undefined {
    const { bodyBytesMax } = this.#limits;
    const nul = head.bodyBytes === undefined ? bytes.indexOf(NUL, this.#searched) : head.bodyStart + head.bodyBytes;
    const known = nul < 0 ? bytes.length : nul;
    if (known - head.bodyStart > bodyBytesMax) throw new StompProtocolError(`body above ${bodyBytesMax} bytes`);
    if (nul < 0 || nul >= bytes.length) {
      this.#searched = bytes.length;
      return undefined;
    }
    if (bytes[nul] !== NUL) throw new StompProtocolError('no NUL after content-length bytes');
    return nul;
  }
}
