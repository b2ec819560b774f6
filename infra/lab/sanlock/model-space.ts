/**
 * A lockspace on one modelled daemon: its id taken, renewed, watched in others, lost, given back (peers-ha.md 2.3).
 *
 * Times are sanlock's: renewal each 2 io, lost at 8 io, others' leases free at 8 io + watchdog.
 */
import { HOSTS_MAX, type ModelDisk, Refused, type Slot } from './model-disk.ts';
import type { ModelTime } from './model-time.ts';
import { type HostRecord, type LockspaceArgument, RV } from './wire.ts';

/**
 * A turn that comes so late (seconds) means that the lab's own process was kept from running: it renews before it judges.
 * The real daemon has real-time priority against that.
 */
const LATE = 2;
const STATES = { unknown: 1, live: 3, fail: 4, dead: 5 } as const;

/** What this daemon knows of a host: since when it looks, when it looked last, when it saw the slot change. */
export interface HostStatus {
  readonly slot: Slot;
  readonly firstCheck: number;
  readonly lastCheck: number;
  readonly lastLive: number;
}

export interface SpaceOptions extends LockspaceArgument {
  readonly host: string;
  readonly io: number;
  readonly watchdog: number;
  readonly disk: ModelDisk;
  readonly time: ModelTime;
}

/** Who holds leases in it; asked again and again while they are killed. */
export interface Owners {
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  any(): boolean;
}

export class ModelSpace {
  readonly options: SpaceOptions;
  state: 'adding' | 'active' | 'removing' = 'adding';
  generation = 0;
  /** Leases in it are lost: nothing new may be taken. */
  killing = false;
  #removal = false;
  #lastSuccess = 0;
  #lastKill = Number.NEGATIVE_INFINITY;
  #healthy = true;
  #statuses: ReadonlyMap<number, HostStatus> | undefined;
  #renewing = false;

  constructor(options: SpaceOptions) {
    this.options = options;
  }

