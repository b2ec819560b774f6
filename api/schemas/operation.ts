/** What goes out about operations. The command line parses answers with the same schemas. */
import { z } from '@hono/zod-openapi';
import type { OperationState, StepState, StepView } from '../../workflows/model/operation.ts';
import type { OperationReport, OperationSummary } from '../ports.ts';
import { optional } from './optional.ts';

export const OPERATION_STATES = [
  'queued',
  'running',
  'parked',
  'aborting',
  'done',
  'aborted',
] as const satisfies readonly OperationState[];
const STEP_STATES = [
  'pending',
  'running',
  'parked',
  'done',
  'already-done',
  'not-needed',
  'skipped',
  'stopped',
  'undoing',
  'undone',
] as const satisfies readonly StepState[];

export const operationState = z.enum(OPERATION_STATES).openapi('OperationState') satisfies z.ZodType<OperationState>;
const executionStatus = z
  .enum(['running', 'completed', 'failed', 'cancelled', 'terminated', 'timed-out'])
  .openapi({ description: 'How Temporal sees the workflow.' });
const time = z.string().openapi({ format: 'date-time', example: '2026-11-21T14:26:00.000Z' });
const id = z.string().openapi({ example: 'upgrade/Default/CHG0001234' });

const stepView = z
  .object({
    name: z.string().openapi({ example: 'import-domain' }),
    title: z.string(),
    state: z.enum(STEP_STATES),
    startedAt: optional(time),
    endedAt: optional(time),
    summary: optional(z.string()),
    notes: optional(z.array(z.string())),
    failure: optional(
      z.object({ type: z.string(), what: z.string(), why: z.string(), remedy: z.string(), attempts: z.number().int() }),
    ),
  })
  .openapi('StepView') satisfies z.ZodType<StepView>;

const viewFields = {
  id,
  operation: z.string(),
  cluster: z.string(),
  ticket: optional(z.string()),
  requestedBy: z.string(),
  state: operationState,
  waitsFor: optional(z.string()),
  steps: z.array(stepView),
  undo: z.array(stepView),
  actions: z.array(z.enum(['retry', 'skip', 'abort'])),
  startedAt: time,
  endedAt: optional(time),
  outcome: optional(z.string()),
};

/** The workflow's own answer to the query `operation`. Keys that a newer workflow adds are dropped, not refused. */
export const operationView = z.object(viewFields);

export const operationReport = z
  .object({
    ...viewFields,
    execution: executionStatus,
    readFrom: z.enum(['workflow', 'visibility']).openapi({
      description: 'visibility: no worker answered, so steps and actions are missing and note says so.',
    }),
    note: optional(z.string()),
  })
  .openapi('OperationReport') satisfies z.ZodType<OperationReport>;

const operationSummary = z
  .object({
    id,
    operation: z.string(),
    cluster: z.string(),
    ticket: optional(z.string()),
    state: operationState,
    step: optional(z.string()),
    execution: executionStatus,
    started: time,
    closed: optional(time),
  })
  .openapi('OperationSummary') satisfies z.ZodType<OperationSummary>;

export const operationList = z.object({ operations: z.array(operationSummary) }).openapi('OperationList');

export const listQuery = z.object({
  cluster: optional(z.string().max(100).openapi({ description: 'Of this cluster only.', example: 'Default' })),
  state: optional(operationState),
  limit: z.coerce.number().int().min(1).max(1000).default(100).openapi({ description: 'So many at most.' }),
});

export const startAnswer = z
  .object({
    id,
    state: operationState,
    duplicate: optional(
      z.literal(true).openapi({ description: 'Another delivery asked for the same before; nothing new was started.' }),
    ),
    links: z.object({ self: z.string(), temporalUi: optional(z.string()) }),
  })
  .openapi('Accepted');

export type StartAnswer = z.infer<typeof startAnswer>;

export const actionAnswer = z
  .object({ id, action: z.enum(['retry', 'skip', 'abort']), by: z.string(), links: z.object({ self: z.string() }) })
  .openapi('ActionAccepted');

export type ActionAnswer = z.infer<typeof actionAnswer>;
