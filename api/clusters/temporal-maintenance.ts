/** Who switched global maintenance last, by Bellwether: the newest operation of that kind, and what was asked of it. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { z } from '@hono/zod-openapi';
import { quoted } from '../operations/temporal-read.ts';
import { optional } from '../schemas/optional.ts';
import { WORKFLOW_TYPES } from '../../workflows/model/requests.ts';
import type { MaintenanceOrder } from './ports.ts';

/** As much of the workflow's input as is shown. */
const asked = z.object({
  request: z.object({
    mode: z.enum(['on', 'off']),
    requestedBy: z.string(),
    reason: optional(z.string()),
    ticket: optional(z.string()),
    until: optional(z.string()),
  }),
});

/** The request stands in the first event only. */
async function requestOf(client: Client, workflowId: string, runId: string) {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (payload === undefined) return undefined;
  const read = asked.safeParse(defaultPayloadConverter.fromPayload(payload));
  return read.success ? read.data.request : undefined;
}

export async function lastMaintenanceOrder(client: Client, cluster: string): Promise<MaintenanceOrder | undefined> {
  const query = `WorkflowType = ${quoted(WORKFLOW_TYPES['global-maintenance'])} AND HeCluster = ${quoted(cluster)}`;
  for await (const info of client.workflow.list({ query, pageSize: 1 })) {
    const request = await requestOf(client, info.workflowId, info.runId);
    if (request === undefined) return undefined;
    const { mode, requestedBy, ...rest } = request;
    const running = info.status.name === 'RUNNING';
    return { id: info.workflowId, mode, by: requestedBy, ...rest, at: info.startTime.toISOString(), running };
  }
  return undefined;
}
