/** The cluster's lock, asked for through Temporal's client: a workflow alone can't start its cluster's entity. */
import {
  QueryNotRegisteredError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import {
  CLUSTER_MESSAGES,
  ENTITY_DETAILS,
  entitySummary,
  type ClusterState,
  type LockActivities,
  type LockAnswer,
} from '../../workflows/model/cluster.ts';
import { defineSearchAttributeKey, TypedSearchAttributes, type Workflow } from '@temporalio/common';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { MESSAGES, type OperationView } from '../../workflows/model/operation.ts';

/** The holder's own words are worth a moment, not a stall: it may be parked on a worker that is gone. */
const QUERY_LIMIT_MS = 3000;

const HE_CLUSTER = defineSearchAttributeKey('HeCluster', 'KEYWORD');

async function progress(client: Client, operationId: string, label: string): Promise<string> {
  try {
    const deadline = Date.now() + QUERY_LIMIT_MS;
    const view = await client.connection.withDeadline(deadline, () =>
      client.workflow.getHandle(operationId).query<OperationView>(MESSAGES.view),
    );
    const at = view.steps.findIndex((step) => step.state === 'running' || step.state === 'parked');
    const step = at < 0 ? view.state : `step ${at + 1} of ${view.steps.length}`;
    return `${label}, ${step}${view.state === 'parked' ? ' (parked)' : ''}`;
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return label;
    return `${label} (its progress can’t be read now)`;
  }
}

export function lockActivities(client: Client, taskQueue: string): LockActivities {
  return {
    async requestClusterLock({ cluster, lock }) {
      const state: ClusterState = { version: 1, cluster, queue: [], history: [] };
      const start = new WithStartWorkflowOperation('cluster', {
        workflowId: clusterEntityId(cluster),
        taskQueue,
        args: [state],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: entitySummary(cluster),
        staticDetails: ENTITY_DETAILS,
        // So that a search for the cluster finds its operations and what grants them the cluster.
        typedSearchAttributes: new TypedSearchAttributes([{ key: HE_CLUSTER, value: cluster }]),
      });
      return client.workflow.executeUpdateWithStart<Workflow, LockAnswer, [typeof lock]>(CLUSTER_MESSAGES.request, {
        args: [lock],
        startWorkflowOperation: start,
      });
    },
    async describeHolder({ operationId, label }) {
      try {
        const { status } = await client.workflow.getHandle(operationId).describe();
        if (status.name !== 'RUNNING') return { running: false, text: label };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { running: false, text: label };
        throw error;
      }
      return { running: true, text: await progress(client, operationId, label) };
    },
  };
}
