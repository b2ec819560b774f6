/** An operation's side of the cluster's lock: one operation at a time changes a hosted engine. */
import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import { CLUSTER_MESSAGES, type LockActivities, type LockRequest, type OperationEnding } from '../model/cluster.ts';
import { clusterEntityId } from '../model/ids.ts';
import { MESSAGES } from '../model/operation.ts';
import type { OperationStateKeeper } from '../steps/operation-state.ts';

const activities = proxyActivities<LockActivities>({
  startToCloseTimeout: '20 seconds',
  summary: 'Ask for the cluster: one operation at a time',
  retry: { maximumInterval: '10 seconds' },
});

/** The entity may have been ended in Temporal, and the queue with it: asked again, it is there again and remembers. */
const AGAIN = '15 minutes';

export type Lock = { readonly state: 'granted' } | { readonly state: 'refused'; readonly busyWith: string };

/**
 * Asks the cluster's entity for the lock; queues unless the request says `refuse`. May be cancelled by its scope: then
 * `releaseCluster` takes back what was asked.
 */
export async function acquireCluster(cluster: string, lock: LockRequest, keeper: OperationStateKeeper): Promise<Lock> {
  let granted = false;
  setHandler(defineSignal(MESSAGES.granted), () => {
    granted = true;
  });
  for (;;) {
    const answer = await activities.requestClusterLock({ cluster, lock });
    if (answer.state !== 'queued') return answer;
    const { busyWith, position } = answer;
    keeper.state('queued', ['abort'], `the cluster: busy with ${busyWith}; place ${position} in the queue`);
    if (!patched('ask-again')) await condition(() => granted);
    else if (!(await condition(() => granted, AGAIN, { summary: 'Until the cluster is asked for again' }))) continue;
    return { state: 'granted' };
  }
}

export async function releaseCluster(cluster: string, operationId: string, end?: OperationEnding): Promise<void> {
  // The entity finds out by itself that a holder has ended; a lost signal only delays the next in the queue.
  await getExternalWorkflowHandle(clusterEntityId(cluster))
    .signal(CLUSTER_MESSAGES.release, operationId, ...(end === undefined ? [] : [end]))
    .catch(() => undefined);
}
