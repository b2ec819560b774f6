/** The cluster's entity: who may change the hosted engine now, who waits, what happened last. */

import type { OperationState } from './operation.ts';

export interface LockRequest {
  readonly operationId: string;
  /** Name for people: the ticket, else the operation's id. */
  readonly label: string;
  readonly ifBusy: 'queue' | 'refuse';
}

export type LockAnswer =
  | { readonly state: 'granted' }
  /** `busyWith` e.g. "CHG0030001, step 4 of 13". */
  | { readonly state: 'queued'; readonly position: number; readonly busyWith: string }
  | { readonly state: 'refused'; readonly busyWith: string };

/** How an operation ended, in a line. */
export interface OperationEnding {
  readonly state: OperationState;
  readonly summary: string;
}

export interface ClusterHistoryEntry {
  readonly operationId: string;
  readonly label: string;
  readonly grantedAt: string;
  readonly releasedAt?: string;
  readonly end?: OperationEnding;
}

/** What a host worker told of a failover, or of something that needs a person. */
export interface HostAlert {
  /** Of the delivery: the same for each repetition. */
  readonly id: string;
  /** ISO time, by the host's clock. */
  readonly at: string;
  readonly host: string;
  readonly kind: string;
  readonly text: string;
  readonly did: string;
  readonly todo: string;
}

/** Carried over continue-as-new; versioned because old runs hand it to new code. */
export interface ClusterState {
  readonly version: 1;
  readonly cluster: string;
  holder?: LockRequest;
  queue: LockRequest[];
  history: ClusterHistoryEntry[];
  /** The latest last. */
  alerts?: HostAlert[];
}

export const CLUSTER_MESSAGES = {
  request: 'requestLock',
  release: 'releaseLock',
  alert: 'hostAlert',
  view: 'cluster',
} as const;

/** What is kept of the past; the rest is in Temporal's own visibility. */
export const HISTORY_MAX = 50;

export const ALERTS_MAX = 50;

export const entitySummary = (cluster: string) => `Cluster ${cluster}: one operation at a time`;

/** Markdown for the Temporal UI. */
export const ENTITY_DETAILS = [
  '- Grants the cluster to one operation at a time, in the order of asking',
  '- Keeps what the host workers told last',
  '- Started by the first operation; it never ends, and needs nobody’s attention',
  '- An operation that was terminated loses the cluster by itself as soon as another one asks',
  '- Cancelled or terminated, it is started by the next operation, or by one that waits, and remembers who holds the cluster',
].join('\n');

/** What the lock needs of Temporal's client. */
export interface LockActivities {
  /** Asks the cluster's entity, and starts the entity when there is none. Asking twice is asking once. */
  requestClusterLock(input: { readonly cluster: string; readonly lock: LockRequest }): Promise<LockAnswer>;
  /** Whether the operation still runs, and how far it is ("CHG0030001, step 4 of 13"). */
  describeHolder(input: { readonly operationId: string; readonly label: string }): Promise<{
    readonly running: boolean;
    readonly text: string;
  }>;
  /** What the entity's run before `runId` knew last; undefined: there was none. */
  lastClusterState(input: { readonly cluster: string; readonly runId: string }): Promise<ClusterState | undefined>;
}
