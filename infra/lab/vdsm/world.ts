/**
 * What the hosts of one lab share besides files: the pool and its SPM, VM leases, and who is alive.
 *
 * On a real deployment sanlock on the storage keeps this; the lab's hosts live in one process, so it is an object.
 */
import type { LabClock } from '../clock.ts';
import type { LabFaultBoard } from '../faults.ts';
import { labMachines, type LabFixture, type LabHost } from '../fixture.ts';
import type { LabStorage } from '../storage/index.ts';
import type { EngineProgram } from './engine-process.ts';
import type { HostState } from './host-state.ts';

/** Lab milliseconds. Shorter than on real hosts where the real figure is minutes (leases: 140 s). */
export interface LabTimings {
  /** Time an asynchronous storage task takes. */
  readonly taskMs: number;
  /** WaitForLaunch lasts this long; then qemu runs. */
  readonly launchMs: number;
  /** Powering up lasts this long. */
  readonly bootMs: number;
  /** After the loss of the SPM's host another host is SPM. */
  readonly spmFailoverMs: number;
  /** After the loss of a host its VM leases may be taken. */
  readonly leaseExpiryMs: number;
  /** Code 99 after a restart of the daemon. */
  readonly recoveryMs: number;
  /** Host id of a newly monitored domain is held after this. */
  readonly hostIdMs: number;
  readonly migrationMs: number;
  readonly agentBeatMs: number;
}

export const DEFAULT_TIMINGS: LabTimings = {
  taskMs: 400,
  launchMs: 500,
  bootMs: 1500,
  spmFailoverMs: 3000,
  leaseExpiryMs: 20_000,
  recoveryMs: 2000,
  hostIdMs: 2000,
  migrationMs: 3000,
  agentBeatMs: 10_000,
};

/** Leases that sanlock keeps, one daemon per host: the VM's process takes its own, as qemu does under libvirt. */
export interface VmLeases {
  /** What the VM's process needs to take its lease on this host. */
  environment(host: string): Readonly<Record<string, string>>;
  socketOf(host: string): string;
}

export interface LabWorldOptions {
  /** Default: this object keeps them. */
  readonly leases?: VmLeases;
  /** False: no model of the reference's HA agent runs on any host. */
  readonly agents?: boolean;
  readonly fixture: LabFixture;
  readonly storage: LabStorage;
  readonly clock: LabClock;
  readonly faults: LabFaultBoard;
  readonly engineProgram: EngineProgram;
  readonly timings?: Partial<LabTimings>;
  /** Health page of the engine, asked by the HA agents while the VM is up. Default: a running VM is healthy. */
  readonly engineHealthy?: () => Promise<boolean>;
}

interface Lease {
  readonly host: string;
  /** Lab time after which another host may take it; undefined while its host renews it. */
  readonly expires: number | undefined;
}

export class LabWorld {
  readonly fixture: LabFixture;
  readonly storage: LabStorage;
  readonly clock: LabClock;
  readonly faults: LabFaultBoard;
  readonly engineProgram: EngineProgram;
  readonly timings: LabTimings;
  readonly engineHealthy: () => Promise<boolean>;
  readonly leases: VmLeases | undefined;
  readonly agents: boolean;
  readonly hosts = new Map<string, HostState>();
  readonly #leases = new Map<string, Lease>();
  readonly #inactive = new Set<string>();
  readonly #stop = new AbortController();
  #pool: { readonly id: string; readonly master: string } | undefined;
  #spm: string | undefined;
  #spmVersion = 1;

  constructor(options: LabWorldOptions) {
    this.fixture = options.fixture;
    this.storage = options.storage;
    this.clock = options.clock;
    this.faults = options.faults;
    this.engineProgram = options.engineProgram;
    this.timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.engineHealthy = options.engineHealthy ?? (() => Promise.resolve(true));
    this.leases = options.leases;
    this.agents = options.agents ?? true;
    const { bare, dataCenter, masterDomain, hosts } = options.fixture;
    if (bare === true) return;
    this.#pool = { id: dataCenter.id, master: masterDomain.id };
    this.#spm = hosts[0]?.name;
  }

  /** Id of the lab's pool; empty, and so nobody's, while there is none. */
  get poolId(): string {
    return this.#pool?.id ?? '';
  }

  get masterDomainId(): string {
    return this.#pool?.master ?? '';
  }

