/** One sanlock daemon per simulated host, real or modelled; what the lab may do to it. */

export type SanlockKind = 'real' | 'model';
export type StorageState = 'ok' | 'hang' | 'error';

export interface LeasePlace {
  readonly path: string;
  readonly offset: number;
}

export interface NamedPlace extends LeasePlace {
  readonly name: string;
}

export interface LabSanlockOptions {
  /** Of the whole lab; the daemon's files go to `<dir>/sanlock/<host>`. Short, as a socket's path has 107 bytes at most. */
  readonly dir: string;
  /** Name in the lockspace: who comes back under the same name has its id back in 2 io. */
  readonly host: string;
  readonly hostId: number;
  readonly ioSeconds: number;
  /** The real daemon up to 3.8 knows 60 only. */
  readonly watchdogSeconds: number;
  /** sanlock's seconds per wall second. The real daemon needs libfaketime for it. */
  readonly speed: number;
  /** `auto`: real where it is installed. */
  readonly kind: 'auto' | SanlockKind;
}

export interface LabSanlock {
  readonly kind: SanlockKind;
  readonly host: string;
  readonly hostId: number;
  readonly socketPath: string;
  /** As they are, which may differ from what was asked for: `note` says why. */
  readonly speed: number;
  readonly ioSeconds: number;
  readonly watchdogSeconds: number;
  readonly note: string;
  /** What VDSM does when the domain is monitored. Resolves after 2 io + 1 s, or after minutes; rejects with sanlock's number. */
  join(lockspace: NamedPlace): Promise<void>;
  /** Kills owners of leases in it. */
  leave(lockspace: NamedPlace): Promise<void>;
  /** Clean: owners are killed, lockspaces left. */
  stop(): Promise<void>;
  /**
   * Power-off or SIGKILL. Owners on it live on, and their leases stay theirs until they expire: to switch a host off, kill the
   * daemon first and the owners after it.
   */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(on: boolean): void;
  /** This host's path to the storage. @throws RangeError for the real daemon, whose open files can't be swapped */
  storage(state: StorageState): void;
}

/** The last and only place for a lab's socket. @throws RangeError when it is too long for a socket */
export function runDir(options: Pick<LabSanlockOptions, 'dir' | 'host'>): { dir: string; socketPath: string } {
  const dir = `${options.dir}/sanlock/${options.host}`;
  const socketPath = `${dir}/sanlock.sock`;
  // The model binds under a slightly longer name first.
  if (Buffer.byteLength(socketPath) > 100) throw new RangeError(`${socketPath} is too long for a socket`);
  return { dir, socketPath };
}
