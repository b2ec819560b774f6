/**
 * Reads operations: the list from Temporal's visibility, one operation from its workflow's query. When no worker
 * answers the query, visibility still knows who, where and in which state; the report says that this is all.
 */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { MESSAGES, type OperationState } from '../../workflows/model/operation.ts';
import { WORKFLOW_TYPES } from '../../workflows/model/requests.ts';
import type {
  ExecutionStatus,
  ListFilter,
  OperationReader,
  OperationReport,
  OperationSummary,
  ShowReply,
} from '../ports.ts';
import { operationState, operationView } from '../schemas/operation.ts';
import { pendingWords } from './temporal-pending.ts';
import { GRPC, grpcError, isNotFound, unavailable, type Deadlines } from './temporal-common.ts';

export interface KnownOperation extends OperationSummary {
  readonly requestedBy: string;
  readonly requestDigest?: string;
  /** What the running step waits for, in its own words. */
  readonly pending?: string;
}

const OPERATIONS = new Map<string, string>(
  Object.entries(WORKFLOW_TYPES).map(([operation, type]) => [type, operation]),
);

const EXECUTION: Readonly<Record<string, ExecutionStatus>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

/** The client's type, loosened where descriptions say `undefined` in so many words. */
type Info = Pick<WorkflowExecutionInfo, 'type' | 'workflowId' | 'typedSearchAttributes' | 'status' | 'startTime'> & {
  readonly closeTime?: Date | undefined;
};

function summaryOf(info: Info): OperationSummary | undefined {
  const operation = OPERATIONS.get(info.type);
  if (operation === undefined) return undefined;
  const attribute = (name: string) => info.typedSearchAttributes.get(defineSearchAttributeKey(name, 'KEYWORD'));
  const ticket = attribute('HeTicket');
  const step = attribute('HeStep');
  const state = operationState.safeParse(attribute('HeState'));
  return {
    id: info.workflowId,
    operation,
    cluster: attribute('HeCluster') ?? info.workflowId.split('/')[1] ?? '',
    ...(ticket === undefined ? {} : { ticket }),
    state: state.success ? state.data : 'running',
    ...(step === undefined ? {} : { step }),
    execution: EXECUTION[info.status.name] ?? 'running',
    started: info.startTime.toISOString(),
    ...(info.closeTime === undefined ? {} : { closed: info.closeTime.toISOString() }),
  };
}

/** What visibility knows of it; undefined when there is no such workflow or it is no operation. */
export async function describeOperation(client: Client, id: string): Promise<KnownOperation | undefined> {
  try {
    const info = await client.workflow.getHandle(id).describe();
    const summary = summaryOf(info);
    if (summary === undefined) return undefined;
    const { requestedBy, requestDigest } = info.memo ?? {};
    const pending = pendingWords(info.raw);
    return {
      ...summary,
      requestedBy: typeof requestedBy === 'string' ? requestedBy : 'unknown',
      ...(typeof requestDigest === 'string' ? { requestDigest } : {}),
      ...(pending === undefined ? {} : { pending }),
    };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const ENDED: readonly OperationState[] = ['done', 'aborted'];

/** A workflow that Temporal ended from outside had no chance to tidy up; its state still says "running". */
function violentEnd(execution: ExecutionStatus, state: OperationState): string | undefined {
  if (execution === 'running' || ENDED.includes(state)) return undefined;
  return `Temporal ended it (${execution}) before it could undo its steps: check whether global maintenance was left on`;
}

function fromVisibility(known: KnownOperation, why: string): OperationReport {
  const { id, operation, cluster, ticket, state, step, execution, requestedBy, started, closed } = known;
  const note = `${why}; this is what Temporal’s visibility knows, without steps and actions`;
  const ended = violentEnd(execution, state);
  return {
    id,
    operation,
    cluster,
    ...(ticket === undefined ? {} : { ticket }),
    requestedBy,
    state,
    ...(execution === 'running' ? { waitsFor: `a worker${step === undefined ? '' : ` (at step ${step})`}` } : {}),
    steps: [],
    undo: [],
    actions: [],
    startedAt: started,
    ...(closed === undefined ? {} : { endedAt: closed }),
    execution,
    readFrom: 'visibility',
    note: ended === undefined ? note : `${ended}. ${note}`,
  };
}

function whyNoAnswer(error: unknown, deadlineMs: number): string {
  const grpc = grpcError(error);
  if (grpc?.code === GRPC.DEADLINE_EXCEEDED || grpc?.code === GRPC.CANCELLED) {
    return `no worker answered within ${deadlineMs} ms`;
  }
  return `the worker did not answer (${grpc?.details ?? (error instanceof Error ? error.message : String(error))})`;
}

async function query(client: Client, known: KnownOperation, deadlineMs: number): Promise<OperationReport> {
  try {
    const answer: unknown = await client.withDeadline(Date.now() + deadlineMs, () =>
      client.workflow.getHandle(known.id).query<unknown>(MESSAGES.view),
    );
    const view = operationView.safeParse(answer);
    if (!view.success)
      return fromVisibility(known, 'the worker’s answer has a shape that this front door does not know');
    const note = violentEnd(known.execution, view.data.state);
    const waitsFor = view.data.waitsFor ?? known.pending;
    const report: OperationReport = {
      ...view.data,
      ...(waitsFor === undefined ? {} : { waitsFor }),
      execution: known.execution,
      readFrom: 'workflow',
    };
    return note === undefined ? report : { ...report, actions: [], note };
  } catch (error) {
    return fromVisibility(known, whyNoAnswer(error, deadlineMs));
  }
}

async function show(client: Client, id: string, deadlines: Deadlines): Promise<ShowReply> {
  const known = await client.withDeadline(Date.now() + deadlines.serverDeadlineMs, () => describeOperation(client, id));
  if (known === undefined) return { outcome: 'unknown' };
  return { outcome: 'found', report: await query(client, known, deadlines.queryDeadlineMs) };
}

/** Visibility's query language has no parameters: a quote in a value must not end it. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

async function list(client: Client, filter: ListFilter): Promise<OperationSummary[]> {
  const types = [...OPERATIONS.keys()].map(quoted).join(', ');
  const conditions = [
    `WorkflowType IN (${types})`,
    ...(filter.cluster === undefined ? [] : [`HeCluster = ${quoted(filter.cluster)}`]),
    ...(filter.state === undefined ? [] : [`HeState = ${quoted(filter.state)}`]),
    ...(filter.ticket === undefined ? [] : [`HeTicket = ${quoted(filter.ticket)}`]),
  ];
  const rows: OperationSummary[] = [];
  for await (const info of client.workflow.list({
    query: conditions.join(' AND '),
    pageSize: Math.min(filter.limit, 200),
  })) {
    const row = summaryOf(info);
    if (row !== undefined) rows.push(row);
    if (rows.length >= filter.limit) break;
  }
  return rows;
}

export function createReader(client: Client, deadlines: Deadlines): OperationReader {
  const within = <T>(work: () => Promise<T>) => client.withDeadline(Date.now() + deadlines.serverDeadlineMs, work);
  return {
    list: (filter) =>
      within(async () => ({ outcome: 'listed' as const, operations: await list(client, filter) })).catch(unavailable),
    show: (id) => show(client, id, deadlines).catch(unavailable),
    missing: () =>
      within(() => client.workflowService.describeNamespace({ namespace: client.options.namespace })).then(
        () => undefined,
        (error: unknown) =>
          isNotFound(error)
            ? `Temporal namespace ${client.options.namespace}`
            : `Temporal (${grpcError(error)?.details ?? String(error)})`,
      ),
  };
}
