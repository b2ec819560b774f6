/** The Temporal side of the front door: starts operations. Reading and operators' commands are in the files beside. */
import type { Client } from '@temporalio/client';
import {
  defaultPayloadConverter,
  encodeWorkflowIdConflictPolicy,
  encodeWorkflowIdReusePolicy,
  defineSearchAttributeKey,
  TypedSearchAttributes,
  type Payload,
} from '@temporalio/common';
import { encodeUnifiedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import type { OperationState } from '../../workflows/model/operation.ts';
import type {
  AlertDesk,
  FollowerDesk,
  OperationReader,
  OperationStarter,
  OperatorDesk,
  StartOrder,
  StartReply,
} from '../ports.ts';
import type { ClusterDesk } from '../clusters/ports.ts';
import { createClusterDesk } from '../clusters/temporal-look.ts';
import { GRPC, grpcError, unavailable, type Deadlines } from './temporal-common.ts';
import { createAlertDesk } from './temporal-alerts.ts';
import { createDesk } from './temporal-desk.ts';
import { createFollowerDesk } from './temporal-followers.ts';
import type { WindowDesk } from '../windows/ports.ts';
import { createWindowDesk } from '../windows/temporal-windows.ts';
import { createReader, describeOperation } from './temporal-read.ts';

export interface TemporalPortsOptions {
  /** A lazy connection is best: the front door then starts while Temporal is away, and `/readyz` says so. */
  readonly client: Client;
  readonly taskQueue: string;
  /** Patience with the server, milliseconds. Without it a dead server costs 20 s a request (temporal.md 3). */
  readonly serverDeadlineMs?: number;
  /** Patience with the worker that answers a query. */
  readonly queryDeadlineMs?: number;
  /** Patience with the worker that takes an operator's command. */
  readonly updateDeadlineMs?: number;
}

export interface TemporalPorts {
  readonly starter: OperationStarter;
  readonly reader: OperationReader;
  readonly desk: OperatorDesk;
  readonly alerts: AlertDesk;
  readonly followers: FollowerDesk;
  readonly looks: ClusterDesk;
  readonly windows: WindowDesk;
}

const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

function searchAttributes(order: StartOrder): TypedSearchAttributes {
  const { request } = order.input;
  const state: OperationState = 'queued';
  return new TypedSearchAttributes([
    keyword('HeCluster', request.cluster),
    keyword('HeOperation', request.operation),
    keyword('HeState', state),
    ...(request.ticket === undefined ? [] : [keyword('HeTicket', request.ticket)]),
  ]);
}

function startRequest(order: StartOrder, namespace: string, identity: string, taskQueue: string) {
  const { id, requestId, digest, deliveryKey, input } = order;
  const memo = { requestDigest: digest, requestedBy: input.request.requestedBy, deliveryKey };
  return {
    namespace,
    identity,
    requestId,
    workflowId: id,
    workflowType: { name: order.workflowType },
    taskQueue: { name: taskQueue },
    // The id stays taken after the operation has ended: the ticket runs once only.
    workflowIdReusePolicy: encodeWorkflowIdReusePolicy('REJECT_DUPLICATE') ?? null,
    workflowIdConflictPolicy: encodeWorkflowIdConflictPolicy('FAIL') ?? null,
    input: { payloads: [payload(input)] },
    memo: { fields: Object.fromEntries(Object.entries(memo).map(([name, value]) => [name, payload(value)])) },
    searchAttributes: { indexedFields: encodeUnifiedSearchAttributes(undefined, searchAttributes(order)) },
    userMetadata: { summary: payload(order.summary), details: payload(order.details) },
  };
}

/** What is known of the operation that already has the id. */
async function existing(client: Client, id: string): Promise<StartReply> {
  const found = await describeOperation(client, id);
  // Taken by something that is no operation, or gone between two calls: as good as other content.
  if (found === undefined) return { outcome: 'exists', state: 'running' };
  return {
    outcome: 'exists',
    state: found.state,
    ...(found.requestDigest === undefined ? {} : { digest: found.requestDigest }),
  };
}

/** Raw `startWorkflowExecution`, because the client's own `start` draws a random request id. */
async function start(client: Client, taskQueue: string, order: StartOrder): Promise<StartReply> {
  const { namespace, identity } = client.options;
  try {
    await client.workflowService.startWorkflowExecution(startRequest(order, namespace, identity, taskQueue));
    return { outcome: 'started' };
  } catch (error) {
    if (grpcError(error)?.code === GRPC.ALREADY_EXISTS) return existing(client, order.id);
    throw error;
  }
}

/** The front door's ports on a Temporal client. */
export function createTemporalPorts(options: TemporalPortsOptions): TemporalPorts {
  const { client, taskQueue } = options;
  const deadlines: Deadlines = {
    serverDeadlineMs: options.serverDeadlineMs ?? 1500,
    queryDeadlineMs: options.queryDeadlineMs ?? 3000,
    updateDeadlineMs: options.updateDeadlineMs ?? 8000,
  };
  return {
    starter: {
      start: (order) =>
        client
          .withDeadline(Date.now() + deadlines.serverDeadlineMs, () => start(client, taskQueue, order))
          .catch(unavailable),
    },
    reader: createReader(client, deadlines),
    desk: createDesk(client, deadlines),
    alerts: createAlertDesk(client, taskQueue, deadlines),
    followers: createFollowerDesk(client, deadlines),
    looks: createClusterDesk(client, taskQueue, deadlines),
    windows: createWindowDesk(client, taskQueue, deadlines),
  };
}
