/**
 * A worker that kills itself (SIGKILL) once, right before or right after the effect of one step: what a power cut of the
 * orchestrator's machine looks like. Settings come as JSON in the first argument.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { stepActivities, type StepActivity } from '../../activities/steps.activities.ts';
import type { OrchestratorConfig } from '../../workers/orchestrator/config.ts';
import { logThrough, startOrchestrator } from '../../workers/orchestrator/worker.ts';
import type { Platform } from '../start/platform.ts';
import { createCounterparts } from '../start/service.ts';
import type { WorkerKill } from './scenarios.ts';

export interface CrashingWorkerSettings {
  readonly platform: Pick<Platform, 'temporal' | 's3'>;
  readonly config: OrchestratorConfig;
  readonly bundleFile: string;
  readonly kill: WorkerKill;
  /** Made when it has killed itself, so that its successor does not. */
  readonly markerFile: string;
}

/** SIGKILL to oneself does not return at once everywhere: nothing may happen meanwhile. */
async function dieOnce(markerFile: string): Promise<void> {
  if (existsSync(markerFile)) return;
  closeSync(openSync(markerFile, 'w'));
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {});
}

/** Which activity of the workflow this is: Temporal numbers them in the order in which they were scheduled. */
function dying({ kill, markerFile }: CrashingWorkerSettings): (activity: StepActivity) => StepActivity {
  return (activity) => async (input) => {
    const wanted = Context.current().info.activityId === kill.activityId;
    if (wanted && kill.moment === 'before') await dieOnce(markerFile);
    const result = await activity(input);
    if (wanted && kill.moment === 'after') await dieOnce(markerFile);
    return result;
  };
}

const settings = JSON.parse(process.argv[2] ?? '{}') as CrashingWorkerSettings;
logThrough(pino({ level: 'warn' }));
const { address, namespace } = settings.platform.temporal;
const connection = await Connection.connect({ address, connectTimeout: '5s' });
const counterparts = createCounterparts({ ...settings.platform, stop: async () => {} }, settings.config);
const wrap = dying(settings);
const steps = Object.entries(stepActivities(counterparts)).map(([name, step]) => [name, wrap(step)]);
const orchestrator = await startOrchestrator({
  address,
  namespace,
  taskQueue: settings.config.taskQueue,
  client: new Client({ connection, namespace }),
  counterparts,
  workflowBundle: { codePath: settings.bundleFile },
  steps: Object.fromEntries(steps),
});
process.once('SIGTERM', () => void orchestrator.stop().then(() => process.exit(0)));
await orchestrator.done;
