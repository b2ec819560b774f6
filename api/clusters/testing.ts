/** Looks made up, for tests of what is made of them. */
import type { ClusterState } from '../../workflows/model/cluster.ts';
import type { ClusterLook, HostLook } from '../../workflows/model/look.ts';
import type { EntityReply, MaintenanceOrder } from './ports.ts';
import { clusterStatusOf, type ClusterStatus } from './status.ts';

export const NOW = new Date('2026-11-21T14:00:00.000Z');

function host(id: number): HostLook {
  const ha = { configured: true, active: true, score: 3400, localMaintenance: false, globalMaintenance: false };
  return {
    name: `host${id}.example.test`,
    address: `10.0.0.${id}`,
    engine: { status: 'non_operational', stale: true },
    vdsm: { answers: true },
    ha: { ...ha, source: 'vdsm' },
    summary: 'Hosted Engine HA: Active (score: 3400)',
    agent: 'bellwether',
    scoreReasons: ['network -1600: 0 % of probes answered'],
    slot: {
      id,
      hostname: `host${id}`,
      writtenBy: 'bellwether',
      state: 'EngineUnexpectedlyDown',
      score: 3400,
      localMaintenance: false,
      stopped: false,
      engineStatus: { vm: 'down', health: 'bad', detail: 'unknown' },
      lives: true,
      heardSeconds: 3,
    },
    cannotRun: 'its VDSM does not answer',
  };
}

export function look(change: Partial<ClusterLook> = {}): ClusterLook {
  return {
    version: 1,
    cluster: 'Default',
    at: NOW.toISOString(),
    tookMs: 900,
    engine: { address: 'engine.example.test', healthy: true, health: 'well' },
    engineVm: { places: [] },
    hosts: [1, 2, 3].map(host),
    strangers: [],
    faultySlots: [],
    globalMaintenance: { on: false, source: 'ha-metadata' },
    capacity: {
      failures: 0,
      why: ['No other host could take the engine over now.', 'After one failure there may be none left.'],
    },
    metadataAgeSeconds: 0,
    missing: [],
    ...change,
  };
}

export function entity(change: Partial<ClusterState> = {}): EntityReply {
  return { outcome: 'known', state: { version: 1, cluster: 'Default', queue: [], history: [], ...change } };
}

export function statusOf(seen: ClusterLook, state: EntityReply, order?: MaintenanceOrder | 'unknown'): ClusterStatus {
  return clusterStatusOf(seen, state, order, NOW, 0);
}
