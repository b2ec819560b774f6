/** Result of the domain monitors, `Host.getStorageRepoStats` (vdsm.md 7). */
import type { HostState } from '../host-state.ts';
import type { JsonObject } from '../python.ts';

/** Domains it monitors: the pool's active ones and those asked for. Others are absent. */
export function domainVitals(host: HostState, wanted: readonly string[] = []): Record<string, JsonObject> {
  const pool = host.poolConnected ? [...host.world.poolDomains()].filter(([, status]) => status === 'Active') : [];
  const acquired = new Map<string, boolean>(pool.map(([id]) => [id, true]));
  for (const [id, at] of host.monitored) if (!acquired.has(id)) acquired.set(id, host.clock.now() >= at);
  const vitals: Record<string, JsonObject> = {};
  const visible = acquired.size === 0 ? [] : host.visibleDomains();
  const hangs = host.faults.peek('storage-hang', (fault) => fault.host === host.name) !== undefined;
  for (const [id, hasHostId] of acquired) {
    if (wanted.length > 0 && !wanted.includes(id)) continue;
    const domain = visible.find((one) => one.id === id);
    vitals[id] = {
      valid: domain !== undefined && !hangs,
      acquired: hasHostId && domain !== undefined,
      actual: true,
      code: domain === undefined ? 358 : 0,
      version: domain?.metadata.version ?? -1,
      delay: '0.000312',
      lastCheck: '3.4',
    };
  }
  return vitals;
}
