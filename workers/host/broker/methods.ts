/** The broker's methods (ha-agent.md 4.1): arguments checked, the port called, the reference's words answered. */
import type { BrokerPort, MonitorValue } from './port.ts';
import { acceptBlock, servableSlots } from './slots.ts';
import type { RpcValue } from './xmlrpc.ts';

/** Milliseconds after which the caller is answered None, whatever the port still does. VDSM itself waits 5 s for numbers. */
export const LIMITS_MS = {
  start_monitor: 10_000,
  stop_monitor: 10_000,
  status_monitor: 2000,
  get_stats: 2000,
  put_stats: 2000,
  push_hosts_state: 2000,
  is_host_alive: 2000,
  notify: 5000,
  // The reference waits 240 s for VDSM's monitor, and 5 times (sanlock + 5 s) for the host id.
  start_domain_monitor: 245_000,
  stop_domain_monitor: 30_000,
  lock_host_id: 60_000,
  release_host_id: 30_000,
  reset_lockspace: 60_000,
} as const;

export type MethodName = keyof typeof LIMITS_MS;

type Method = (port: BrokerPort, params: readonly RpcValue[], signal: AbortSignal) => Promise<RpcValue>;

class BadArgument extends Error {}

function counted(params: readonly RpcValue[], count: number): readonly RpcValue[] {
  if (params.length !== count) throw new BadArgument(`${params.length} arguments instead of ${count}`);
  return params;
}

function text(value: RpcValue | undefined, name: string): string {
  if (typeof value !== 'string') throw new BadArgument(`${name} is no text`);
  return value;
}

/** Host ids come as numbers, from some callers as digits. */
function hostId(value: RpcValue | undefined): number {
  const id = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) throw new BadArgument('the host id is no number');
  return id;
}

/** Options that are None were not given; numbers and flags become Python's texts. */
function options(value: RpcValue | undefined): ReadonlyMap<string, string> {
  if (!(value instanceof Map)) throw new BadArgument('the options are no map');
  const entries: [string, string][] = [];
  for (const [key, each] of value) {
    if (each === null) continue;
    if (typeof each !== 'string' && typeof each !== 'number' && typeof each !== 'boolean')
      throw new BadArgument(`the option ${JSON.stringify(String(key))} is no text`);
    entries.push([String(key), pythonText(each)]);
  }
  return new Map(entries);
}

/** `str()` of Python. */
function pythonText(value: MonitorValue): string {
  if (value === undefined) return 'None';
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}

function isList(value: RpcValue | undefined): value is readonly RpcValue[] {
  return Array.isArray(value);
}

const methods: Readonly<Record<MethodName, Method>> = {
  async start_monitor(port, params, signal) {
    const [type, given] = counted(params, 2);
    return port.startMonitor(text(type, 'the type'), options(given), signal);
  },
  async stop_monitor(port, params, signal) {
    await port.stopMonitor(text(counted(params, 1)[0], 'the id'), signal);
    return 'ok';
  },
  async status_monitor(port, params, signal) {
    return pythonText(await port.monitorStatus(text(counted(params, 1)[0], 'the id'), signal));
  },
  async get_stats(port, params, signal) {
    counted(params, 0);
    return servableSlots(await port.stats(signal));
  },
  async put_stats(port, params, signal) {
    const [id, data] = counted(params, 2);
    if (!Buffer.isBuffer(data)) throw new BadArgument('the block is not binary');
    const slot = hostId(id);
    const accepted = acceptBlock(slot, data);
    if (!accepted.ok) throw new BadArgument(`the block for slot ${slot} is refused: ${accepted.why}`);
    await port.putStats(slot, accepted.block, signal);
    return 'ok';
  },
  async push_hosts_state(port, params, signal) {
    const [alive] = counted(params, 1);
    if (!isList(alive)) throw new BadArgument('the hosts are no list');
    await port.pushHostsState(alive.map(hostId), signal);
    return 'ok';
  },
  async is_host_alive(port, params, signal) {
    counted(params, 0);
    return [...(await port.aliveHosts(signal))];
  },
  async notify(port, params, signal) {
    const [event, detail, given] = counted(params, 3);
    const sent = await port.notify(text(event, 'the event'), text(detail, 'the detail'), options(given), signal);
    return sent ? 'sent' : 'ignored';
  },
  async start_domain_monitor(port, params, signal) {
    await port.startDomainMonitor(hostId(counted(params, 1)[0]), signal);
    return 'ok';
  },
  async stop_domain_monitor(port, params, signal) {
    counted(params, 0);
    await port.stopDomainMonitor(signal);
    return 'ok';
  },
  async lock_host_id(port, params, signal) {
    // The reference says "ok" also when it could not lock; None is what its callers were told to take for a failure.
    await port.lockHostId(hostId(counted(params, 1)[0]), signal);
    return 'ok';
  },
  async release_host_id(port, params, signal) {
    counted(params, 0);
    await port.releaseHostId(signal);
    return 'ok';
  },
  async reset_lockspace(port, params, signal) {
    counted(params, 0);
    await port.resetLockspace(signal);
    return 'ok';
  },
};

export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/** Runs one method without a limit. Rejects with what went wrong: wrong arguments or the port's own failure. */
export function runMethod(
  port: BrokerPort,
  name: MethodName,
  params: readonly RpcValue[],
  signal: AbortSignal,
): Promise<RpcValue> {
  return methods[name](port, params, signal);
}
