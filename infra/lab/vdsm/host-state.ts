/** One simulated host: what its VDSM knows. The verbs read and change it; `host.ts` gives it a port. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { LabClock } from '../clock.ts';
import type { LabFaultBoard } from '../faults.ts';
import { type LabFixture, type LabHost, labPaths, mountFolder } from '../fixture.ts';
import { adoptHostedEngine } from '../adopt.ts';
import { hostedEngineConf, type LabStorage, type StorageDomainFiles } from '../storage/index.ts';
import { fail } from './errors.ts';
import type { ImageTicket } from './imageio.ts';
import type { JsonObject } from './python.ts';
import { TaskTable } from './tasks.ts';
import { LabVm } from './vm.ts';
import type { LabWorld } from './world.ts';

/** VDSM's event clock: the host's monotonic milliseconds plus this (vdsm.md 5). */
const EVENT_TIME_BASE = 2 ** 31 - 1;
/** Uptime that a host shows when the lab starts, so that rebooting it makes its clock go back. */
const FIRST_UPTIME_MS = 3_600_000;
/** Keys of `ha.conf`; the first is the engine's. */
const HA_FLAGS = ['local_maintenance', 'local_maintenance_manual'] as const;

export interface HostStateOptions {
  readonly fixture: LabFixture;
  readonly host: LabHost;
  readonly storage: LabStorage;
  readonly world: LabWorld;
  readonly clock: LabClock;
  readonly faults: LabFaultBoard;
}

export class HostState {
  readonly config: LabHost;
  readonly fixture: LabFixture;
  readonly storage: LabStorage;
  readonly world: LabWorld;
  readonly clock: LabClock;
  readonly faults: LabFaultBoard;
  /** Folder of what is local to the host. */
  readonly dir: string;
  readonly tasks: TaskTable;
  readonly vms = new Map<string, LabVm>();
  /** Mounted exports, by folder name. */
  readonly mounts = new Set<string>();
  /** Domains monitored by request: lab time at which the host id is held. */
  readonly monitored = new Map<string, number>();
  /** Tickets of the host's imageio daemon, by id. */
  readonly imageTickets = new Map<string, ImageTicket>();
  /** Port it listens on; the fixture's may be 0. */
  port: number;
  alive = false;
  recovering = false;
  poolConnected = false;
  /** Lab time at which the daemon started last; at the lab's start that was long ago. */
  daemonStarted = -FIRST_UPTIME_MS;
  /** Lab time of the HA agent's last write. */
  agentSeen = -Infinity;
  /** Set by the server: publishes an event to connected clients. */
  onEvent: (method: string, params: JsonObject) => void = () => undefined;
  /** Set by the machine: whose HA services answer VDSM on this host. */
  haServices: () => 'reference' | 'bellwether' | 'none' = () => 'reference';
  /** Set by the HA agent: publish the host's block now. */
  onMaintenanceChange: () => void = () => undefined;
  /** Wall time of the boot: the same in every answer until the next one. */
  bootDate = new Date(Date.now() - FIRST_UPTIME_MS);
  #bootedAt = -FIRST_UPTIME_MS;

