/** Step functions against a whole lab and a real S3, without Temporal. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counterparts } from '../../activities/counterparts.ts';
import { CounterpartError } from '../../activities/errors.ts';
import { abortableSleep, type StepContext } from '../../activities/step-context.ts';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import type { LabOptions } from '../../infra/lab/make-fixture.ts';
import { labSecrets } from '../../infra/plays/play.ts';
import { startS3 } from '../../infra/s3/server.ts';
import { createCounterparts } from '../../infra/start/service.ts';
import { TEST_TIMING } from './stage.ts';

const LAB_SPEED = 20;
const { signal } = new AbortController();
export const stepContext: StepContext = {
  signal,
  attempt: 1,
  waitsFor: () => {},
  now: () => new Date(),
  sleep: (milliseconds) => abortableSleep(milliseconds, signal),
};

/** A step's own clock goes so much faster, so that a wait of minutes for what never comes ends in a test. */
export function hurriedContext(speed: number): StepContext {
  const start = Date.now();
  return { ...stepContext, now: () => new Date(start + (Date.now() - start) * speed) };
}

/** Time as the lab's hosts have it: what is waited for a minute there is over in seconds. */
export function labContext(): StepContext {
  const sleep = (milliseconds: number) => abortableSleep(milliseconds / LAB_SPEED, signal);
  return { ...hurriedContext(LAB_SPEED), sleep };
}

export const stepCall = (operation: string) => ({
  operationId: `${operation}/Default/CHG1`,
  cluster: 'Default',
  startedAt: new Date().toISOString(),
});

/** A lab of its own for the time of `use`. */
export async function onLab(
  options: Omit<LabOptions, 'dir' | 'speed' | 'cluster'>,
  use: (lab: Lab, counterparts: Counterparts) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-lab-'));
  const s3 = await startS3({ dir: join(dir, 's3') });
  const lab = await startLab({ dir: join(dir, 'lab'), speed: LAB_SPEED, ...options }).catch(async (error: unknown) => {
    await s3.stop();
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  const counterparts = createCounterparts(
    { temporal: { address: '', namespace: '', origin: '' }, s3: { embedded: s3 }, stop: async () => {} },
    {
      clusters: [{ name: 'Default', engine: lab.ready.engine, hosts: lab.ready.hosts }],
      bucket: 'bellwether-lab',
      taskQueue: 'none',
      logLevel: 'silent',
      tickets: undefined,
      timing: TEST_TIMING,
      secretsDir: labSecrets(lab, dir, readFileSync(lab.ready.engine.passwordFile, 'utf8').trim()),
    },
  );
  try {
    await use(lab, counterparts);
  } finally {
    await counterparts.clusters.close();
    await lab.close();
    await s3.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The facts of a step's refusal. @throws Error when it was not refused. */
export async function refusal(work: Promise<unknown>): Promise<CounterpartError['facts']> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CounterpartError) return error.facts;
  throw new Error(`not refused: ${String(error)}`);
}
