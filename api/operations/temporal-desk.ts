/** Operators' commands as Temporal updates: validated by the workflow, kept in its history with who and why. */
import {
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowUpdateHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MESSAGES, type OperatorAction, type OperatorCommand } from '../../workflows/model/operation.ts';
import type { ActReply, OperatorDesk } from '../ports.ts';
import { isNotFound, unavailable, type Deadlines } from './temporal-common.ts';
import { describeOperation } from './temporal-read.ts';

/** An accepted command may run long (an abort undoes every step); only its refusal is worth a wait. */
const RESULT_WAIT_MS = 1000;

function refusal(error: WorkflowUpdateFailedError): ActReply {
  const cause = error.cause;
  // Taken, and the operation came to its end before the handler did.
  if (cause instanceof ApplicationFailure && cause.type === 'AcceptedUpdateCompletedWorkflow') {
    return { outcome: 'accepted' };
  }
  return { outcome: 'refused', why: (cause ?? error).message };
}

async function send(
  client: Client,
  id: string,
  action: OperatorAction,
  command: OperatorCommand,
  updateId: string | undefined,
  deadlineMs: number,
): Promise<ActReply> {
  let handle: WorkflowUpdateHandle<unknown>;
  try {
    handle = await client.withDeadline(Date.now() + deadlineMs, () =>
      client.workflow.getHandle(id).startUpdate<unknown, [OperatorCommand]>(MESSAGES[action], {
        args: [command],
        waitForStage: 'ACCEPTED',
        ...(updateId === undefined ? {} : { updateId }),
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return { outcome: 'no-worker' };
    // It ended between the look and the command.
    if (isNotFound(error)) return { outcome: 'ended' };
    throw error;
  }
  try {
    await client.withDeadline(Date.now() + RESULT_WAIT_MS, () => handle.result());
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return refusal(error);
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) && !isNotFound(error)) throw error;
  }
  return { outcome: 'accepted' };
}

/** A command repeated after the operation's end: it was taken if the workflow knows its id. */
async function takenBefore(client: Client, id: string, updateId: string, deadlineMs: number): Promise<boolean> {
  try {
    const handle = client.workflow.getHandle(id).getUpdateHandle(updateId);
    await client.withDeadline(Date.now() + deadlineMs, () => handle.result());
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (error instanceof WorkflowUpdateFailedError) return refusal(error).outcome === 'accepted';
    throw error;
  }
}

export function createDesk(client: Client, deadlines: Deadlines): OperatorDesk {
  return {
    act: async (id, action, command, updateId): Promise<ActReply> => {
      try {
        const known = await client.withDeadline(Date.now() + deadlines.serverDeadlineMs, () =>
          describeOperation(client, id),
        );
        if (known === undefined) return { outcome: 'unknown' };
        const updateKey = updateId === undefined ? undefined : `${action}:${updateId}`;
        if (known.execution === 'running') {
          const reply = await send(client, id, action, command, updateKey, deadlines.updateDeadlineMs);
          if (reply.outcome !== 'ended') return reply;
        }
        const taken = updateKey !== undefined && (await takenBefore(client, id, updateKey, deadlines.serverDeadlineMs));
        return taken ? { outcome: 'accepted' } : { outcome: 'ended' };
      } catch (error) {
        return unavailable(error);
      }
    },
  };
}
