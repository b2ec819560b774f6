/**
 * A worker that kills itself (SIGKILL) once, right before or right after the effect of one step: what a power cut of the
 * orchestrator's machine looks like. Settings come as JSON in the first argument.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import type { OrchestratorConfig } from '../../workers/orchestrator/config.ts';
import { logThrough, startOrchestrator } from '../../workers/orchestrator/worker.ts';
import type { UpgradeActivities, UpgradeStepName } from '../../workflows/model/upgrade.ts';
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

const ACTIVITY: Readonly<Record<UpgradeStepName, keyof UpgradeActivities>> = {
  preconditions: 'inspectUpgrade',
  'enter-global-maintenance': 'enterGlobalMaintenance',
  'back-up-before': 'backUp',
  convert: 'convertDefinition',
  'ovf-store-disks': 'ensureOvfStoreDisks',
  'write-ovf': 'writeOvf',
  'import-domain': 'importDomain',
  'await-domain': 'awaitDomainActive',
  'import-vm': 'importVm',
  verify: 'verifyUpgrade',
  'leave-global-maintenance': 'leaveGlobalMaintenance',
  'back-up-after': 'backUp',
  report: 'reportToTicket',
};

function isTheStep(step: UpgradeStepName, input: object): boolean {
  if (!('phase' in input)) return true;
  return input.phase === (step === 'back-up-before' ? 'before' : 'after');
}

/** SIGKILL to oneself does not return at once everywhere: nothing may happen meanwhile. */
async function dieOnce(markerFile: string): Promise<void> {
  if (existsSync(markerFile)) return;
  closeSync(openSync(markerFile, 'w'));
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => {});
}

function crashing(activities: UpgradeActivities, { kill, markerFile }: CrashingWorkerSettings): UpgradeActivities {
  const name = ACTIVITY[kill.step];
  const wrap =
    <I extends object, O>(activity: (input: I) => Promise<O>) =>
    async (input: I): Promise<O> => {
      const wanted = isTheStep(kill.step, input);
      if (wanted && kill.moment === 'before') await dieOnce(markerFile);
      const result = await activity(input);
      if (wanted && kill.moment === 'after') await dieOnce(markerFile);
      return result;
    };
  return { ...activities, [name]: wrap(activities[name] as (input: object) => Promise<unknown>) };
}

const settings = JSON.parse(process.argv[2] ?? '{}') as CrashingWorkerSettings;
logThrough(pino({ level: 'warn' }));
const { address, namespace } = settings.platform.temporal;
const connection = await Connection.connect({ address, connectTimeout: '5s' });
const orchestrator = await startOrchestrator({
  address,
  namespace,
  taskQueue: settings.config.taskQueue,
  client: new Client({ connection, namespace }),
  counterparts: createCounterparts({ ...settings.platform, stop: async () => {} }, settings.config),
  workflowBundle: { codePath: settings.bundleFile },
  wrapSteps: (activities) => crashing(activities, settings),
});
process.once('SIGTERM', () => void orchestrator.stop().then(() => process.exit(0)));
await orchestrator.done;
