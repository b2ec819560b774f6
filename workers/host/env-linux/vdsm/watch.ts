/**
 * What VDSM on this host knows of the engine VM, the host and the storage domain: its events make us look at once, and
 * we look every beat anyway, as an event can be lost (vdsm.md 5). A VDSM that hangs makes the facts old and nothing else.
 */
import type { VdsmClient } from '../../../../activities/vdsm/client.ts';
import { isCode } from '../../../../activities/vdsm/errors.ts';
import type { StorageFact, VmFact } from '../../core/types.ts';
import { repeat, type Repeated } from '../repeat.ts';
import { absent, vmFact } from './vm-fact.ts';

/** A domain that answers slower than this is as good as gone (ha-agent.md 4.3). */
const SLOW_STORAGE_S = 10;
const NO_SUCH_VM = 1;

export interface VdsmWatchOptions {
  readonly client: VdsmClient;
  readonly vmId: string;
  readonly domain: string;
  readonly hostId: number;
  readonly bridge: string | undefined;
  readonly everyMs: number;
  readonly bootMs: () => number;
  /** Something new is known. */
  readonly changed: () => void;
}

export interface HostVitals {
  readonly atMs: number;
  readonly memFreeMb: number | undefined;
  readonly bridgeUp: boolean | undefined;
}

/** The VM as its guest shows it: anything that changes while it boots. */
export interface GuestSigns {
  readonly agent: boolean;
  readonly address: boolean;
  /** Of one CPU, percent; undefined while VDSM has only initial zeros. */
  readonly cpuPercent: number | undefined;
}

export interface VdsmWatch {
  vm(): VmFact | undefined;
  guest(): GuestSigns | undefined;
  host(): HostVitals | undefined;
  storage(): StorageFact | undefined;
  /** Looks at the VM now. */
  lookNow(): void;
  stop(): void;
}

class Watch implements VdsmWatch {
  readonly #options: VdsmWatchOptions;
  readonly #looks: readonly Repeated[];
  #vm: VmFact | undefined;
  #guest: GuestSigns | undefined;
  #host: HostVitals | undefined;
  #storage: StorageFact | undefined;
  readonly #unsubscribe: () => void;

  constructor(options: VdsmWatchOptions) {
    this.#options = options;
    const { everyMs, client, vmId } = options;
    // A look may take two beats; the next begins when it ended or its time is over. The calls keep that time themselves.
    const limitMs = 2 * everyMs;
    const vm = repeat(everyMs, limitMs, () => this.#lookAtVm(limitMs));
    const slow = Math.max(everyMs, Math.min(10_000, 3 * everyMs));
    const host = repeat(slow, 2 * slow, () => this.#lookAtHost(2 * slow));
    const storage = repeat(everyMs, limitMs, (signal) => this.#lookAtStorage(signal, limitMs));
    this.#looks = [vm, host, storage];
    this.#unsubscribe = client.onEvent((event) => {
      const about = event.kind === 'vm-status' || event.kind === 'vm-migration' ? event.vmId === vmId : false;
      if (about || event.kind === 'connected') vm.now();
    });
  }

  vm = () => this.#vm;
  guest = () => this.#guest;
  host = () => this.#host;
  storage = () => this.#storage;

  lookNow(): void {
    this.#looks[0]?.now();
  }

  stop(): void {
    this.#unsubscribe();
    for (const look of this.#looks) look.stop();
  }

  async #lookAtVm(timeoutMs: number): Promise<void> {
    const { client, vmId: vmID, bootMs } = this.#options;
    const atMs = bootMs();
    try {
      const stats = await client.call('VM.getStats', { vmID }, { timeoutMs });
      const { cpuActual, cpuUser = 0, cpuSys = 0, guestFQDN = '', guestIPs = '' } = stats;
      const cpuPercent = cpuActual === false ? undefined : cpuUser + cpuSys;
      this.#guest = { agent: guestFQDN !== '', address: guestIPs !== '', cpuPercent };
      this.#saw(vmFact(stats, atMs));
    } catch (error) {
      if (!isCode(error, NO_SUCH_VM)) return;
      this.#guest = undefined;
      this.#saw(absent(atMs));
    }
  }

  #saw(fact: VmFact): void {
    const before = this.#vm;
    // A late answer must not cover a newer one.
    if (before !== undefined && before.atMs > fact.atMs) return;
    this.#vm = fact;
    if (before?.state !== fact.state || before.detail !== fact.detail) this.#options.changed();
  }

  async #lookAtHost(timeoutMs: number): Promise<void> {
    const { client, bridge, bootMs } = this.#options;
    const atMs = bootMs();
    const stats = await client.call('Host.getStats', {}, { timeoutMs });
    const state = bridge === undefined ? undefined : stats.network?.[bridge]?.state;
    const bridgeUp = state === undefined ? undefined : state === 'up';
    const before = this.#host?.bridgeUp;
    this.#host = { atMs, memFreeMb: stats.memFree, bridgeUp };
    if (before !== bridgeUp) this.#options.changed();
  }

  async #lookAtStorage(signal: AbortSignal, timeoutMs: number): Promise<void> {
    const { client, domain, bootMs } = this.#options;
    const atMs = bootMs();
    const vitals = (await client.call('Host.getStorageRepoStats', {}, { timeoutMs }))[domain];
    // An unmonitored domain is absent: VDSM holds no host id then, and no VM could start.
    const ok = vitals !== undefined && vitals.valid && vitals.delay <= SLOW_STORAGE_S;
    const before = this.#storage?.ok;
    this.#storage = { atMs, ok };
    if (before !== ok) this.#options.changed();
    if (vitals === undefined) {
      await client.call('Host.startMonitoringDomain', { sdUUID: domain, hostID: this.#options.hostId }, { signal });
    }
  }
}

/** Begins to look; the first facts are there as soon as VDSM answers. */
export function watchVdsm(options: VdsmWatchOptions): VdsmWatch {
  return new Watch(options);
}
