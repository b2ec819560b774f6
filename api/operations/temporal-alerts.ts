/** What host workers tell, kept by the cluster's entity; it is started if there is none yet. */
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import {
  CLUSTER_MESSAGES,
  ENTITY_DETAILS,
  entitySummary,
  type ClusterState,
  type HostAlert,
} from '../../workflows/model/cluster.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import type { AlertDesk } from '../ports.ts';
import { unavailable, type Deadlines } from './temporal-common.ts';

const HE_CLUSTER = defineSearchAttributeKey('HeCluster', 'KEYWORD');

async function signal(client: Client, taskQueue: string, cluster: string, alert: HostAlert) {
  const state: ClusterState = { version: 1, cluster, queue: [], history: [] };
  await client.workflow.signalWithStart('cluster', {
    workflowId: clusterEntityId(cluster),
    taskQueue,
    args: [state],
    signal: CLUSTER_MESSAGES.alert,
    signalArgs: [alert],
    staticSummary: entitySummary(cluster),
    staticDetails: ENTITY_DETAILS,
    typedSearchAttributes: new TypedSearchAttributes([{ key: HE_CLUSTER, value: cluster }]),
  });
  return { outcome: 'told' } as const;
}

export function createAlertDesk(client: Client, taskQueue: string, deadlines: Deadlines): AlertDesk {
  return {
    tell: (cluster, alert) =>
      client
        .withDeadline(Date.now() + deadlines.serverDeadlineMs, () => signal(client, taskQueue, cluster, alert))
        .catch(unavailable),
  };
}
