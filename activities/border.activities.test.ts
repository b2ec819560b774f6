import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { asActivity } from './border.activities.ts';
import { CounterpartError } from './errors.ts';

const FACTS = { type: 'engine/busy', subject: 'engine', what: 'it can’t now', why: 'busy', remedy: 'wait' } as const;

async function failureOf(error: unknown): Promise<unknown> {
  const activity = asActivity(async () => {
    throw error;
  });
  return new MockActivityEnvironment({ attempt: 3 }).run(activity, undefined).then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

test('a retryable error is tried again, with its facts and the number of the try', async () => {
  const failure = await failureOf(new CounterpartError({ ...FACTS, kind: 'retryable', code: 409 }));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({
    type: 'engine/busy',
    nonRetryable: false,
    details: [{ subject: 'engine', what: 'it can’t now', why: 'busy', remedy: 'wait', attempt: 3, code: 409 }],
  });
});

test.each(['needs-operator', 'fatal'] as const)('a %s error is not tried again', async (kind) => {
  expect(await failureOf(new CounterpartError({ ...FACTS, kind }))).toMatchObject({ nonRetryable: true });
});

test('an unforeseen error is tried again, and says how often', async () => {
  const failure = await failureOf(new TypeError('x is not a function'));
  expect(failure).toMatchObject({
    type: 'unexpected',
    nonRetryable: false,
    details: [{ attempt: 3, why: 'TypeError: x is not a function' }],
  });
});

test('what a step waits for goes out as its heart-beat', async () => {
  const environment = new MockActivityEnvironment();
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const step = asActivity(async (context) => context.waitsFor('the engine'));
  await environment.run(step, undefined);
  expect(beats).toContainEqual({ waitsFor: 'the engine' });
});

test('cancellation ends a waiting step as cancelled', async () => {
  const environment = new MockActivityEnvironment();
  const step = asActivity(async (context) => {
    environment.cancel();
    await context.sleep(60_000);
  });
  await expect(environment.run(step, undefined)).rejects.toBeInstanceOf(CancelledFailure);
});
