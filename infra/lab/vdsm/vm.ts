/** A VM on one host: its life from WaitForLaunch to Down (vdsm.md 8). */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { fail } from './errors.ts';
import { EngineProcess, LEASE_REFUSED } from './engine-process.ts';
import { engineInside } from './guest-disk.ts';
import type { HostState } from './host-state.ts';
import type { JsonObject } from './python.ts';
import { runningFigures } from './vm-stats.ts';

export type VmStatus =
  | 'WaitForLaunch'
  | 'Powering up'
  | 'Up'
  | 'Paused'
  | 'Powering down'
  | 'Down'
  | 'Migration Source'
  | 'Migration Destination';

/** Exit reasons used here, with VDSM's texts. */
const EXIT = {
  error: [1, 1, ''],
  lostQemu: [1, 2, 'Lost connection with qemu process'],
  migrated: [0, 4, 'Migration succeeded'],
  admin: [0, 6, 'Admin shut down from the engine'],
  guest: [0, 7, 'User shut down from within the guest'],
} as const;

const LEASE_HELD =
  'internal error: process exited while connecting to monitor: Failed to acquire lock: Lease is held by another host';
/** VDSM shows "Powering down" no longer than this when the guest ignores the request. */
const POWERING_DOWN_MS = 300_000;

/** UUID and name of a libvirt domain XML. @throws VdsmError 100 when there are none */
export function parseDomainXml(xml: string): { id: string; name: string; paused: boolean } {
  if (XMLValidator.validate(xml) !== true) throw fail.general('no element found: line 1, column 0');
  const parsed = new XMLParser({ parseTagValue: false, processEntities: false }).parse(xml) as Record<string, unknown>;
  const domain = parsed['domain'];
  const fields = typeof domain === 'object' && domain !== null ? (domain as Record<string, unknown>) : {};
  const { uuid, name } = fields;
  if (typeof uuid !== 'string') throw fail.general("'uuid'");
  const paused = /:launchPaused>\s*true\s*</i.test(xml);
  return { id: uuid.toLowerCase(), name: typeof name === 'string' ? name : '', paused };
}

export class LabVm {
  readonly id: string;
  readonly name: string;
  readonly xml: string;
  readonly host: HostState;
  readonly paused: boolean;
  status: VmStatus = 'WaitForLaunch';
  pauseCode: string | undefined;
  ticket = false;
  /** 0 to 100 during an outgoing migration. */
  migrationProgress = 0;
  migrationError: { readonly code: number; readonly message: string } | undefined;
  #exit: { readonly exitCode: number; readonly exitReason: number; readonly exitMessage: string } | undefined;
  #process: EngineProcess | undefined;
  #shutdownAsked = false;
  /** Lab time of its start, on whichever host that was. */
  readonly started: number;
  readonly #gone = new AbortController();

  /** @param started of a VM that comes in by migration; a new one starts now */
  constructor(host: HostState, xml: string, started: number = host.clock.now()) {
    const { id, name, paused } = parseDomainXml(xml);
    this.host = host;
    this.id = id;
    this.name = name;
    this.xml = xml;
    this.paused = paused;
    this.started = started;
  }

