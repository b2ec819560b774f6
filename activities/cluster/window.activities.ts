/** What an opening of a maintenance window needs of Temporal's client: it starts operations that outlive it. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { defineSearchAttributeKey, TerminatedFailure, TypedSearchAttributes } from '@temporalio/common';
import { operationId } from '../../workflows/model/ids.ts';
import type { OperationResult } from '../../workflows/model/operation.ts';
import { WORKFLOW_TYPES, type OperationInput, type OperationRequest } from '../../workflows/model/requests.ts';
import { WINDOW_WORKFLOW, type WindowActivities } from '../../workflows/model/window.ts';
import { detailsOf, summaryOf } from '../../workflows/model/words.ts';

const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

function attributesOf({ cluster, operation, ticket }: OperationRequest): TypedSearchAttributes {
  return new TypedSearchAttributes([
    keyword('HeCluster', cluster),
    keyword('HeOperation', operation),
    keyword('HeState', 'queued'),
    ...(ticket === undefined ? [] : [keyword('HeTicket', ticket)]),
  ]);
}

/** An opening of the same cluster found global maintenance on, and relies on it. */
async function anotherRuns(client: Client, opening: string): Promise<boolean> {
  const windowsOf = opening.split('/').slice(0, 2).join('/').replaceAll('\\', '\\\\').replaceAll("'", "''");
  const query = `WorkflowType = '${WINDOW_WORKFLOW}' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '${windowsOf}/'`;
  for await (const { workflowId } of client.workflow.list({ query })) if (workflowId !== opening) return true;
  return false;
}

async function openingState(
  client: Client,
  opening: string,
  on: string,
): ReturnType<WindowActivities['lookAtOpening']> {
  const known = await client.workflow
    .getHandle(opening)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
  if (known?.status.name === 'RUNNING') return 'open';
  // It closes before it completes, and a cancellation is one of its endings.
  if (known?.status.name === 'COMPLETED') return 'nothing-left';
  const switched = await switching(client, on);
  if (switched === 'running') return 'open';
  if (switched === 'not-on') return 'nothing-left';
  return (await anotherRuns(client, opening)) ? 'taken-over' : 'left-open';
}

/** What became of the operation that was to switch global maintenance on. */
async function switching(client: Client, on: string): Promise<'running' | 'maybe-on' | 'not-on'> {
  const handle = client.workflow.getHandle<() => Promise<OperationResult>>(on);
  try {
    if ((await handle.describe()).status.name === 'RUNNING') return 'running';
    return (await handle.result()).state === 'done' ? 'maybe-on' : 'not-on';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'not-on';
    // Terminated in its turn: nobody knows how far it came. Cancelled, it has taken back what it did.
    if (error instanceof WorkflowFailedError) return error.cause instanceof TerminatedFailure ? 'maybe-on' : 'not-on';
    throw error;
  }
}

async function endOf(client: Client, id: string): ReturnType<WindowActivities['windowOperationEnd']> {
  const handle = client.workflow.getHandle<() => Promise<OperationResult>>(id);
  const { status } = await handle.describe();
  if (status.name === 'RUNNING') return { running: true, state: 'failed', summary: '' };
  try {
    const { state, lines } = await handle.result();
    const done = state === 'done' || state === 'nothing-to-do';
    return { running: false, state: done ? 'done' : 'aborted', summary: lines[0] ?? state };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { running: false, state: 'failed', summary: `Temporal ended it: ${status.name.toLowerCase()}` };
  }
}

export function windowActivities(client: Client, taskQueue: string): WindowActivities {
  return {
    async startWindowOperation({ request, timing, window }) {
      const id = operationId(request);
      const input: OperationInput = { request, timing, window };
      try {
        await client.workflow.start(WORKFLOW_TYPES[request.operation], {
          workflowId: id,
          taskQueue,
          args: [input],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          memo: { requestedBy: request.requestedBy, window: window.name },
          typedSearchAttributes: attributesOf(request),
          staticSummary: summaryOf(request),
          staticDetails: detailsOf(request, id),
        });
      } catch (error) {
        // The attempt before this one did it.
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
    lookAtOpening: ({ opening, on }) => openingState(client, opening, on),
    async windowOperationEnd({ id }) {
      try {
        return await endOf(client, id);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        return { running: false, state: 'failed', summary: 'Temporal does not know it any more' };
      }
    },
  };
}
