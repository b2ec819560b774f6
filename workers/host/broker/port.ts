/**
 * What the broker's socket needs from the worker: one narrow interface, so that the socket knows neither storage nor VDSM.
 *
 * Every call gets a signal that is aborted when its time is over; the caller has then been answered already, and what a
 * late answer says is dropped. A failure is thrown; on the wire it becomes "None", as the reference's does (ha-agent.md 4.1).
 */

/** Python's text of it goes on the wire: `True`, `0.1234`, `None`. */
export type MonitorValue = string | number | boolean | undefined;

type Later<T> = T | Promise<T>;

export interface BrokerPort {
  /** Starts, or replaces, the monitor of this type; answers its id (the reference's is the type's name). */
  startMonitor(type: string, options: ReadonlyMap<string, string>, signal: AbortSignal): Later<string>;
  stopMonitor(id: string, signal: AbortSignal): Later<void>;
  /** @throws for an id that was never started */
  monitorStatus(id: string, signal: AbortSignal): Later<MonitorValue>;
  /** The last reading, from memory: 4096 bytes by host id, slot 0 with it. Empty slots may be left out. */
  stats(signal: AbortSignal): Later<ReadonlyMap<number, Buffer>>;
  /** Takes a slot of 4096 bytes for writing. Slot 0 has its own way and never competes with a host's (ha-agent.md 4.2). */
  putStats(hostId: number, block: Buffer, signal: AbortSignal): Later<void>;
  /** What the agent saw in its last loop; the port stamps it with its own clock. */
  pushHostsState(alive: readonly number[], signal: AbortSignal): Later<void>;
  /** The last push; none when it is older than 60 s. */
  aliveHosts(signal: AbortSignal): Later<readonly number[]>;
  /** True: sent (or queued to be); false: no rule asks for it. */
  notify(event: string, detail: string, options: ReadonlyMap<string, string>, signal: AbortSignal): Later<boolean>;
  startDomainMonitor(hostId: number, signal: AbortSignal): Later<void>;
  stopDomainMonitor(signal: AbortSignal): Later<void>;
  lockHostId(hostId: number, signal: AbortSignal): Later<void>;
  releaseHostId(signal: AbortSignal): Later<void>;
  resetLockspace(signal: AbortSignal): Later<void>;
}
