/** Look, entity and Temporal’s word together as one status. Pure. */
import type { ClusterHistoryEntry, ClusterState, HostAlert } from '../../workflows/model/cluster.ts';
import type { ClusterLook, Finding, Missing } from '../../workflows/model/look.ts';
import type { EntityReply, MaintenanceOrder } from './ports.ts';

interface Waiting {
  /** Its id. */
  readonly operation: string;
  /** Its ticket, else the id. */
  readonly label: string;
}

export interface ClusterStatus extends Omit<ClusterLook, 'globalMaintenance'> {
  readonly globalMaintenance: ClusterLook['globalMaintenance'] & {
    /** While it is on. */
    readonly setBy?: 'operation' | 'outside' | 'unknown';
    readonly order?: Omit<MaintenanceOrder, 'mode' | 'running'>;
  };
  /** Undefined: the entity did not answer. */
  readonly lock?: { readonly holder?: Waiting; readonly queue: readonly Waiting[] };
  /** The latest first. */
  readonly endings: readonly ClusterHistoryEntry[];
  /** The latest first. */
  readonly alerts: readonly HostAlert[];
  readonly ageMs: number;
}

export interface ClusterList {
  readonly clusters: readonly {
    readonly name: string;
    readonly links: { readonly status: string; readonly doctor: string };
  }[];
}

export interface DoctorReport {
  readonly cluster: string;
  readonly at: string;
  /** The worst of the findings. */
  readonly result: Finding['result'];
  readonly findings: readonly Finding[];
  readonly missing: readonly Missing[];
}

const LATEST = 5;
const latest = <T>(list: readonly T[]): T[] => list.slice(-LATEST).toReversed();

/** Operations of these kinds set it for their own time. */
const SETS_IT = /^(upgrade|install|restore|edit|rolling|backup|add|remove|reconcile)/;

function maintenance(
  look: ClusterLook,
  order: MaintenanceOrder | undefined | 'unknown',
  state: ClusterState | undefined,
  now: Date,
): ClusterStatus['globalMaintenance'] {
  const { globalMaintenance } = look;
  if (globalMaintenance.on !== true) return globalMaintenance;
  if (order === 'unknown') return { ...globalMaintenance, setBy: 'unknown' };
  // One that ended at its time has switched it off: what is on now is somebody else's.
  const over = order?.until !== undefined && !order.running && Date.parse(order.until) <= now.getTime();
  if (order?.mode === 'on' && !over) {
    const { mode: _mode, running: _running, ...shown } = order;
    return { ...globalMaintenance, setBy: 'operation', order: shown };
  }
  const { holder, history } = state ?? {};
  if (holder !== undefined && SETS_IT.test(holder.operationId)) {
    const at = history?.findLast((entry) => entry.operationId === holder.operationId)?.grantedAt ?? look.at;
    return {
      ...globalMaintenance,
      setBy: 'operation',
      order: { id: holder.operationId, by: 'the operation that holds the cluster', at },
    };
  }
  return { ...globalMaintenance, setBy: 'outside' };
}

export function clusterStatusOf(
  look: ClusterLook,
  entity: EntityReply,
  order: MaintenanceOrder | undefined | 'unknown',
  now: Date,
  ageMs: number,
): ClusterStatus {
  const state = entity.outcome === 'known' ? entity.state : undefined;
  const waiting = ({ operationId, label }: { operationId: string; label: string }): Waiting => ({
    operation: operationId,
    label,
  });
  const holder = state?.holder;
  return {
    ...look,
    globalMaintenance: maintenance(look, order, state, now),
    ...(entity.outcome === 'missing'
      ? {}
      : {
          lock: {
            ...(holder === undefined ? {} : { holder: waiting(holder) }),
            queue: (state?.queue ?? []).map(waiting),
          },
        }),
    endings: latest((state?.history ?? []).filter((one) => one.releasedAt !== undefined)),
    alerts: latest(state?.alerts ?? []),
    ageMs,
    missing: [...look.missing, ...(entity.outcome === 'missing' ? [entity.missing] : [])],
  };
}

/** The worst of all. */
export function worst(findings: readonly Finding[]): Finding['result'] {
  if (findings.some(({ result }) => result === 'failed')) return 'failed';
  return findings.some(({ result }) => result === 'warning') ? 'warning' : 'ok';
}
