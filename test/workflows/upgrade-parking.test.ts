/** A step that fails for good waits for a person: what it says, what can be asked of it, what is refused. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStage, TIMING, type Stage, type Upgrade } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const details = async (upgrade: Upgrade) =>
  (await upgrade.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;

/** The validator's words; fails the test when the command was taken. */
async function refusal(command: Promise<unknown>): Promise<string> {
  const error = await command.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowUpdateFailedError)) throw new Error(`not refused: ${String(error)}`);
  return error.cause?.message ?? '';
}

async function updatesInHistory(upgrade: Upgrade): Promise<number> {
  const { events } = await upgrade.handle.fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}

describe.concurrent('a step that needs an operator', () => {
  test('parks at once with the failure’s words, and goes on after retry', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('importDomain', 'needs-operator');
    await stage.start(upgrade);
    const view = await upgrade.parked();
    const { cluster } = upgrade.request;
    expect(view.steps[6]).toMatchObject({
      name: 'import-domain',
      state: 'parked',
      failure: {
        type: 'fake/needs-operator',
        what: `host ${cluster}: importDomain failed`,
        why: 'it was told to (attempt 1)',
        remedy: 'Tell it not to.',
        attempts: 1,
      },
    });
    expect(view.actions).toEqual(['retry', 'abort']);
    expect(view.waitsFor).toBe('an operator: Import the hosted-engine storage domain');
    expect(upgrade.world.count('importDomain')).toBe(1);
    const markdown = await details(upgrade);
    expect(markdown).toContain('### It waits for you: Import the hosted-engine storage domain');
    expect(markdown).toContain('- **What to do**: Tell it not to.');
    expect(markdown).toMatch(/^\*\*parked\*\*.* step 7 of 13/);

    upgrade.world.heal('importDomain');
    const answered = await upgrade.act('retry', { by: 'alice', reason: 'storage is back' });
    expect(answered).toMatchObject({ state: 'running', actions: ['abort'] });
    expect((await upgrade.handle.result()).state).toBe('done');
    expect(upgrade.world.count('importDomain')).toBe(2);
    const ended = await upgrade.view();
    expect(ended.steps[6]).toMatchObject({ state: 'done' });
    expect(ended.steps[6]?.failure).toBeUndefined();
    expect(await details(upgrade)).not.toContain('It waits for you');
  });

  test('parks again when the retry fails again', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('inspectUpgrade', 'fatal');
    upgrade.world.alreadyManaged = true;
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('retry');
    await upgrade.until(
      'the second try to fail',
      (view) => view.state === 'parked' && upgrade.world.count('inspectUpgrade') === 2,
    );
    upgrade.world.heal('inspectUpgrade');
    await upgrade.act('retry');
    expect((await upgrade.handle.result()).state).toBe('nothing-to-do');
  });

  test('offers skip only where leaving the step out does no harm', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('backUp:after', 'needs-operator');
    await stage.start(upgrade);
    const view = await upgrade.parked();
    expect(view.actions).toEqual(['retry', 'skip', 'abort']);
    await upgrade.act('skip', { by: 'bob' });
    const result = await upgrade.handle.result();
    expect(result.state).toBe('done');
    expect(result.lines.join()).not.toContain('Backup after the change');
    const ended = await upgrade.view();
    expect(ended.steps[11]).toMatchObject({ name: 'back-up-after', state: 'skipped', summary: 'skipped by bob' });
    expect(upgrade.world.effects).not.toContain('global-maintenance');
  });

  test('can’t be skipped where it is needed: the validator says what is possible', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('convertDefinition', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    expect(await refusal(upgrade.act('skip'))).toBe(
      'can’t skip: the operation is parked; possible now: retry, abort'.replace('’', "'"),
    );
    await upgrade.act('abort');
    expect((await upgrade.handle.result()).state).toBe('aborted');
  });

  test('refuses a command of nobody, and leaves no trace of it', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('convertDefinition', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    for (const command of [{}, { by: '' }, { by: '   ' }, { reason: 'because' }]) {
      expect(await refusal(upgrade.act('retry', command))).toBe('retry needs "by": who asks for it?');
      expect(await refusal(upgrade.act('abort', command))).toBe('abort needs "by": who asks for it?');
    }
    expect(await updatesInHistory(upgrade)).toBe(0);
    expect(upgrade.world.count('convertDefinition')).toBe(1);
    await upgrade.act('abort');
    await upgrade.handle.result();
  });

  test('takes one decision, not two, when two operators answer at the same time', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.alreadyManaged = true;
    upgrade.world.fail('reportToTicket', 'needs-operator', { times: 1 });
    await stage.start(upgrade);
    await upgrade.parked();
    // Both reach the workflow in the same task: there is no worker in between.
    const answers = await Promise.allSettled([
      upgrade.act('retry', { by: 'alice' }),
      upgrade.act('skip', { by: 'bob' }),
    ]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const retried = answers[0]?.status === 'fulfilled';
    await upgrade.handle.result();
    expect((await upgrade.view()).steps.at(-1)?.state).toBe(retried ? 'done' : 'skipped');
  });
});