  /** A new pool on a free domain. The lab's hosts are in one pool at a time. @returns false when there is one */
  createPool(id: string, master: string): boolean {
    if (this.#pool !== undefined) return false;
    this.storage.updateDomain(master, { role: 'Master', pools: [id] });
    this.#pool = { id, master };
    this.#spm = undefined;
    return true;
  }

  /** Detaches all domains and lets go of all hosts. */
  destroyPool(): void {
    for (const id of this.poolDomains().keys()) this.storage.updateDomain(id, { role: 'Regular', pools: [] });
    for (const host of this.hosts.values()) host.poolConnected = false;
    this.#inactive.clear();
    this.#pool = undefined;
    this.#spm = undefined;
  }

  readonly masterVersion = 1;

  /** Attached domains and their status; attached is what the domain's own metadata says. */
  poolDomains(): Map<string, 'Active' | 'Attached'> {
    const id = this.#pool?.id;
    if (id === undefined) return new Map();
    const attached = this.storage.domains().filter(({ metadata }) => metadata.pools.includes(id));
    return new Map(attached.map((one) => [one.id, this.#inactive.has(one.id) ? 'Attached' : 'Active']));
  }

  setActive(domainId: string, active: boolean): void {
    if (active) this.#inactive.delete(domainId);
    else this.#inactive.add(domainId);
  }

  /** Name of the host that is SPM; undefined while none is. */
  get spm(): string | undefined {
    return this.#spm;
  }

  /** Counts the SPMs there were: VDSM's lver. */
  get spmVersion(): number {
    return this.#spmVersion;
  }

  /** @returns false when another host is SPM */
  becomeSpm(host: string): boolean {
    if (this.#spm !== undefined && this.#spm !== host) return false;
    this.#spm = host;
    this.#spmVersion += 1;
    return true;
  }

  resignSpm(host: string): void {
    if (this.#spm === host) this.#spm = undefined;
  }

  /** @returns false when another host holds the VM's lease */
  acquireLease(vmId: string, host: string): boolean {
    if (this.leases !== undefined) return true;
    const lease = this.#leases.get(vmId);
    const free = lease === undefined || lease.host === host || (lease.expires ?? Infinity) <= this.clock.now();
    if (free) this.#leases.set(vmId, { host, expires: undefined });
    return free;
  }

  moveLease(vmId: string, to: string): void {
    this.#leases.set(vmId, { host: to, expires: undefined });
  }

  releaseLease(vmId: string, host: string): void {
    if (this.#leases.get(vmId)?.host === host) this.#leases.delete(vmId);
  }

  leaseOwner(vmId: string): LabHost | undefined {
    const name = this.#leases.get(vmId)?.host;
    return labMachines(this.fixture).find((host) => host.name === name);
  }

  /** Power of a host is gone: its leases run out and, if it was SPM, another host takes over. */
  hostLost(name: string): void {
    const expires = this.clock.now() + this.timings.leaseExpiryMs;
    for (const [vmId, lease] of this.#leases) {
      if (lease.host === name) this.#leases.set(vmId, { host: name, expires });
    }
    if (this.#spm === name) void this.#replaceSpm();
  }

  /** A host with power again, connected to the pool as the engine would connect it. */
  hostBack(): void {
    if (this.#spm === undefined) void this.#replaceSpm();
  }

  /** Starts the engine VM on a host, as the HA agent would. @throws VdsmError of VM.create */
  startEngineVm(hostName: string): void {
    const host = this.hosts.get(hostName);
    if (host === undefined) throw new Error(`no host ${hostName} in this lab`);
    host.createVm(this.engineXml());
  }

  /** True while some host runs the engine VM, in whatever state but Down. */
  engineVmAlive(): boolean {
    return [...this.hosts.values()].some((host) => {
      const vm = host.vms.get(this.fixture.vm.id);
      return host.alive && vm !== undefined && vm.status !== 'Down';
    });
  }

  /** Domain XML from the fixture's vm.conf, else a minimal one. */
  engineXml(): string {
    const encoded = /^xmlBase64=(\S+)$/m.exec(this.fixture.vmConf)?.[1];
    if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf8');
    const { id, name, memoryMb } = this.fixture.vm;
    return `<domain type="kvm"><name>${name}</name><uuid>${id}</uuid><memory unit="MiB">${memoryMb}</memory><os><type>hvm</type></os></domain>`;
  }

  /** Ends the world's own timers. Hosts are closed by their handles. */
  close(): void {
    this.#stop.abort();
  }

  async #replaceSpm(): Promise<void> {
    this.#spm = undefined;
    await this.clock.sleep(this.timings.spmFailoverMs, this.#stop.signal);
    if (this.#stop.signal.aborted || this.#spm !== undefined) return;
    const next = [...this.hosts.values()].find((host) => host.alive && host.poolConnected);
    if (next !== undefined) this.becomeSpm(next.name);
  }
}
