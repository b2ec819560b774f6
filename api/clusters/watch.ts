/** One look for all who ask within a moment: the API and the status page share it. */
import type { ClusterLook } from '../../workflows/model/look.ts';
import type { AppPorts } from '../ports.ts';
import { shareFor, type Shared } from './cache.ts';
import type { MaintenanceOrder, RunReply } from './ports.ts';
import { clusterStatusOf, type ClusterStatus } from './status.ts';

/** Below a page's five seconds, so that it never shows the same look twice. */
const SHARED_MS = 3000;

export type Seen =
  | { readonly outcome: 'status'; readonly status: ClusterStatus }
  | Exclude<RunReply<ClusterLook>, { outcome: 'seen' }>;

/** Looks at a cluster, or hands out what another asker just saw. */
export type Watch = (cluster: string) => Promise<Shared<Seen>>;

async function orderOf(ports: AppPorts, look: ClusterLook): Promise<MaintenanceOrder | undefined | 'unknown'> {
  if (look.globalMaintenance.on !== true) return undefined;
  return ports.looks.lastMaintenanceOrder(look.cluster).catch(() => 'unknown' as const);
}

async function see(ports: AppPorts, cluster: string): Promise<Seen> {
  const [reply, entity] = await Promise.all([ports.looks.look(cluster), ports.looks.entity(cluster)]);
  if (reply.outcome !== 'seen') return reply;
  const order = await orderOf(ports, reply.value);
  return { outcome: 'status', status: clusterStatusOf(reply.value, entity, order, ports.clock(), 0) };
}

export function watchClusters(ports: AppPorts): Watch {
  const shared = shareFor<Seen>(SHARED_MS, ports.clock, ({ outcome }) => outcome === 'status');
  return (cluster) => shared(cluster, () => see(ports, cluster));
}
