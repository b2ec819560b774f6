/**
 * sanlock's socket protocol, the daemon's side. Written apart from the worker's client on purpose: a mistake must not be
 * made twice and cancel out (the real daemon passes the same tests).
 */

const MAGIC = 0x04282010;
const HEAD = 32;
const LOCKSPACE = 1104;
const RESOURCE = 128;
const REQUEST_MAX = 64 * 1024;

export const CMD = {
  REGISTER: 1,
  ADD_LOCKSPACE: 2,
  REM_LOCKSPACE: 3,
  ACQUIRE: 7,
  RELEASE: 8,
  INQ_LOCKSPACE: 16,
  WRITE_LOCKSPACE: 18,
  GET_LOCKSPACES: 22,
  GET_HOSTS: 23,
  READ_RESOURCE_OWNERS: 24,
  VERSION: 28,
} as const;

/** Results below 0: errno where sanlock uses errno, else its own. */
export const RV = {
  ENOENT: -2,
  ESRCH: -3,
  EIO: -5,
  EAGAIN: -11,
  EBUSY: -16,
  EEXIST: -17,
  ENODEV: -19,
  EINVAL: -22,
  ENOSPC: -28,
  ERANGE: -34,
  EINPROGRESS: -115,
  ERROR: -201,
  AIO_TIMEOUT: -202,
  LEADER_MAGIC: -223,
  LEADER_LOCKSPACE: -226,
  LEADER_RESOURCE: -227,
  INVALID_HOSTID: -231,
  IDLIVE: -243,
  OWNED: -244,
  OWNED_RETRY: -247,
  RENEW_OWNER: -260,
  HOSTID_BUSY: -262,
} as const;

/** Acquire: answer at once instead of waiting for an owner that is neither alive nor dead. */
export const OWNER_NOWAIT = 8;
/** `data2` of a command for the connection's own registration. */
export const SELF = 0xffff_ffff;

export interface Request {
  readonly cmd: number;
  readonly flags: number;
  readonly data: number;
  readonly data2: number;
  readonly head: Buffer;
  readonly body: Buffer;
}

export interface LockspaceArgument {
  readonly name: string;
  readonly hostId: number;
  readonly path: string;
  readonly offset: number;
}

export interface ResourceArgument {
  readonly lockspace: string;
  readonly name: string;
  readonly path: string;
  readonly offset: number;
}

export interface HostRecord {
  readonly id: number;
  readonly generation: number;
  readonly timestamp: number;
  readonly io: number;
  readonly flags: number;
}

/** Splits `bytes` at the first request. @throws RangeError when that is no request of sanlock */
export function takeRequest(bytes: Buffer): { request: Request; rest: Buffer } | undefined {
  if (bytes.length < HEAD) return undefined;
  const length = bytes.readUInt32LE(16);
  if (bytes.readUInt32LE(0) !== MAGIC) throw new RangeError('no magic');
  if (length < HEAD || length > REQUEST_MAX) throw new RangeError(`length ${length}`);
  if (bytes.length < length) return undefined;
  const request: Request = {
    cmd: bytes.readUInt32LE(8),
    flags: bytes.readUInt32LE(12),
    data: bytes.readUInt32LE(24),
    data2: bytes.readUInt32LE(28),
    head: bytes.subarray(0, HEAD),
    body: bytes.subarray(HEAD, length),
  };
  return { request, rest: bytes.subarray(length) };
}

const cString = (bytes: Buffer, from: number, room: number) => {
  const field = bytes.subarray(from, from + room);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? room : end);
};

export function lockspaceArgument(body: Buffer): LockspaceArgument | undefined {
  if (body.length < LOCKSPACE) return undefined;
  return {
    name: cString(body, 0, 48),
    hostId: Number(body.readBigUInt64LE(48)),
    path: cString(body, 64, 1024),
    offset: Number(body.readBigUInt64LE(1088)),
  };
}

/** `release` names no disk: path and offset are empty then. */
export function resourceArgument(body: Buffer): ResourceArgument | undefined {
  if (body.length < RESOURCE) return undefined;
  const disk = body.length >= RESOURCE + 1040;
  return {
    lockspace: cString(body, 0, 48),
    name: cString(body, 48, 48),
    path: disk ? cString(body, RESOURCE, 1024) : '',
    offset: disk ? Number(body.readBigUInt64LE(RESOURCE + 1024)) : 0,
  };
}

/** sanlock answers with the request's own head, changed where it must be. */
export function answer(request: Request, result: number, body: Buffer = Buffer.alloc(0), data2 = 0): Buffer {
  const head = Buffer.from(request.head);
  head.writeUInt32LE(1, 4);
  head.writeUInt32LE(HEAD + body.length, 16);
  head.writeInt32LE(result, 24);
  head.writeUInt32LE(data2, 28);
  return Buffer.concat([head, body]);
}

export function hostRecord(host: HostRecord): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(BigInt(host.id), 0);
  bytes.writeBigUInt64LE(BigInt(host.generation), 8);
  bytes.writeBigUInt64LE(BigInt(host.timestamp), 16);
  bytes.writeUInt32LE(host.io, 24);
  bytes.writeUInt32LE(host.flags, 28);
  return bytes;
}

export function lockspaceRecord(space: LockspaceArgument, flags: number): Buffer {
  const bytes = Buffer.alloc(LOCKSPACE);
  bytes.write(space.name, 0, 48, 'utf8');
  bytes.writeBigUInt64LE(BigInt(space.hostId), 48);
  bytes.writeUInt32LE(flags, 56);
  bytes.write(space.path, 64, 1023, 'utf8');
  bytes.writeBigUInt64LE(BigInt(space.offset), 1088);
  return bytes;
}

export function ownersBody(resource: Buffer, owners: readonly HostRecord[]): Buffer {
  return Buffer.concat([resource.subarray(0, RESOURCE), ...owners.map(hostRecord)]);
}
