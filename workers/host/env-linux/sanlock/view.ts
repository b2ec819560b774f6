/**
 * What sanlock knows of the engine VM's lease, looked at again and again; and this host's id on the board.
 *
 * Plain Node: no native code, no process of its own. Nothing here waits for the daemon: a hung one makes the fact old, and
 * a dead one shows at once, as a connection that stands idle for that purpose closes.
 */
import type { LeaseFact } from '../../core/types.ts';
import {
  type BoardOptions,
  type BoardSettings,
  isIn,
  joinBoard,
  leaveBoard,
  reinitialiseBoard,
  noBoard,
  readLockspaces,
} from './board-lockspace.ts';
import { type Answer, type Host, hostsOf, requests } from './codec.ts';
import { askOnce, type Connection, isDead, openConnection } from './connection.ts';
import { noAnswer, refusal } from './errors.ts';
import { type Look, Watch } from './look.ts';
import { OwnerReader } from './owner.ts';

export interface SanlockOptions {
  /** `/run/sanlock/sanlock.sock`. */
  readonly socketPath: string;
  readonly hostId: number;
  /** VDSM's lockspace (its name is the storage domain's id): VDSM joins it; it protects the VM's disk. */
  readonly domainLockspace: string;
  /** Lease of the engine VM's disk volume. */
  readonly lease: { readonly name: string; readonly path: string; readonly offset: number };
  /** The board's own lockspace (`hosted-engine`): guards the slots; this worker joins it itself. */
  readonly board: BoardSettings | undefined;
  /** Of all hosts alike; sanlock does not tell it. */
  readonly watchdogSeconds: number;
  readonly pollMs: number;
  /**
   * How often the lease itself is read while nothing happens (default 10 s): the daemon reads 1 MiB for it. It is read at
   * each poll for a minute after a change, after `lookNow()`, and while a dead owner’s lease runs out.
   */
  readonly ownerMs?: number;
  readonly bootMs: () => number;
}

export interface SanlockView {
  /**
   * The latest, however old. `connected` is false from the moment the daemon dies until one that came back has this host in
   * the domain's lockspace again: it knows nothing of the lease of a VM that still runs (lab.md 1, hazard 4).
   * `owner` is undefined when sanlock would give the lease away at once; it may be older than the rest (`ownerMs`).
   */
  fact(): LeaseFact | undefined;
  /** Why the fact is old, for people. */
  trouble(): Error | undefined;
  /** Called when `connected`, `joined`, `owner` or `boardJoined()` has changed. */
  onChange(listener: () => void): void;
  /** Something else (the board, VDSM) says that the lease may have changed hands. */
  lookNow(): void;
  /** Resolves after 2 io + 1 s, or after minutes. @throws CounterpartError `sanlock/...` */
  joinBoard(): Promise<void>;
  leaveBoard(): Promise<void>;
  /** Leaves it, writes it anew, joins it. The caller has made sure that nobody else is in it. */
  reinitialiseBoard(): Promise<void>;
  boardJoined(): boolean;
  close(): void;
}

const LIMIT_MS = 5000;
const OWNER_MS = 10_000;
const LIVELY_MS = 60_000;
/** A reading of the lease that took this long still counts. */
const SLOW_MS = 5000;
const NOT_IN_LOCKSPACE = -2;
const NOTHING_KNOWN_YET = -11;
const FIRST_AGAIN_MS = 20;
/** Told apart by identity: an empty list could come from the daemon too. */
const NOT_LISTED: readonly Host[] = [];

/** Starts looking at once. Close it, or the process does not end. */
export function openSanlock(options: SanlockOptions): SanlockView {
  const view = new View(options);
  void view.run();
  return view;
}

class View implements SanlockView {
  readonly #options: SanlockOptions;
  readonly #watch: Watch;
  readonly #owners: OwnerReader;
  readonly #listeners = new Set<() => void>();
  readonly #ending = new AbortController();
  #standing: Connection | undefined;
  #fact: LeaseFact | undefined;
  #trouble: Error | undefined;
  /** A daemon died, and none has this host in the lockspace since. */
  #lost = false;
  #boardIn = false;
  #joining: Promise<void> | undefined;
  #livelyUntilMs: number;
  #woken = false;
  #wake: () => void = () => undefined;

