/** The cluster's entity: who may change the hosted engine now, who waits, what happened last. */

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

export interface ClusterHistoryEntry {
  readonly operationId: string;
  readonly label: string;
  readonly grantedAt: string;
  readonly releasedAt?: string;
}

/** Carried over continue-as-new; versioned because old runs hand it to new code. */
export interface ClusterState {
  readonly version: 1;
  readonly cluster: string;
  holder?: LockRequest;
  queue: LockRequest[];
  history: ClusterHistoryEntry[];
}

export const CLUSTER_MESSAGES = { request: 'requestLock', release: 'releaseLock', view: 'cluster' } as const;

/** What is kept of the past; the rest is in Temporal's own visibility. */
export const HISTORY_MAX = 50;

/** What the lock needs of Temporal's client. */
export interface LockActivities {
  /** Asks the cluster's entity, and starts the entity when there is none. Asking twice is asking once. */
  requestClusterLock(input: { readonly cluster: string; readonly lock: LockRequest }): Promise<LockAnswer>;
  /** Whether the operation still runs, and how far it is ("CHG0030001, step 4 of 13"). */
  describeHolder(input: { readonly operationId: string; readonly label: string }): Promise<{
    readonly running: boolean;
    readonly text: string;
  }>;
}
