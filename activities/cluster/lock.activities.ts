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
import { CounterpartError } from '../errors.ts';
import { clusterEntityId } from '../../workflows/model/ids.ts';
import { MESSAGES, type OperationView } from '../../workflows/model/operation.ts';

/** The holder's own words are worth a moment, not a stall: it may be parked on a worker that is gone. */
const QUERY_LIMIT_MS = 3000;

/** A run of months is read again in this time. */
const LAST_STATE_LIMIT_MS = 15_000;

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

/** @throws CounterpartError retryable when no worker can answer for that run */
async function stateOf(client: Client, cluster: string, runId: string): Promise<ClusterState> {
  try {
    const handle = client.workflow.getHandle(clusterEntityId(cluster), runId);
    const deadline = Date.now() + LAST_STATE_LIMIT_MS;
    return await client.connection.withDeadline(deadline, () => handle.query<ClusterState>(CLUSTER_MESSAGES.view));
  } catch (error) {
    const id = clusterEntityId(cluster);
    // Without an answer nobody gets the cluster: who holds it may be in the middle of its work.
    const facts = {
      type: 'temporal/entity-unreadable',
      kind: 'retryable',
      subject: `run ${runId} of ${id}`,
      what: 'what it knew before it was ended can’t be read',
      why: error instanceof Error ? error.message : String(error),
      remedy: `It is asked again by itself. If it lasts: see that no operation of ${cluster} runs, then delete that run in Temporal.`,
    } as const;
    throw new CounterpartError(facts, { cause: error });
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
    async lastClusterState({ cluster, runId }) {
      const query = `WorkflowId = '${clusterEntityId(cluster).replaceAll("'", "''")}'`;
      let last: { readonly runId: string; readonly startTime: Date } | undefined;
      for await (const run of client.workflow.list({ query }))
        if (run.runId !== runId && (last === undefined || run.startTime > last.startTime)) last = run;
      return last === undefined ? undefined : stateOf(client, cluster, last.runId);
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
