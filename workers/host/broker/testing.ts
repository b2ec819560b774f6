/** A port for tests of the socket: slots in memory, answers that can be held back. */
import { formatGlobalBlock, formatHostBlock } from '../../../activities/storage/whiteboard.ts';
import type { BrokerPort, MonitorValue } from './port.ts';

/** A host's slot as the reference writes it. */
export function hostSlot(hostId: number, extra = 'state=EngineUp\n'): Buffer {
  const formatted = formatHostBlock({
    hostId,
    hostTs: 5000 + hostId,
    score: 3400,
    engineStatus: { vm: 'up', health: 'good', detail: 'Up' },
    hostname: `node-${hostId}.example.test`,
    localMaintenance: false,
    stopped: false,
    confOnSharedStorage: true,
    localConfTimestamp: 4990,
    extra,
  });
  if (!formatted.ok) throw new Error(formatted.why);
  return formatted.bytes;
}

export class TestPort implements BrokerPort {
  readonly slots = new Map<number, Buffer>([
    [0, formatGlobalBlock(false)],
    [1, hostSlot(1)],
    [2, hostSlot(2)],
  ]);
  readonly monitors = new Map<string, MonitorValue>();
  /** Calls that change something, as `name argument ...`. */
  readonly calls: string[] = [];
  alive: readonly number[] = [];
  /** Signals of calls that hang. */
  readonly hanging: AbortSignal[] = [];
  hangs = false;

  #hang(signal: AbortSignal): Promise<never> {
    this.hanging.push(signal);
    return new Promise(() => undefined);
  }

  startMonitor(type: string, options: ReadonlyMap<string, string>): string {
    this.calls.push(`start ${type} ${JSON.stringify([...options])}`);
    this.monitors.set(type, undefined);
    return type;
  }
  stopMonitor(id: string): void {
    this.monitors.delete(id);
  }
  monitorStatus(id: string): MonitorValue {
    if (!this.monitors.has(id)) throw new Error(`there is no monitor ${id}`);
    return this.monitors.get(id);
  }
  stats(): ReadonlyMap<number, Buffer> {
    return this.slots;
  }
  putStats(hostId: number, block: Buffer): void {
    this.slots.set(hostId, block);
  }
  pushHostsState(alive: readonly number[]): void {
    this.alive = alive;
  }
  aliveHosts(): readonly number[] {
    return this.alive;
  }
  notify(event: string, detail: string, options: ReadonlyMap<string, string>): boolean {
    this.calls.push(`notify ${event} ${detail} ${JSON.stringify([...options])}`);
    return detail.includes('EngineStart');
  }
  startDomainMonitor(hostId: number, signal: AbortSignal): void | Promise<void> {
    if (this.hangs) return this.#hang(signal);
    this.calls.push(`start domain ${hostId}`);
  }
  stopDomainMonitor(): void {
    this.calls.push('stop domain');
  }
  lockHostId(hostId: number, signal: AbortSignal): void | Promise<void> {
    if (this.hangs) return this.#hang(signal);
    this.calls.push(`lock ${hostId}`);
  }
  releaseHostId(): void {
    this.calls.push('release');
  }
  resetLockspace(): void {
    throw new Error('sanlock says -22');
  }
}
