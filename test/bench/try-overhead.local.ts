import { mkdtempSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { bundleWorkflows, logThrough } from '/work/main/workers/orchestrator/worker.ts';
import { startPlatform } from '/work/main/infra/start/platform.ts';
import { measureOverhead } from '/work/main/test/bench/overhead.ts';
logThrough(pino({ level: 'error' }));
const dir = mkdtempSync('/tmp/bench-');
const say = (l: string) => console.log(l);
const platform = await startPlatform({ dir, env: process.env, say });
const connection = await Connection.connect({ address: platform.temporal.address });
const client = new Client({ connection, namespace: platform.temporal.namespace });
try {
  const r = await measureOverhead({
    platform,
    client,
    workflowBundle: await bundleWorkflows(),
    dir,
    labRuns: Number(process.env.LAB ?? 2),
    idleRuns: Number(process.env.IDLE ?? 10),
    say,
  });
  console.log(JSON.stringify(r, (k, v) => (typeof v === 'number' ? Math.round(v * 10) / 10 : v), 1));
} finally {
  await platform.stop();
}
process.exit(0);
