/** The orchestrator's worker alone, with steps that do nothing and park each operation: says when it was ready, and what it holds. */
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { secretsIn } from '../../activities/secrets.ts';
import { Archive } from '../../activities/archive/client.ts';
import { ClusterRegistry } from '../../activities/clusters.ts';
import { logThrough, startOrchestrator } from '../../workers/orchestrator/worker.ts';
import { workerSettings, type WorkerSettings } from './messages.ts';
import { idleActivities, parkingActivities } from './steps.ts';

/** Several rounds: finalizers of one round free what the next one collects. */
const COLLECTIONS = 4;

async function memory(): Promise<number> {
  for (let round = 0; round < COLLECTIONS; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().rss;
}

async function main(settings: WorkerSettings): Promise<void> {
  const loadedMs = process.uptime() * 1000;
  const { address, namespace, taskQueue, codePath, cached, steps: kind } = settings;
  logThrough(pino({ level: 'error' }));
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  let steps = 0;
  const firstStep = () => {
    steps += 1;
    if (steps === 1) process.send?.({ firstStepMs: process.uptime() * 1000 });
  };
  const orchestrator = await startOrchestrator({
    address,
    namespace,
    taskQueue,
    client: new Client({ connection, namespace }),
    counterparts: {
      clusters: new ClusterRegistry([]),
      archive: new Archive({ bucket: 'unused', region: 'us-east-1' }),
      secrets: secretsIn(undefined),
      tickets: undefined,
    },
    workflowBundle: { codePath },
    steps: kind === 'parking' ? { ...parkingActivities(firstStep) } : { ...idleActivities('durable') },
    cachedWorkflows: cached,
  });
  const readyMs = process.uptime() * 1000;
  process.on('message', (word) => {
    if (word === 'stop') void orchestrator.stop().then(() => process.exit(0));
    else void memory().then((rssBytes) => process.send?.({ rssBytes, steps }));
  });
  process.send?.({ loadedMs, readyMs, rssBytes: await memory() });
}

await main(workerSettings.parse(JSON.parse(process.argv[2] ?? '{}')));
