/** Steps of an operation on a lab of their own, without Temporal: for tests of what they refuse and repair. */
import { join } from 'node:path';
import type { Counterparts } from '../../activities/counterparts.ts';
import { CounterpartError } from '../../activities/errors.ts';
import { abortableSleep, type StepContext } from '../../activities/step-context.ts';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import type { EmbeddedS3 } from '../../infra/s3/server.ts';
import { createCounterparts } from '../../infra/start/service.ts';
import { TEST_TIMING } from './stage.ts';

const LAB_SPEED = 20;

/** A managed lab and what steps need to talk to it. */
export async function withManagedLab(
  dir: string,
  s3: EmbeddedS3,
  name: string,
  use: (lab: Lab, counterparts: Counterparts) => Promise<void>,
): Promise<void> {
  const lab = await startLab({ dir: join(dir, name), speed: LAB_SPEED, managed: true });
  const counterparts = createCounterparts(
    { temporal: { address: '', namespace: '', origin: '' }, s3: { embedded: s3 }, stop: async () => {} },
    {
      clusters: [{ name: 'Default', engine: lab.ready.engine, hosts: lab.ready.hosts }],
      bucket: `bellwether-${name}`,
      taskQueue: name,
      logLevel: 'silent',
      tickets: undefined,
      timing: TEST_TIMING,
    },
  );
  try {
    await use(lab, counterparts);
  } finally {
    await counterparts.clusters.close();
    await lab.close();
  }
}

/** @param speed of the step's own clock, so that a wait of minutes for what never comes ends in a test */
export function stepContext(speed = 1): StepContext {
  const { signal } = new AbortController();
  const start = Date.now();
  return {
    signal,
    attempt: 1,
    waitsFor: () => {},
    now: () => new Date(start + (Date.now() - start) * speed),
    sleep: (milliseconds) => abortableSleep(milliseconds, signal),
  };
}

/** What a step that must fail says. @throws Error when it does not */
export async function refusal(work: Promise<unknown>): Promise<CounterpartError['facts']> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CounterpartError) return error.facts;
  throw new Error(`not refused: ${String(error)}`);
}
