/**
 * The socket's file: taken over from a dead broker, never from a living one, and never open to others for a moment.
 *
 * All calls are synchronous: they touch a file system in memory only, and the thread pool may be full of hung storage.
 */
import { chmodSync, chownSync, lstatSync, renameSync, rmSync, type Stats } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { CounterpartError } from '../../../activities/errors.ts';

/** `sun_path` has 108 bytes with its final NUL. */
const PATH_BYTES_MAX = 107;

export interface SocketPlace {
  readonly path: string;
  /** Default 0600: the group kvm holds qemu's processes, which have no business here. */
  readonly mode?: number;
  /** Whose socket it is, for messages; default `broker`. */
  readonly role?: 'broker' | 'worker';
  /** Who may connect besides root; on a host vdsm:kvm, 36:36 (ha-agent.md 4.1). */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

function refused({ path, role = 'broker' }: SocketPlace, type: string, why: string, remedy: string): CounterpartError {
  const what = `the ${role} can’t take its socket`;
  return new CounterpartError({ type, kind: 'needs-operator', subject: path, what, why, remedy });
}

function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Where to listen first; `publish` puts it into its place. */
export function temporaryPath(place: SocketPlace): string {
  return `${place.path}.${process.pid}`;
}

/** @throws {CounterpartError} when something lives there, or when it is no socket */
export async function checkPlace(place: SocketPlace): Promise<void> {
  const { path } = place;
  if (Buffer.byteLength(temporaryPath(place)) > PATH_BYTES_MAX)
    throw refused(place, 'broker/socket-path', 'its path is too long for a socket', 'Choose a shorter directory.');
  // Listening would say "permission denied" for it.
  if (look(dirname(path)) === undefined)
    throw refused(
      place,
      'broker/socket-path',
      'its directory does not exist',
      'Create it (RuntimeDirectory= of the unit).',
    );
  const found = look(path);
  if (found !== undefined && !found.isSocket())
    throw refused(
      place,
      'broker/socket-path',
      'a file that is no socket lies there',
      'Look what it is and move it away.',
    );
  if (found !== undefined && (await answers(path)))
    throw refused(
      place,
      'broker/socket-in-use',
      `another ${place.role ?? 'broker'} answers on it`,
      place.role === 'worker'
        ? 'Two workers on one host would disturb each other: see systemctl status bellwether-host, and stop one.'
        : 'Stop it first: systemctl stop ovirt-ha-agent ovirt-ha-broker; systemctl disable them both.',
    );
  rmSync(temporaryPath(place), { force: true });
}

/** Binding happens within `listen`, so the mask holds for nothing else. */
export function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    const mask = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(mask);
    }
  });
}

/** Rights first, then the name: whoever finds the socket finds it with its rights. Returns what takes it away again. */
export function publish(place: SocketPlace): () => void {
  const temporary = temporaryPath(place);
  chmodSync(temporary, place.mode ?? 0o600);
  if (place.owner !== undefined) chownSync(temporary, place.owner.uid, place.owner.gid);
  renameSync(temporary, place.path);
  const mine = look(place.path)?.ino;
  return () => {
    // A successor may have put its own there already.
    if (look(place.path)?.ino === mine) rmSync(place.path, { force: true });
  };
}
