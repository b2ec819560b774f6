/** From what the daemon says to a `LeaseFact`; pure but for the memory of what was seen when. */
import type { LeaseFact } from '../../core/types.ts';
import type { Host, Owner } from './codec.ts';

/** One look at the daemon. */
export interface Look {
  /** When it began, of our own clock. */
  readonly atMs: number;
  /** Our id is listed in the domain's lockspace, neither joining nor leaving. */
  readonly listed: boolean;
  /** undefined: listed, but the daemon has not read the others' slots yet (up to 2 io after joining). */
  readonly hosts: readonly Host[] | undefined;
  /** Whom the lease names; none: free. */
  readonly owner: Owner | undefined;
}

export interface LookSettings {
  readonly hostId: number;
  readonly watchdogSeconds: number;
  /** Until the daemon has told it. */
  readonly ioSeconds: number;
}

interface Seen {
  readonly generation: number;
  readonly timestamp: number;
  readonly changedMs: number;
}

/** Remembers when each host's renewal was last seen to move, by our clock alone: host clocks say nothing to each other. */
export class Watch {
  readonly #settings: LookSettings;
  readonly #seen = new Map<number, Seen>();
  #ioSeconds: number;

  constructor(settings: LookSettings) {
    this.#settings = settings;
    this.#ioSeconds = settings.ioSeconds;
  }

  get ioSeconds(): number {
    return this.#ioSeconds;
  }

  fact(look: Look): LeaseFact {
    const { hostId, watchdogSeconds } = this.#settings;
    for (const host of look.hosts ?? []) this.#note(host, look.atMs);
    const me = look.hosts?.find((host) => host.id === hostId);
    if (me !== undefined && me.ioSeconds > 0) this.#ioSeconds = me.ioSeconds;
    const host = look.hosts?.find((h) => h.id === look.owner?.id);
    const owner = look.owner === undefined || isFree(look.owner, host) ? undefined : look.owner;
    return {
      atMs: look.atMs,
      connected: true,
      joined: look.listed && this.#renews(look, me),
      owner: owner?.id,
      ownerSilentMs: owner === undefined ? undefined : this.#silentMs(owner, host, look.atMs),
      ioSeconds: this.#ioSeconds,
      watchdogSeconds,
    };
  }

  #note(host: Host, atMs: number): void {
    const seen = this.#seen.get(host.id);
    if (seen?.generation === host.generation && seen.timestamp === host.timestamp) return;
    this.#seen.set(host.id, { generation: host.generation, timestamp: host.timestamp, changedMs: atMs });
  }

  /** The daemon calls its own id live whatever happens; a lockspace that is not renewed for 8 io is lost all the same. */
  #renews(look: Look, me: Host | undefined): boolean {
    if (look.hosts === undefined) return true;
    const seen = this.#seen.get(this.#settings.hostId);
    return me?.state === 'live' && seen !== undefined && look.atMs - seen.changedMs < 8000 * this.#ioSeconds;
  }

  #silentMs(owner: Owner, host: Host | undefined, atMs: number): number {
    const { hostId, watchdogSeconds } = this.#settings;
    const seen = this.#seen.get(owner.id);
    // Not listed: it joined a moment ago, or left; its silence begins when we first saw its name on the lease.
    if (seen === undefined) this.#seen.set(owner.id, { generation: owner.generation, timestamp: 0, changedMs: atMs });
    const ioMs = 1000 * this.#ioSeconds;
    const refreshedMs = this.#seen.get(hostId)?.changedMs;
    // A daemon that can't read the storage would show everybody silent: only what it has looked at since counts.
    const blind = owner.id !== hostId && refreshedMs !== undefined && atMs - refreshedMs > 3 * ioMs;
    const untilMs = blind ? refreshedMs + 3 * ioMs : atMs;
    const silentMs = Math.max(0, untilMs - (seen?.changedMs ?? atMs));
    if (blind || owner.id === hostId) return silentMs;
    // The daemon has watched for longer than a worker that has just been started.
    if (host?.state === 'dead') return Math.max(silentMs, 8 * ioMs + 1000 * watchdogSeconds);
    return host?.state === 'fail' ? Math.max(silentMs, 8 * ioMs) : silentMs;
  }
}

/** The owner's host came back since and has another generation: sanlock gives the lease away at once. */
function isFree(owner: Owner, host: Host | undefined): boolean {
  return host !== undefined && host.generation > owner.generation;
}
