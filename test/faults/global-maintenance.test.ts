/** Global maintenance for a time: it ends by itself, others have the cluster meanwhile, and an abort ends it early. */
import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { playRequest } from '../../infra/plays/play.ts';
import { operationId } from '../../workflows/model/ids.ts';
import type { GlobalMaintenanceRequest } from '../../workflows/model/requests.ts';
import { sharedGround } from './shared-ground.ts';
import { awaitView, ended, openStage, operate, startOperation, TEST_TIMING, type TestStage } from './stage.ts';

const TEST_LIMIT_MS = 300_000;
const HOURS_MS = 3_600_000;

const ground = sharedGround();

const untilRequest = (stage: TestStage, until: string): GlobalMaintenanceRequest => ({
  ...playRequest(stage.lab),
  operation: 'global-maintenance',
  mode: 'on',
  until,
});

/** Starts it with its time skipped wherever it only waits; the SDK's own start has no word for that yet. */
async function startSkipping(stage: TestStage, request: GlobalMaintenanceRequest): Promise<string> {
  const { client } = stage;
  const id = operationId(request);
  await client.workflowService.startWorkflowExecution({
    namespace: client.options.namespace,
    requestId: randomUUID(),
    workflowId: id,
    workflowType: { name: 'setGlobalMaintenance' },
    taskQueue: { name: stage.config.taskQueue },
    input: { payloads: [defaultPayloadConverter.toPayload({ request, timing: TEST_TIMING })] },
    timeSkippingConfig: { enabled: true },
  });
  return id;
}

async function onStage(name: string, work: (stage: TestStage) => Promise<void>): Promise<void> {
  const stage = await openStage(ground, name, { managed: true });
  try {
    await stage.service();
    await work(stage);
  } finally {
    await stage.close();
  }
}

describe('global maintenance for a time', { timeout: TEST_LIMIT_MS }, () => {
  test('ends by itself eight hours later', async () => {
    await onStage('skipped', async (stage) => {
      const request = untilRequest(stage, new Date(Date.now() + 8 * HOURS_MS).toISOString());
      const began = Date.now();
      const view = await awaitView(stage, await startSkipping(stage, request), 'to end', ended);
      expect(view.state).toBe('done');
      // Else the server did not skip, and this test would have taken eight hours.
      expect(Date.now() - began).toBeLessThan(HOURS_MS);
      const [first, last] = [view.steps[1]?.endedAt, view.steps[3]?.startedAt].map((time) => Date.parse(time ?? ''));
      expect((last ?? 0) - (first ?? 0)).toBeGreaterThan(7.9 * HOURS_MS);
      expect(stage.lab.storage.globalMaintenance()).toBe(false);
    });
  });

  test('leaves the cluster to others while it waits; an abort ends it early', async () => {
    await onStage('shared', async (stage) => {
      const id = await startOperation(stage, untilRequest(stage, new Date(Date.now() + 8 * HOURS_MS).toISOString()));
      await awaitView(stage, id, 'to hold', (view) => view.steps[2]?.state === 'running');
      expect(stage.lab.storage.globalMaintenance()).toBe(true);
      const other = await startOperation(stage, {
        ...playRequest(stage.lab),
        key: 'CHG2',
        ticket: 'CHG2',
        operation: 'edit-engine-vm',
        change: { description: 'edited meanwhile' },
      });
      expect((await awaitView(stage, other, 'to end', ended)).state).toBe('done');
      await operate(stage, id, 'abort');
      const view = await awaitView(stage, id, 'to end', ended);
      expect([view.state, view.undo.map((step) => step.state)]).toEqual(['aborted', ['undone']]);
      expect(stage.lab.storage.globalMaintenance()).toBe(false);
    });
  });
});
