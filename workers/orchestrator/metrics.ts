/** The worker's metrics: how they are exported, and what only the whole of Temporal's visibility tells. */
import type { Client } from '@temporalio/client';
import { Runtime, type MetricsExporterConfig } from '@temporalio/worker';
import { WORKFLOW_TYPES } from '../../workflows/model/requests.ts';

/** From a check that finds its effect there to an import that takes minutes. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600];

/** The SDK's exporter: its own metrics and ours, named as Prometheus wants them. */
export function prometheusAt(bindAddress: string): MetricsExporterConfig {
  return {
    prometheus: {
      bindAddress,
      countersTotalSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: {
        bellwether_step_duration_seconds: SECONDS,
        bellwether_call_duration_seconds: SECONDS,
      },
    },
  };
}

const EVERY_MS = 15_000;
const STATES = ['queued', 'running', 'parked', 'aborting'] as const;

/** Counts operations by state; each worker counts the same. @returns the function that ends it. */
export function countParked(client: Client, everyMs = EVERY_MS): () => void {
  const gauge = Runtime.instance().metricMeter.createGauge(
    'bellwether_operations',
    'int',
    '',
    'Operations that have not ended, by state.',
  );
  const types = Object.values(WORKFLOW_TYPES)
    .map((type) => `'${type}'`)
    .join(', ');
  const look = async () => {
    for (const state of STATES) {
      const query = `WorkflowType IN (${types}) AND ExecutionStatus = 'Running' AND HeState = '${state}'`;
      const { count } = await client.workflow.count(query);
      gauge.set(count, { state });
    }
  };
  // A server that is away leaves the last count; the SDK's own metrics say that it is away.
  const turn = () => void look().catch(() => undefined);
  turn();
  const timer = setInterval(turn, everyMs);
  return () => clearInterval(timer);
}
