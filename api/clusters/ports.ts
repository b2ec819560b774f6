/** What the routes below `/clusters` need of Temporal; made by `temporal-look.ts`. */
import type { ClusterState } from '../../workflows/model/cluster.ts';
import type { BackupListing, ClusterLook, Examination, Finding, Missing } from '../../workflows/model/look.ts';

export type RunReply<T> =
  | { readonly outcome: 'seen'; readonly value: T }
  /** Nobody polls the queue. */
  | { readonly outcome: 'no-worker'; readonly why: string }
  /** A worker tried and failed. */
  | { readonly outcome: 'failed'; readonly missing: Missing }
  /** Temporal does not answer. */
  | { readonly outcome: 'unavailable'; readonly why: string };

/** Undefined state: the cluster was never operated on. */
export type EntityReply =
  | { readonly outcome: 'known'; readonly state: ClusterState | undefined }
  | { readonly outcome: 'missing'; readonly missing: Missing };

/** The last request that switched global maintenance. */
export interface MaintenanceOrder {
  readonly id: string;
  readonly mode: 'on' | 'off';
  readonly by: string;
  readonly reason?: string;
  readonly ticket?: string;
  readonly until?: string;
  /** ISO time of its start. */
  readonly at: string;
  readonly running: boolean;
}

/** How a cluster is looked at. */
export interface ClusterDesk {
  look(cluster: string): Promise<RunReply<ClusterLook>>;
  examine(cluster: string): Promise<RunReply<Examination>>;
  backups(cluster: string): Promise<RunReply<BackupListing>>;
  entity(cluster: string): Promise<EntityReply>;
  /** Undefined: none is kept. @throws when Temporal does not answer. */
  lastMaintenanceOrder(cluster: string): Promise<MaintenanceOrder | undefined>;
  /** Temporal itself: reached, namespace, search attributes, a worker. */
  examineTemporal(): Promise<Finding[]>;
}