describe.concurrent('a step whose retries are exhausted', () => {
  test('parks with the last failure and the number of tries', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('convertDefinition', 'retryable');
    // The step may last a minute: this leaves one second for all its attempts together.
    await stage.start(upgrade, { ...TIMING, stepPatienceMs: -59_000 });
    const view = await upgrade.parked();
    const { failure } = view.steps[3] ?? {};
    expect(failure).toMatchObject({ type: 'fake/retryable', remedy: 'Tell it not to.' });
    expect(failure?.attempts).toBeGreaterThan(2);
    // One more may have begun and been cut off.
    expect(upgrade.world.count('convertDefinition') - (failure?.attempts ?? 0)).toBeLessThanOrEqual(1);
    await upgrade.act('abort');
    await upgrade.handle.result();
  });

  test('parks with the last failure although the last try only ran out of time', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('convertDefinition', { from: 3 });
    upgrade.world.fail('convertDefinition', 'retryable');
    await stage.start(upgrade, { ...TIMING, stepPatienceMs: -59_000 });
    const view = await upgrade.parked();
    expect(gate.entered).toBe(true);
    expect(view.steps[3]?.failure).toMatchObject({ type: 'fake/retryable', remedy: 'Tell it not to.', attempts: 2 });
    await upgrade.act('abort');
    await upgrade.handle.result();
  });

  test('parks with the reason although nobody foresaw the error', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('convertDefinition', 'unforeseen');
    await stage.start(upgrade, { ...TIMING, stepPatienceMs: -59_000 });
    const view = await upgrade.parked();
    expect(view.steps[3]?.failure).toMatchObject({
      type: 'unexpected',
      why: expect.stringContaining('nobody thought of this'),
      remedy: expect.stringContaining('defect of Bellwether'),
    });
    await upgrade.act('abort');
    await upgrade.handle.result();
  });

  test('parks with the time limit’s name when no answer came at all', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.block('convertDefinition');
    await stage.start(upgrade, { ...TIMING, stepPatienceMs: -59_000 });
    const view = await upgrade.parked();
    expect(view.steps[3]?.failure).toMatchObject({ type: expect.stringMatching(/^timeout\//) });
    await upgrade.act('abort');
    await upgrade.handle.result();
  });
});

describe.concurrent('an operation that is not parked', () => {
  test('refuses retry and skip while a step runs', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.alreadyManaged = true;
    const gate = upgrade.world.block('verifyUpgrade');
    await stage.start(upgrade);
    await gate.reached();
    const words = 'the operation is running; possible now: abort';
    expect(await refusal(upgrade.act('retry'))).toBe(`can't retry: ${words}`);
    expect(await refusal(upgrade.act('skip'))).toBe(`can't skip: ${words}`);
    gate.open();
    expect((await upgrade.handle.result()).state).toBe('nothing-to-do');
  });

  test('refuses everything while it aborts', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('leaveGlobalMaintenance');
    upgrade.world.fail('backUp:before', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    await gate.reached();
    for (const action of ['retry', 'skip', 'abort'] as const) {
      expect(await refusal(upgrade.act(action))).toBe(
        `can't ${action}: the operation is aborting; nothing can be asked of it any more`,
      );
    }
    gate.open();
    expect((await upgrade.handle.result()).state).toBe('aborted');
  });
});
