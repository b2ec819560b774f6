/** An operation's side of its ticket: it starts the follower and thinks of it no more. */
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { CancellationScope, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { OperationTiming } from '../model/operation.ts';
import type { OperationRequest } from '../model/requests.ts';
import { FOLLOW_WORKFLOW, followEveryMs, followerId, type FollowInput } from '../model/ticket.ts';

const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

/** Only for requests that name a tracker: others have no such command in their histories. */
export async function followedByTicket(request: OperationRequest, timing: OperationTiming): Promise<void> {
  const { tracker, ticket, cluster } = request;
  if (tracker === undefined || ticket === undefined) return;
  const { workflowId: operationId } = workflowInfo();
  const input: FollowInput = { operationId, cluster, tracker, ticket, everyMs: followEveryMs(timing.firstRetryMs) };
  const start = () =>
    startChild(FOLLOW_WORKFLOW, {
      workflowId: followerId(operationId),
      args: [input],
      // It tells the end too, which comes after this operation's.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Keep ticket ${ticket} up to date`,
      typedSearchAttributes: new TypedSearchAttributes([keyword('HeCluster', cluster), keyword('HeTicket', ticket)]),
    });
  // A ticket must not hold up an operation: one follower is there already (a reset), or there is none.
  await CancellationScope.nonCancellable(start).catch(() => undefined);
}
