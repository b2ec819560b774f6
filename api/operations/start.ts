/**
 * The one function that starts operations, whoever asks: webhook, API, command line, schedule.
 *
 * Two keys (orchestration.md 1.3). The workflow id holds the ticket: it runs once, whatever happens. The request id is
 * derived from the delivery: the same delivery, however late and wherever it arrives, gets the same answer.
 */
import type { ConversionProblem } from '../../activities/ovf/problems.ts';
import { parseVmConf } from '../../activities/ovf/vm-conf.ts';
import { DEFAULT_TIMING, type OperationState } from '../../workflows/model/operation.ts';
import { operationId } from '../../workflows/model/ids.ts';
import { WORKFLOW_TYPES, type OperationRequest } from '../../workflows/model/requests.ts';
import type { AppPorts, StartOrder } from '../ports.ts';
import { digestOf, uuidV5 } from './digest.ts';
import { detailsOf, summaryOf } from '../../workflows/model/words.ts';
import type { Gate } from './gate.ts';

export type StartPorts = Pick<AppPorts, 'starter' | 'reader' | 'clusters' | 'timing' | 'clock'> & {
  readonly gate: Gate;
};

export interface Delivery {
  /** Who sent it and its id there, e.g. `webhook:servicedesk:msg_1`. */
  readonly deliveryKey: string;
}

export type StartOutcome =
  /** 202 */
  | { readonly outcome: 'accepted'; readonly id: string; readonly state: OperationState; readonly duplicate: boolean }
  /** 422 */
  | { readonly outcome: 'unknown-cluster'; readonly known: readonly string[] }
  /** 422 */
  | { readonly outcome: 'invalid-vm-conf'; readonly problems: readonly ConversionProblem[] }
  /** 422 */
  | { readonly outcome: 'too-late'; readonly until: string }
  /** 409 */
  | { readonly outcome: 'conflict'; readonly id: string; readonly state: OperationState }
  /** 429 */
  | { readonly outcome: 'too-many' }
  /** 503 */
  | { readonly outcome: 'unavailable'; readonly why: string };

function vmConfProblems(text: string | undefined): readonly ConversionProblem[] {
  const read = text === undefined ? undefined : parseVmConf(text);
  return read === undefined || read.ok ? [] : read.problems;
}

/**
 * Digest of what is asked for; who asks does not count, so that a ticket repeated by hand is seen as a repetition, nor
 * where the ticket is told.
 */
export function requestDigest(request: OperationRequest): string {
  return digestOf({ ...request, requestedBy: undefined, tracker: undefined });
}

function orderOf(ports: StartPorts, request: OperationRequest, delivery: Delivery): StartOrder {
  const id = operationId(request);
  return {
    id,
    workflowType: WORKFLOW_TYPES[request.operation],
    input: { request, timing: ports.timing ?? DEFAULT_TIMING },
    requestId: uuidV5(delivery.deliveryKey),
    digest: requestDigest(request),
    deliveryKey: delivery.deliveryKey,
    summary: summaryOf(request),
    details: detailsOf(request, id),
  };
}

/** The end that the request names, if it is past. */
function pastEnd(ports: StartPorts, request: OperationRequest): string | undefined {
  const until = request.operation === 'global-maintenance' ? request.until : undefined;
  return until === undefined || Date.parse(until) > ports.clock().getTime() ? undefined : until;
}

/**
 * Starts the operation, or says why not. Resolves to `accepted` only after Temporal has acknowledged; never throws for
 * what a caller can cause.
 */
export async function startOperation(
  ports: StartPorts,
  request: OperationRequest,
  delivery: Delivery,
): Promise<StartOutcome> {
  if (!ports.clusters.includes(request.cluster)) return { outcome: 'unknown-cluster', known: ports.clusters };
  const problems = request.operation === 'upgrade' ? vmConfProblems(request.vmConf) : [];
  if (problems.length > 0) return { outcome: 'invalid-vm-conf', problems };
  const order = orderOf(ports, request, delivery);
  const until = pastEnd(ports, request);
  // A late repetition gets its first answer again.
  if (until !== undefined && (await ports.reader.show(order.id)).outcome === 'unknown') {
    return { outcome: 'too-late', until };
  }
  const reply = await ports.gate.run(() => ports.starter.start(order));
  if (reply === undefined) return { outcome: 'too-many' };
  if (reply.outcome === 'unavailable') return reply;
  // The state of a fresh start is the same in every answer to the same delivery, even when the operation is done by now.
  if (reply.outcome === 'started') return { outcome: 'accepted', id: order.id, state: 'queued', duplicate: false };
  return reply.digest === order.digest
    ? { outcome: 'accepted', id: order.id, state: reply.state, duplicate: true }
    : { outcome: 'conflict', id: order.id, state: reply.state };
}