  /** Whole seconds, as the real one's clock. */
  #seconds(): number {
    return Math.floor(this.options.time.now());
  }

  remove(): void {
    this.#removal = true;
  }

  status(id: number): HostStatus | undefined {
    return this.#statuses?.get(id);
  }

  /** undefined until the others were looked at for the first time. */
  hosts(): readonly HostRecord[] | undefined {
    if (this.#statuses === undefined) return undefined;
    return [...this.#statuses]
      .filter(([, { slot }]) => slot.timestamp !== 0)
      .map(([id, status]) => {
        const { generation, timestamp, io } = status.slot;
        return { id, generation, timestamp, io, flags: this.#flag(id, status) };
      });
  }

  #flag(id: number, { slot, firstCheck, lastLive }: HostStatus): number {
    if (id === this.options.hostId) return STATES.live;
    const silent = this.options.time.now() - (lastLive || firstCheck);
    if (silent <= 8 * slot.io) return firstCheck === lastLive ? STATES.unknown : STATES.live;
    return silent > 8 * slot.io + this.options.watchdog ? STATES.dead : STATES.fail;
  }

  /** Takes the id. @returns 0, or sanlock's number @throws Killed */
  async join(): Promise<number> {
    const { name, hostId, io, watchdog, host, disk, time } = this.options;
    if (hostId > HOSTS_MAX) return RV.INVALID_HOSTID;
    try {
      const before = await disk.readSlot(this.options, name, hostId, io);
      if (before.timestamp !== 0 && before.host !== host) {
        await this.#pause(Math.max(8 * before.io + watchdog, 2 * before.io + 6 * before.io));
        const after = await disk.readSlot(this.options, name, hostId, io);
        if (after.timestamp !== 0 && JSON.stringify(after) !== JSON.stringify(before)) return RV.HOSTID_BUSY;
      }
      const generation = before.generation + 1;
      const mine: Slot = { space: name, host, generation, timestamp: this.#seconds(), io };
      await disk.writeSlot(this.options, hostId, mine);
      await this.#pause(2 * before.io);
      const check = await disk.readSlot(this.options, name, hostId, io);
      if (JSON.stringify(check) !== JSON.stringify(mine)) return RV.HOSTID_BUSY;
      this.generation = generation;
      this.#lastSuccess = mine.timestamp;
    } catch (error) {
      if (error instanceof Refused) return error.result;
      throw error;
    }
    // Its caller looks once a second.
    await time.sleep(1);
    this.state = 'active';
    return 0;
  }

  async #pause(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 1) {
      if (this.#removal) throw new Refused(RV.ERROR);
      await this.options.time.sleep(Math.min(1, left));
    }
  }

  /** Renews until the id is lost or given up, and ends when no owner is left. @throws Killed */
  async run(owners: Owners): Promise<void> {
    const { time, io } = this.options;
    let turn = time.now();
    let freezes = time.freezes;
    for (;;) {
      await time.running();
      if (this.killing && !owners.any()) break;
      const silent = time.now() - this.#lastSuccess;
      const late = time.now() - turn > LATE && time.freezes === freezes;
      turn = time.now();
      freezes = time.freezes;
      const lost = silent >= 8 * io && !(late && silent < 8 * io + this.options.watchdog);
      if (this.killing || this.#removal || lost || !this.#healthy) this.#kill(owners);
      else if (silent >= 2 * io && !this.#renewing) void this.#renew();
      await time.sleep(this.killing ? 0.2 : 0.5);
    }
    this.state = 'removing';
    await this.#giveBack();
  }

  /** SIGTERM for as long as the watchdog leaves time for it, then SIGKILL, each second. */
  #kill(owners: Owners): void {
    const { time, io, watchdog } = this.options;
    this.killing = true;
    if (time.now() - this.#lastKill < 1) return;
    this.#lastKill = time.now();
    const grace = watchdog >= 60 ? 40 : watchdog >= 30 ? 15 : 0;
    const gentle = !this.#removal && time.now() < this.#lastSuccess + 8 * io + grace;
    owners.kill(gentle ? 'SIGTERM' : 'SIGKILL');
  }

  async #renew(): Promise<void> {
    const { name, hostId, io, host, disk } = this.options;
    this.#renewing = true;
    try {
      const slots = await disk.readSlots(this.options, name, io);
      const mine = slots[hostId - 1];
      if (mine === undefined || mine.host !== host || mine.generation !== this.generation)
        throw new Refused(RV.RENEW_OWNER);
      this.#look(slots);
      const timestamp = this.#seconds();
      await disk.writeSlot(this.options, hostId, { ...mine, timestamp, io });
      this.#lastSuccess = timestamp;
    } catch (error) {
      if (!(error instanceof Refused)) return;
      // Somebody else wrote our slot, or it is no slot any more: no use in trying again.
      this.#healthy = error.result > RV.LEADER_MAGIC;
    } finally {
      this.#renewing = false;
    }
  }

  #look(slots: readonly Slot[]): void {
    const now = this.options.time.now();
    const statuses = new Map<number, HostStatus>();
    for (const [index, slot] of slots.entries()) {
      const old = this.#statuses?.get(index + 1);
      const same = old === undefined ? slot.timestamp === 0 : JSON.stringify(old.slot) === JSON.stringify(slot);
      const lastLive = same ? (old?.lastLive ?? 0) : now;
      statuses.set(index + 1, { slot, firstCheck: old?.firstCheck ?? now, lastCheck: now, lastLive });
    }
    this.#statuses = statuses;
  }

  /** Frees the id, unless the storage took it from us: then it expires. */
  async #giveBack(): Promise<void> {
    const { name, hostId, io, host, disk, time } = this.options;
    if (time.now() - this.#lastSuccess >= 8 * io || !this.#healthy) return;
    try {
      await disk.writeSlot(this.options, hostId, { space: name, host, generation: this.generation, timestamp: 0, io });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
}
