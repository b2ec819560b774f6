/**
 * The bytes of sanlock's socket (lab.md 1): a head of eight little-endian words, then fixed structs.
 *
 * Pure. Strict about lengths, and bounded: a daemon that sends rubbish costs an error, never memory.
 */

const MAGIC = 0x04282010;
const PROTOCOL = 1;
export const HEAD_BYTES = 32;
const NAME_BYTES = 48;
const PATH_BYTES = 1024;
const DISK_BYTES = PATH_BYTES + 16;
const LOCKSPACE_BYTES = NAME_BYTES + 16 + DISK_BYTES;
const RESOURCE_BYTES = 2 * NAME_BYTES + 32;
const OPTIONS_BYTES = NAME_BYTES + 8;
const HOST_BYTES = 32;
/** 2000 hosts are 64 KB, a lockspace is 1.1 KB: nothing that we ask for is longer. */
export const ANSWER_BYTES_MAX = 256 * 1024;

/** Only what is used. The numbers are sanlock's. */
export const COMMANDS = {
  register: 1,
  addLockspace: 2,
  remLockspace: 3,
  acquire: 7,
  release: 8,
  writeLockspace: 18,
  getLockspaces: 22,
  getHosts: 23,
  readResourceOwners: 24,
  version: 28,
} as const;

/** Where something lies: an absolute path, and bytes from its begin. */
export interface Place {
  readonly path: string;
  readonly offset: number;
}

export interface Resource extends Place {
  readonly lockspace: string;
  readonly name: string;
}

export interface Lockspace extends Place {
  readonly name: string;
  readonly hostId: number;
  /** `adding` and `removing` may take minutes. */
  readonly state: 'active' | 'adding' | 'removing';
}

export type HostState = 'unknown' | 'free' | 'live' | 'fail' | 'dead';

export interface Host {
  readonly id: number;
  /** Counts how often the id was taken. A lease of an older generation is free. */
  readonly generation: number;
  /** Of the host's own clock: only its change means something. */
  readonly timestamp: number;
  readonly ioSeconds: number;
  readonly state: HostState;
}

export interface Owner {
  readonly id: number;
  readonly generation: number;
}

export interface Answer {
  /** 0 or above: done; below: why not (`errors.ts`). */
  readonly result: number;
  readonly data2: number;
  readonly body: Buffer;
}

/** The bytes are no answer of sanlock; the connection can't be used any further. */
export class SanlockProtocolError extends Error {
  override readonly name = 'SanlockProtocolError';
}

const HOST_STATES: readonly HostState[] = ['unknown', 'unknown', 'free', 'live', 'fail', 'dead'];

interface Words {
  readonly flags?: number;
  readonly data?: number;
  readonly data2?: number;
}

function request(command: number, body: Buffer, words: Words = {}): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(PROTOCOL, 4);
  head.writeUInt32LE(command, 8);
  head.writeUInt32LE(words.flags ?? 0, 12);
  head.writeUInt32LE(HEAD_BYTES + body.length, 16);
  head.writeUInt32LE(words.data ?? 0, 24);
  head.writeUInt32LE(words.data2 ?? 0, 28);
  return Buffer.concat([head, body]);
}

/** Cut off silently, a name would be another lock: so it is refused. */
function text(value: string, room: number, terminated: boolean): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length === 0 || bytes.includes(0)) throw new RangeError(`${JSON.stringify(value)} can’t be a name`);
  if (bytes.length > room - (terminated ? 1 : 0)) throw new RangeError(`${value} is longer than ${room} bytes`);
  return Buffer.concat([bytes, Buffer.alloc(room - bytes.length)]);
}

const name = (value: string) => text(value, NAME_BYTES, false);

function place({ path, offset }: Place): Buffer {
  const rest = Buffer.alloc(16);
  rest.writeBigUInt64LE(BigInt(offset));
  return Buffer.concat([text(path, PATH_BYTES, true), rest]);
}

function lockspace(of: Place & { readonly name: string; readonly hostId: number }): Buffer {
  const id = Buffer.alloc(16);
  id.writeBigUInt64LE(BigInt(of.hostId));
  return Buffer.concat([name(of.name), id, place(of)]);
}

function resourceHead(of: Resource): Buffer {
  const rest = Buffer.alloc(32);
  rest.writeUInt32LE(1, 28); // one disk
  return Buffer.concat([name(of.lockspace), name(of.name), rest]);
}

/** This connection's own registration, not another process's. */
const SELF = 0xffff_ffff;

/**
 * What can be asked. `register` has no answer; sanlock takes the caller's pid from the socket, a lab's model from `pid`.
 * @throws RangeError for a name or path that does not fit, or is empty
 */