  /** Boots in the background: lease, process, Powering up, Up. */
  async boot(): Promise<void> {
    const { clock, world, name } = this.host;
    this.#setStatus('WaitForLaunch');
    await clock.sleep(world.timings.launchMs, this.#gone.signal);
    if (this.#gone.signal.aborted) return;
    if (!world.acquireLease(this.id, name)) {
      this.#down(EXIT.error, LEASE_HELD);
      return;
    }
    const program = engineInside(this.host, this.id, this.xml);
    if (program !== undefined) {
      const lease = world.leases?.environment(name);
      const env = { ...program.env, ...lease, LAB_VM_HOST: name, LAB_VM_ID: this.id };
      const process = new EngineProcess({ ...program, env }, `${this.host.dir}/vm-${this.id}.log`);
      this.#adopt(process);
      // libvirt waits within the start until sanlock has given or refused the lease.
      if (!(await process.up)) return;
    }
    if (this.paused) {
      this.pause();
      return;
    }
    this.#setStatus('Powering up');
    await this.#becomeUp();
  }

  async #becomeUp(): Promise<void> {
    await this.host.clock.sleep(this.host.world.timings.bootMs, this.#gone.signal);
    if (this.status === 'Powering up') this.#setStatus('Up', this.stats());
  }

  #adopt(process: EngineProcess): void {
    this.#process = process;
    void process.ended.then(({ code }) => {
      // After a migration the process belongs to another host's VM.
      if (this.#process !== process || this.status === 'Down') return;
      if (code === LEASE_REFUSED) this.#down(EXIT.error, LEASE_HELD);
      else if (this.#shutdownAsked) this.#down(EXIT.admin);
      else this.#down(code === 0 ? EXIT.guest : EXIT.lostQemu);
    });
  }

  #setStatus(status: VmStatus, more: JsonObject = {}): void {
    this.status = status;
    this.host.emitVm(this.id, { ...more, status });
  }

  #down(exit: readonly [number, number, string], message: string = exit[2]): void {
    if (this.status === 'Down') return;
    this.#exit = { exitCode: exit[0], exitReason: exit[1], exitMessage: message };
    this.#gone.abort();
    this.host.world.releaseLease(this.id, this.host.name);
    this.#setStatus('Down', { vmId: this.id, ...this.#exit, timeOffset: '0' });
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What `Host.getVMList` tells of it. */
  short(): JsonObject {
    return { vmId: this.id, status: this.status, statusTime: String(this.host.eventTime()) };
  }

  stats(): JsonObject {
    const base = this.short();
    if (this.#exit !== undefined) return { ...base, ...this.#exit, timeOffset: '0' };
    return {
      ...base,
      vmName: this.name,
      vmType: 'kvm',
      kvmEnable: 'true',
      acpiEnable: 'true',
      monitorResponse: '0',
      clientIp: '',
      timeOffset: '0',
      pid: String(this.pid ?? 0),
      ...runningFigures({
        ageSeconds: Math.floor((this.host.clock.now() - this.started) / 1000),
        memoryMb: this.host.fixture.vm.memoryMb,
        imageId: this.id === this.host.fixture.vm.id ? this.host.fixture.heDisks.vm.image : undefined,
      }),
      displayInfo: [{ type: 'vnc', port: '5900', tlsPort: '-1', ipAddress: this.host.config.address }],
      guestIPs: this.status === 'Up' ? this.host.fixture.engine.address : '',
      guestFQDN: this.status === 'Up' ? this.host.fixture.engine.fqdn : '',
      guestCPUCount: this.status === 'Up' ? 4 : -1,
      username: 'Unknown',
      session: 'Unknown',
      appsList: [],
      netIfaces: [],
      hash: '1',
      ...(this.pauseCode === undefined ? {} : { pauseCode: this.pauseCode }),
      ...(this.status === 'Migration Source' ? { migrationProgress: this.migrationProgress } : {}),
    };
  }

  pause(): void {
    this.pauseCode = 'NOERR';
    this.#process?.kill('SIGSTOP');
    this.#setStatus('Paused', { pauseCode: 'NOERR' });
  }

  resume(): void {
    this.pauseCode = undefined;
    this.#process?.kill('SIGCONT');
    this.#setStatus('Up', this.stats());
  }

  /** Asks the guest. `force` kills it after `timeoutMs` of lab time. @throws VdsmError 1 when Down */
  shutdown(timeoutMs: number, force: boolean): void {
    if (this.status === 'Down') throw fail.noSuchVm({ vmId: this.id });
    this.#shutdownAsked = true;
    this.#setStatus('Powering down');
    if (this.#process === undefined) {
      this.#down(EXIT.admin);
      return;
    }
    this.#process.kill('SIGCONT');
    this.#process.kill('SIGTERM');
    void this.host.clock.sleep(force ? timeoutMs : POWERING_DOWN_MS, this.#gone.signal).then(() => {
      if (this.status !== 'Powering down') return;
      if (force) this.#process?.kill('SIGKILL');
      else this.#setStatus('Up');
    });
  }

  /** Kills it and waits for the end. The caller forgets the VM. */
  async destroy(): Promise<void> {
    this.#shutdownAsked = true;
    this.#gone.abort();
    if (this.status === 'Down') return;
    this.#process?.kill('SIGKILL');
    await this.#process?.ended;
    this.#down(EXIT.admin);
  }

  /** The host lost power: the process is gone and nobody is told. */
  async powerOff(): Promise<void> {
    this.status = 'Down';
    this.#gone.abort();
    this.#process?.kill('SIGKILL');
    await this.#process?.ended;
  }

  /**
   * Moves the running VM to another host; the process goes on. Ends as Down/0/4 here, or Up again with `migrationError`.
   * @param destination undefined when no host of that address is known
   */
  async migrateTo(destination: HostState | undefined): Promise<void> {
    this.migrationProgress = 0;
    this.migrationError = undefined;
    this.#setStatus('Migration Source');
    const twin = destination?.alive === true ? destination.incomingVm(this) : undefined;
    if (twin === undefined) {
      this.#migrationFailed(10, 'Could not connect to peer VDS');
      return;
    }
    const { clock, world } = this.host;
    for (const progress of [30, 60, 90]) {
      await clock.sleep(world.timings.migrationMs / 3, this.#gone.signal);
      if (this.status !== 'Migration Source' || !twin.host.alive) {
        twin.host.vms.delete(this.id);
        if (this.status === 'Migration Source') this.#migrationFailed(12, 'Fatal error during migration');
        return;
      }
      this.migrationProgress = progress;
      this.host.emitMigration(this.id, progress);
    }
    const socket = world.leases?.socketOf(twin.host.name);
    if (socket !== undefined && (await this.#process?.moveLease(socket)) === false) {
      twin.host.vms.delete(this.id);
      this.#migrationFailed(12, 'Failed to acquire lock on the destination');
      return;
    }
    this.migrationProgress = 100;
    const process = this.#process;
    this.#process = undefined;
    this.#down(EXIT.migrated);
    world.moveLease(this.id, twin.host.name);
    if (process !== undefined) twin.#adopt(process);
    twin.#setStatus('Up', twin.stats());
  }

  /** @throws VdsmError 47 when none runs */
  cancelMigration(): void {
    if (this.status !== 'Migration Source') throw fail.migrationNotRunning();
    this.#migrationFailed(47, 'Migration process cancelled');
  }

  #migrationFailed(code: number, message: string): void {
    this.migrationError = { code, message };
    this.#setStatus('Up');
  }
}
