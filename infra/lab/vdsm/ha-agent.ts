/**
 * A plain model of ovirt-ha-agent on one host: every 10 lab seconds it publishes its block, obeys maintenance, and starts
 * the engine VM when no host runs it and this host is the best (ha-agent.md 1 and 3; no history, no retry counters).
 */
import { type EngineStatus, type HostBlock } from '../storage/index.ts';
import type { HostState } from './host-state.ts';

const FULL_SCORE = 3400;
/** Beats in a row without an engine VM before one is started: one may be on its way. */
const MISSED_BEATS = 2;
/** Beats that an agent just deployed takes for storage and its host id, before its first block (ha-agent.md 9.1). */
const FIRST_BLOCK_BEATS = 2;

export class HaAgent {
  readonly #host: HostState;
  #stop = new AbortController();
  #running = false;
  #missed = 0;
  /** Hosted engine was deployed at the last beat. */
  #deployed = true;
  #preparing = 0;
  /** Time in a row of somebody else in its slot, at the last beat. */
  #foreign: number | undefined;
  /** Its slot, also after its file is gone. */
  #hostId = 0;

  constructor(host: HostState) {
    this.#host = host;
    this.#hostId = host.hostId;
    host.onMaintenanceChange = () => {
      const able = this.#running && this.#deployed && this.#preparing === 0 && host.storage.haReachable();
      if (able) this.#publish(this.#lastStatus);
    };
  }

  #lastStatus: EngineStatus = { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' };

  /** Starts the loop; its first beat comes at once. */
  start(): void {
    this.#stop = new AbortController();
    this.#running = true;
    this.#missed = 0;
    this.#deployed = this.#host.deployed;
    this.#preparing = 0;
    void this.#loop(this.#stop.signal);
  }

  /** @param clean true as a service that is stopped, which says so in its block; false as a host that lost power */
  stop(clean: boolean): void {
    if (!this.#running) return;
    this.#running = false;
    this.#stop.abort();
    if (clean && this.#deployed) this.#publish(this.#lastStatus, true);
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, world } = this.#host;
    while (!signal.aborted) {
      try {
        await this.beat(signal);
      } catch {
        // Storage that cannot be written shows as a block that no longer changes, as on a real host.
      }
      await clock.sleep(world.timings.agentBeatMs, signal);
    }
  }

  /** Follows what the deploy role did meanwhile: undeploying stops the agent, its row stays. @returns whether to go on */
  #followDeployment(): boolean {
    const { deployed } = this.#host;
    if (deployed && !this.#deployed) {
      this.#host.followDeployment();
      this.#preparing = FIRST_BLOCK_BEATS;
    }
    if (!deployed && this.#deployed && this.#preparing === 0) this.#publish(this.#lastStatus, true);
    this.#deployed = deployed;
    // No host id without a lockspace: the agent waits for it (ha-agent.md 9).
    if (!deployed || !this.#host.storage.lockspaceInitialised()) return false;
    if (this.#preparing === 0) return true;
    this.#preparing = this.#idTaken() ? FIRST_BLOCK_BEATS : this.#preparing - 1;
    return this.#preparing === 0;
  }

  /** Another host writes the slot of this host's id: sanlock gives the id to nobody else then (ha-agent.md 9.4). */
  #idTaken(): boolean {
    const { storage, hostId, name } = this.#host;
    const row = storage.hostBlock(hostId);
    const changed = this.#foreign !== undefined && row?.timestamp !== this.#foreign;
    this.#foreign = row?.hostname === name ? undefined : row?.timestamp;
    return changed && this.#foreign !== undefined;
  }

  /** One round of the loop. */
  async beat(signal?: AbortSignal): Promise<void> {
    if (!this.#followDeployment()) return;
    const status = await this.#engineStatus();
    if (signal?.aborted === true) return;
    this.#lastStatus = status;
    this.#publish(status);
    const { world, storage, localMaintenance } = this.#host;
    const idle = world.engineVmAlive() || localMaintenance || storage.globalMaintenance();
    this.#missed = idle ? 0 : this.#missed + 1;
    if (this.#missed >= MISSED_BEATS && this.#isBest()) {
      this.#missed = 0;
      await this.#startEngine();
    }
  }

  async #engineStatus(): Promise<EngineStatus> {
    const vm = this.#host.vms.get(this.#host.fixture.vm.id);
    if (vm === undefined) {
      return { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' };
    }
    if (vm.status === 'Down' || vm.status === 'Migration Destination') {
      return { vm: 'down', health: 'bad', detail: vm.status, reason: 'bad vm status' };
    }
    if (vm.status === 'Paused' || vm.status === 'WaitForLaunch' || vm.status === 'Powering up') {
      return { vm: 'up', health: 'bad', detail: vm.status, reason: 'bad vm status' };
    }
    const healthy = await this.#host.world.engineHealthy().catch(() => false);
    return healthy
      ? { vm: 'up', health: 'good', detail: vm.status }
      : { vm: 'up', health: 'bad', detail: vm.status, reason: 'failed liveliness check' };
  }

  #state(status: EngineStatus, global: boolean): string {
    if (this.#host.localMaintenance) return 'LocalMaintenance';
    if (global) return 'GlobalMaintenance';
    if (status.vm !== 'up') return 'EngineDown';
    return status.health === 'good' ? 'EngineUp' : 'EngineStarting';
  }

  #publish(status: EngineStatus, stopped = false): void {
    const { clock, config, storage, hostId } = this.#host;
    this.#hostId = stopped ? this.#hostId : hostId;
    const seconds = Math.floor(clock.now() / 1000);
    const maintenance = this.#host.localMaintenance;
    const block: HostBlock = {
      timestamp: seconds,
      hostId: this.#hostId,
      score: maintenance || stopped ? 0 : FULL_SCORE,
      engineStatus: status,
      hostname: config.name,
      localMaintenance: maintenance,
      stopped,
      confTimestamp: seconds,
      state: stopped ? 'AgentStopped' : this.#state(status, storage.globalMaintenance()),
    };
    storage.writeHostBlock(block);
    this.#host.agentSeen = clock.now();
  }

  /** Highest published score among live hosts; the lower host id wins a tie. */
  #isBest(): boolean {
    const { world, storage, name } = this.#host;
    const candidates = [...world.hosts.values()]
      .filter((host) => host.alive && host.deployed)
      .map((host) => ({
        name: host.name,
        id: host.hostId,
        score: storage.hostBlock(host.hostId)?.score ?? 0,
      }))
      .filter((host) => host.score > 0)
      .sort((a, b) => b.score - a.score || a.id - b.id);
    return candidates[0]?.name === name;
  }

  async #startEngine(): Promise<void> {
    const { world, vms } = this.#host;
    const leftover = vms.get(this.#host.fixture.vm.id);
    if (leftover !== undefined) {
      await leftover.destroy();
      vms.delete(leftover.id);
    }
    world.startEngineVm(this.#host.name);
  }
}