export const requests = {
  register: (pid: number) => request(COMMANDS.register, Buffer.alloc(0), { data: pid }),
  addLockspace: (of: Place & { readonly name: string; readonly hostId: number }, ioSeconds: number) =>
    request(COMMANDS.addLockspace, lockspace(of), { data: ioSeconds }),
  remLockspace: (of: Place & { readonly name: string; readonly hostId: number }) =>
    request(COMMANDS.remLockspace, lockspace(of)),
  /** Writes it anew, for as many hosts as there is room for: all ids are free afterwards. */
  writeLockspace: (of: Place & { readonly name: string }, ioSeconds: number) =>
    request(COMMANDS.writeLockspace, lockspace({ ...of, hostId: 0 }), { data2: ioSeconds }),
  /** Waits while the owner is neither alive nor dead, up to 8 io + watchdog (lab.md 1, hazard 2). */
  acquire: (of: Resource) =>
    request(COMMANDS.acquire, Buffer.concat([resourceHead(of), place(of), Buffer.alloc(OPTIONS_BYTES)]), {
      data: 1,
      data2: SELF,
    }),
  release: (of: Resource) => request(COMMANDS.release, resourceHead(of), { data: 1, data2: SELF }),
  version: () => request(COMMANDS.version, Buffer.alloc(0)),
  getLockspaces: () => request(COMMANDS.getLockspaces, Buffer.alloc(0)),
  getHosts: (lockspaceName: string) =>
    request(COMMANDS.getHosts, Buffer.concat([name(lockspaceName), Buffer.alloc(LOCKSPACE_BYTES - NAME_BYTES)])),
  readResourceOwners: (of: Resource) =>
    request(COMMANDS.readResourceOwners, Buffer.concat([resourceHead(of), place(of)])),
} as const;

/** Bytes of a whole answer, as soon as its head is there. @throws SanlockProtocolError */
function answerBytes(bytes: Buffer): number | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  if (bytes.readUInt32LE(0) !== MAGIC) throw new SanlockProtocolError('the answer does not begin with sanlock’s magic');
  const length = bytes.readUInt32LE(16);
  if (length < HEAD_BYTES || length > ANSWER_BYTES_MAX) throw new SanlockProtocolError(`an answer of ${length} bytes`);
  return length;
}

/** Collects one answer from any split of its bytes. */
export class AnswerReader {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted: number | undefined;

  /** @returns the answer once it is whole @throws SanlockProtocolError, also for bytes past its end */
  push(chunk: Buffer): Answer | undefined {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < (this.#wanted ?? HEAD_BYTES)) return undefined;
    const bytes = Buffer.concat(this.#chunks);
    this.#wanted = answerBytes(bytes);
    if (this.#wanted === undefined || bytes.length < this.#wanted) return undefined;
    if (bytes.length > this.#wanted) throw new SanlockProtocolError('more bytes than the answer has');
    return { result: bytes.readInt32LE(24), data2: bytes.readUInt32LE(28), body: bytes.subarray(HEAD_BYTES) };
  }
}

function records(body: Buffer, size: number): Buffer[] {
  if (body.length % size !== 0) throw new SanlockProtocolError(`${body.length} bytes are no records of ${size}`);
  return Array.from({ length: body.length / size }, (_, i) => body.subarray(i * size, (i + 1) * size));
}

function word64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SanlockProtocolError(`a number too great: ${value}`);
  return Number(value);
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Body of `getLockspaces`. @throws SanlockProtocolError */
export function lockspacesOf(answer: Answer): Lockspace[] {
  return records(answer.body, LOCKSPACE_BYTES).map((bytes) => {
    const flags = bytes.readUInt32LE(NAME_BYTES + 8);
    return {
      name: textOf(bytes.subarray(0, NAME_BYTES)),
      hostId: word64(bytes, NAME_BYTES),
      state: (flags & 2) !== 0 ? 'removing' : (flags & 1) !== 0 ? 'adding' : 'active',
      path: textOf(bytes.subarray(NAME_BYTES + 16, NAME_BYTES + 16 + PATH_BYTES)),
      offset: word64(bytes, NAME_BYTES + 16 + PATH_BYTES),
    };
  });
}

function hostOf(bytes: Buffer): Host {
  return {
    id: word64(bytes, 0),
    generation: word64(bytes, 8),
    timestamp: word64(bytes, 16),
    ioSeconds: bytes.readUInt32LE(24),
    state: HOST_STATES[bytes.readUInt32LE(28) & 0xf] ?? 'unknown',
  };
}

/** Body of `getHosts`: the ids that are taken. @throws SanlockProtocolError */
export function hostsOf(answer: Answer): Host[] {
  return records(answer.body, HOST_BYTES).map(hostOf);
}

/** Body of `readResourceOwners`: none when the lease is free. @throws SanlockProtocolError */
export function ownersOf(answer: Answer): Owner[] {
  if (answer.body.length < RESOURCE_BYTES) throw new SanlockProtocolError('the resource is missing');
  return records(answer.body.subarray(RESOURCE_BYTES), HOST_BYTES).map((bytes) => ({
    id: word64(bytes, 0),
    generation: word64(bytes, 8),
  }));
}