  constructor(options: HostStateOptions) {
    this.config = options.host;
    this.fixture = options.fixture;
    this.storage = options.storage;
    this.world = options.world;
    this.clock = options.clock;
    this.faults = options.faults;
    this.dir = labPaths(options.fixture.dir).hostDir(options.host.name);
    this.port = options.host.vdsmPort;
    this.tasks = new TaskTable(options.clock);
    mkdirSync(this.dir, { recursive: true });
    // A machine that the engine does not know has no hosted engine until the engine deploys it there.
    const spare = options.fixture.spares?.some(({ name }) => name === options.host.name) === true;
    if (spare || options.fixture.bare === true) rmSync(this.#confFile, { force: true });
    else writeFileSync(this.#confFile, hostedEngineConf(options.fixture, options.host.spmId));
    writeFileSync(`${this.dir}/vm.conf`, options.fixture.vmConf);
    this.#writeHaConf({ local_maintenance: false, local_maintenance_manual: false });
  }

  get name(): string {
    return this.config.name;
  }

  get #confFile(): string {
    return `${this.dir}/hosted-engine.conf`;
  }

  /** Hosted engine is deployed: the deploy role left its file, undeploying takes it away (engine.md 11.2). */
  get deployed(): boolean {
    return existsSync(this.#confFile);
  }

  /** Takes over what the deploy role left on it. */
  followDeployment(): void {
    if (this.fixture.bare === true) adoptHostedEngine(this.fixture, this.storage, readFileSync(this.#confFile, 'utf8'));
    if (!this.poolConnected) this.connectStorage();
  }

  /** The HA host id as the host's own hosted-engine.conf says it. */
  get hostId(): number {
    const found = this.deployed ? /^host_id=(\d+)$/m.exec(readFileSync(this.#confFile, 'utf8'))?.[1] : undefined;
    return found === undefined ? this.config.spmId : Number(found);
  }

  /** Storage as it is when the engine has the host up: pool connected, its domains and the hosted-engine's mounted. */
  connectStorage(): void {
    this.poolConnected = this.world.poolId !== '';
    this.mounts.add(mountFolder(this.fixture.heDomain));
    for (const domain of this.storage.domains()) {
      if (this.world.poolDomains().has(domain.id)) this.mounts.add(domain.mount);
    }
    this.monitored.set(this.fixture.heDomain.id, this.clock.now());
  }

  /** Everything that lives in memory is lost with the power. */
  async powerOff(): Promise<void> {
    this.alive = false;
    this.recovering = false;
    this.#bootedAt = this.clock.now();
    this.daemonStarted = this.#bootedAt;
    this.bootDate = this.clock.wallDate();
    this.poolConnected = false;
    this.mounts.clear();
    this.monitored.clear();
    this.imageTickets.clear();
    this.tasks.reset();
    await Promise.all([...this.vms.values()].map((vm) => vm.powerOff()));
    this.vms.clear();
    this.world.hostLost(this.name);
  }

  powerOn(): void {
    if (this.deployed) this.connectStorage();
    this.alive = true;
    this.world.hostBack();
  }

  /** Lab milliseconds since the boot. */
  uptimeMs(): number {
    return Math.floor(this.clock.now() - this.#bootedAt);
  }

  /** Milliseconds on VDSM's event clock: `notify_time`, `statusTime`. */
  eventTime(): number {
    return this.uptimeMs() + EVENT_TIME_BASE;
  }

  emit(method: string, params: JsonObject): void {
    if (!this.alive || this.recovering) return;
    this.onEvent(method, { ...params, notify_time: this.eventTime() });
  }

  emitVm(vmId: string, body: JsonObject): void {
    this.emit(`|virt|VM_status|${vmId}`, { [vmId]: body });
  }

  emitMigration(vmId: string, progress: number): void {
    this.emit(`|virt|VM_migration_status|${vmId}`, { [vmId]: { progress, postcopy: false } });
  }

  /** The agent's view: set by the engine, or by an administrator on the host (ha-agent.md 2.6). */
  get localMaintenance(): boolean {
    return HA_FLAGS.some((flag) => this.#haFlag(flag));
  }

  /** As the engine sets it through VDSM: an administrator's own flag stays. */
  set localMaintenance(on: boolean) {
    const [engineFlag, ownFlag] = HA_FLAGS;
    this.#writeHaConf({ [engineFlag]: on, [ownFlag]: this.#haFlag(ownFlag) });
    this.onMaintenanceChange();
  }

  #haFlag(name: string): boolean {
    const file = `${this.dir}/ha.conf`;
    return existsSync(file) && new RegExp(`^${name}=[ty1]`, 'im').test(readFileSync(file, 'utf8'));
  }

  #writeHaConf(flags: Readonly<Record<string, boolean>>): void {
    const lines = Object.entries(flags).map(([name, on]) => `${name}=${on ? 'True' : 'False'}\n`);
    writeFileSync(`${this.dir}/ha.conf`, lines.join(''));
  }

  get isSpm(): boolean {
    return this.poolConnected && this.world.spm === this.name;
  }

  /** @throws VdsmError 309 */
  requirePool(poolId: string): void {
    if (!this.poolConnected || poolId !== this.world.poolId) throw fail.unknownPool(poolId);
  }

  /** @throws VdsmError 309, 654 */
  requireSpm(poolId: string): void {
    this.requirePool(poolId);
    if (!this.isSpm) throw fail.notSpm(poolId);
  }

  visibleDomains(): StorageDomainFiles[] {
    return this.storage.domains().filter((domain) => this.mounts.has(domain.mount));
  }

  /** @throws VdsmError 358 */
  requireDomain(id: string): StorageDomainFiles {
    const domain = this.visibleDomains().find((one) => one.id === id);
    if (domain === undefined) throw fail.noSuchDomain(id);
    return domain;
  }

  /** @throws VdsmError 1 */
  requireVm(id: string): LabVm {
    const vm = this.vms.get(id);
    if (vm === undefined) throw fail.noSuchVm({ vmId: id });
    return vm;
  }

  /** Accepts the VM and boots it in the background. @throws VdsmError 4, 100 */
  createVm(xml: string): LabVm {
    const vm = new LabVm(this, xml);
    if (this.vms.has(vm.id)) throw fail.vmExists();
    this.vms.set(vm.id, vm);
    void vm.boot();
    return vm;
  }

  /** A VM that comes in by migration; undefined when one of that id is here already. */
  incomingVm(source: LabVm): LabVm | undefined {
    if (this.vms.has(source.id)) return undefined;
    const vm = new LabVm(this, source.xml, source.started);
    vm.status = 'Migration Destination';
    this.vms.set(vm.id, vm);
    this.emitVm(vm.id, { status: vm.status });
    return vm;
  }
}