  constructor(options: SanlockOptions) {
    this.#options = options;
    const { hostId, watchdogSeconds, board, domainLockspace, lease, bootMs } = options;
    this.#watch = new Watch({ hostId, watchdogSeconds, ioSeconds: board?.ioSeconds ?? 10 });
    this.#owners = new OwnerReader({
      lease: { ...lease, lockspace: domainLockspace },
      ask: (bytes, what) => this.#ask(bytes, what, undefined),
    });
    this.#livelyUntilMs = bootMs() + LIVELY_MS;
  }

  fact(): LeaseFact | undefined {
    if (!this.#lost) return this.#fact;
    const { watchdogSeconds, bootMs } = this.#options;
    const { owner, ownerSilentMs } = this.#fact ?? {};
    const { ioSeconds } = this.#watch;
    // That nobody listens is known now, whenever it began.
    const atMs = bootMs();
    return { atMs, connected: false, joined: false, owner, ownerSilentMs, ioSeconds, watchdogSeconds };
  }

  trouble(): Error | undefined {
    return this.#trouble;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  lookNow(): void {
    this.#livelyUntilMs = this.#options.bootMs() + LIVELY_MS;
    this.#owners.forget();
    this.#rouse();
  }

  boardJoined(): boolean {
    return this.#boardIn;
  }

  async joinBoard(): Promise<void> {
    this.#joining ??= joinBoard(this.#boardOptions()).finally(() => (this.#joining = undefined));
    await this.#joining;
    this.#change(() => (this.#boardIn = true));
  }

  async leaveBoard(): Promise<void> {
    await leaveBoard(this.#boardOptions());
    this.#change(() => (this.#boardIn = false));
  }

  async reinitialiseBoard(): Promise<void> {
    await reinitialiseBoard(this.#boardOptions());
    this.#change(() => (this.#boardIn = true));
  }

  close(): void {
    this.#listeners.clear();
    this.#ending.abort();
    this.#rouse();
  }

  /** Looks until closed; a look ends before the next begins. */
  async run(): Promise<void> {
    const { pollMs } = this.#options;
    let againMs = FIRST_AGAIN_MS;
    while (!this.#ending.signal.aborted) {
      try {
        this.#standing ??= await this.#stand();
        againMs = FIRST_AGAIN_MS;
        await this.#look();
        this.#trouble = undefined;
      } catch (error) {
        this.#trouble = error instanceof Error ? error : new Error(String(error));
        if (isDead(error)) this.#lose();
      }
      const gone = this.#standing === undefined;
      await this.#pause(gone ? Math.min(againMs, pollMs) : pollMs);
      if (gone) againMs *= 2;
    }
  }

  /**
   * A connection that stands, to see the daemon die. It must not be silent from its begin: when sanlock 3.8 takes a
   * connection in while a command of another ends, its main loop may wait for the first word of the new one, and everything
   * with it.
   */
  async #stand(): Promise<Connection> {
    const { socketPath } = this.#options;
    const connection = await openConnection(socketPath, LIMIT_MS, this.#ending.signal);
    await connection.ask(requests.version(), 'sanlock can’t be reached', LIMIT_MS);
    connection.onClose(() => {
      this.#standing = undefined;
      if (this.#ending.signal.aborted) return;
      this.#trouble = noAnswer(socketPath, 'sanlock is gone', 'gone', 'the daemon closed the connection');
      this.#lose();
      this.#rouse();
    });
    return connection;
  }

  #lose(): void {
    this.#owners.forget();
    this.#change(() => {
      this.#lost = true;
      this.#boardIn = false;
    });
  }

  async #look(): Promise<void> {
    const { hostId, domainLockspace, board, bootMs, pollMs, ownerMs = OWNER_MS } = this.#options;
    const standing = this.#standing;
    const atMs = bootMs();
    const lockspaces = await readLockspaces(this.#ask, LIMIT_MS);
    const hosts = isIn(lockspaces, domainLockspace, hostId) ? await this.#hosts() : NOT_LISTED;
    const listed = hosts !== NOT_LISTED;
    const youngMs = atMs < this.#livelyUntilMs ? 0 : ownerMs;
    const limitMs = Math.max(pollMs, 1000);
    const reading = this.#owners.read(atMs, { youngMs, oldMs: youngMs + SLOW_MS, limitMs });
    // A host that is in no lockspace can't start anything: that counts, even when the lease can't be read from here.
    const read = await (listed ? reading : reading.catch(() => undefined));
    // Of a daemon that died meanwhile nothing is true any more.
    if (this.#standing !== standing || this.#ending.signal.aborted) return;
    this.#change(() => {
      if (board !== undefined) this.#boardIn = isIn(lockspaces, board.name, hostId);
      const { owner } = read ?? this.#owners.last ?? {};
      if (read !== undefined || !listed) this.#settle({ atMs, listed, hosts, owner });
    });
    if (read === undefined && listed)
      throw noAnswer('sanlock', 'the engine VM’s lease can’t be read', 'hung', 'no answer yet');
  }

  #settle(look: Look): void {
    const fact = this.#watch.fact(look);
    // Not before it knows its own generation: until then it takes the lease of a VM of before for one of now.
    if (fact.joined && look.hosts !== undefined) this.#lost = false;
    const silentS = (fact.ownerSilentMs ?? 0) / 1000;
    const waiting = silentS > 3 * fact.ioSeconds && silentS < 12 * fact.ioSeconds + fact.watchdogSeconds;
    if (waiting || this.#fact?.owner !== fact.owner) this.#livelyUntilMs = fact.atMs + LIVELY_MS;
    this.#fact = fact;
  }

  async #hosts(): Promise<readonly Host[] | undefined> {
    const what = 'the hosts of the lockspace can’t be read';
    const answer = await this.#ask(requests.getHosts(this.#options.domainLockspace), what, LIMIT_MS);
    if (answer.result === NOTHING_KNOWN_YET) return undefined;
    if (answer.result === NOT_IN_LOCKSPACE) return NOT_LISTED;
    if (answer.result < 0) throw refusal(`lockspace ${this.#options.domainLockspace}`, what, answer.result);
    return hostsOf(answer);
  }

  readonly #ask = (bytes: Buffer, what: string, limitMs: number | undefined): Promise<Answer> =>
    askOnce(this.#options.socketPath, bytes, what, { limitMs, signal: this.#ending.signal });

  #boardOptions(): BoardOptions {
    const { board, hostId, watchdogSeconds } = this.#options;
    if (board === undefined) throw noBoard();
    return { board, hostId, watchdogSeconds, ask: this.#ask, signal: this.#ending.signal };
  }

  #change(make: () => void): void {
    const before = this.#signs();
    make();
    if (this.#signs() !== before) for (const listener of this.#listeners) listener();
  }

  #signs(): string {
    const fact = this.fact();
    return `${fact?.connected} ${fact?.joined} ${fact?.owner} ${this.#boardIn}`;
  }

  #rouse(): void {
    this.#woken = true;
    this.#wake();
  }

  async #pause(ms: number): Promise<void> {
    if (!this.#woken)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#woken = false;
  }
}
