/** SFTP of a simulated machine: enough to write, read and look at files. */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2';
import type { Shell } from './shell.ts';

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

function attributes({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
}

function statusOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return STATUS_CODE.NO_SUCH_FILE;
  return code === 'EACCES' ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
}

export function serveSftp(sftp: SFTPWrapper, shell: Shell): void {
  const open = new Set<number>();
  const fdOf = (handle: Buffer): number => {
    const fd = handle.length === 4 ? handle.readUInt32BE(0) : -1;
    if (!open.has(fd)) throw new Error('no such handle');
    return fd;
  };
  /** Whatever goes wrong is the answer. */
  const answer = (id: number, work: () => void) => {
    try {
      work();
    } catch (error) {
      sftp.status(id, statusOf(error));
    }
  };
  const ok = (id: number) => sftp.status(id, STATUS_CODE.OK);
  sftp.on('OPEN', (id, name, flags, { mode }) =>
    answer(id, () => {
      const fd = openSync(shell.path(name), flagsToString(flags) ?? 'r', mode);
      open.add(fd);
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(fd, 0);
      sftp.handle(id, handle);
    }),
  );
  sftp.on('WRITE', (id, handle, offset, data) =>
    answer(id, () => {
      writeSync(fdOf(handle), data, 0, data.length, offset);
      ok(id);
    }),
  );
  sftp.on('READ', (id, handle, offset, length) =>
    answer(id, () => {
      const bytes = Buffer.alloc(length);
      const read = readSync(fdOf(handle), bytes, 0, length, offset);
      if (read === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, bytes.subarray(0, read));
    }),
  );
  sftp.on('FSTAT', (id, handle) => answer(id, () => sftp.attrs(id, attributes(fstatSync(fdOf(handle))))));
  sftp.on('STAT', (id, name) => answer(id, () => sftp.attrs(id, attributes(statSync(shell.path(name))))));
  sftp.on('FSETSTAT', (id, handle, { mode }) =>
    answer(id, () => {
      fchmodSync(fdOf(handle), mode);
      ok(id);
    }),
  );
  sftp.on('SETSTAT', (id, name, { mode }) =>
    answer(id, () => {
      chmodSync(shell.path(name), mode);
      ok(id);
    }),
  );
  sftp.on('CLOSE', (id, handle) =>
    answer(id, () => {
      const fd = fdOf(handle);
      open.delete(fd);
      closeSync(fd);
      ok(id);
    }),
  );
  sftp.once('close', () => {
    for (const fd of open) closeSync(fd);
    open.clear();
  });
}
