/** Abort and cancellation: what was done is taken back in reverse order, exactly that, whenever it comes. */
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStage, TIMING, type Stage, type Upgrade } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const UNDOS = ['removeDomain', 'restoreOvfStores', 'removeOvfStoreDisks', 'leaveGlobalMaintenance'];

/** Names of the compensations that the view shows, with their states. */
async function undone(upgrade: Upgrade): Promise<string[]> {
  return (await upgrade.view()).undo.map((step) => `${step.name} ${step.state}`);
}

async function expectCancelled(upgrade: Upgrade): Promise<void> {
  const error = await upgrade.handle.result().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error instanceof WorkflowFailedError && error.cause).toBeInstanceOf(CancelledFailure);
  expect((await upgrade.handle.describe()).status.name).toBe('CANCELLED');
}

const callsAfter = (upgrade: Upgrade, call: string) =>
  upgrade.world.calls.slice(upgrade.world.calls.findIndex((one) => one === call) + 1);

describe.concurrent('abort', () => {
  test('while a step runs: it is told to stop, then all is taken back in reverse order', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('awaitDomainActive');
    await stage.start(upgrade);
    await gate.reached();
    expect((await upgrade.act('abort', { by: 'alice', reason: 'wrong window' })).state).toBe('aborting');
    const result = await upgrade.handle.result();
    expect(gate.sawCancellation).toBe(true);
    expect(result.state).toBe('aborted');
    expect(result.lines[0]).toBe('The upgrade was aborted by alice (wrong window).');
    expect(result.lines).toHaveLength(5);
    expect(callsAfter(upgrade, 'awaitDomainActive')).toEqual([...UNDOS, 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
    expect(upgrade.world.reported).toEqual(['aborted']);
    expect(await undone(upgrade)).toEqual([
      'undo-import-domain undone',
      'undo-write-ovf undone',
      'undo-ovf-store-disks undone',
      'undo-global-maintenance undone',
    ]);
    const view = await upgrade.view();
    expect(view).toMatchObject({ state: 'aborted', actions: [] });
    // The step that was interrupted neither runs nor waits any more.
    expect(view.steps.map((step) => step.state)).not.toContain('running');
  });

  test('waits for a step that can’t stop, before it takes back', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('writeOvf', { deaf: true });
    await stage.start(upgrade);
    await gate.reached();
    await upgrade.act('abort');
    await upgrade.until('the step to hear of it', () => gate.sawCancellation);
    expect(upgrade.world.calls.at(-1)).toBe('writeOvf');
    gate.open();
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect(callsAfter(upgrade, 'writeOvf')).toEqual([...UNDOS.slice(1), 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
  });

  test('while parked: takes back what was registered, including the step that failed after its effect', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('ensureOvfStoreDisks', 'needs-operator', { afterEffect: true });
    await stage.start(upgrade);
    await upgrade.parked();
    expect(upgrade.world.effects).toContain('ovf-store-disks');
    await upgrade.act('abort');
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect(callsAfter(upgrade, 'ensureOvfStoreDisks')).toEqual([...UNDOS.slice(2), 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
    const view = await upgrade.view();
    expect(view.steps.map((step) => step.state)).not.toContain('parked');
    const { currentDetails } = await upgrade.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).not.toContain('It waits for you');
    expect(currentDetails).not.toContain('step 5 of 13');
  });

  test('during the first step: nothing has to be taken back', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('inspectUpgrade');
    await stage.start(upgrade);
    await gate.reached();
    await upgrade.act('abort');
    expect((await upgrade.handle.result()).lines).toEqual([
      'The upgrade was aborted by alice.',
      'Nothing had to be taken back.',
    ]);
    expect(upgrade.world.calls).toEqual(['inspectUpgrade', 'reportToTicket']);
  });

  test('before the first step: not even the cluster is asked for', async () => {
    const own = await openStage();
    try {
      const upgrade = own.upgrade();
      await own.stopWorker();
      await own.start(upgrade);
      const answer = upgrade.act('abort');
      await own.startWorker();
      expect((await answer).state).toBe('aborting');
      expect((await upgrade.handle.result()).state).toBe('aborted');
      expect(upgrade.world.calls).toEqual(['reportToTicket']);
      expect(own.lockRequests).toBe(0);
    } finally {
      await own.close();
    }
  });

  test('while the cluster can’t even be asked: ends at once', async () => {
    const own = await openStage();
    own.lockAway = true;
    try {
      const upgrade = await own.start(own.upgrade());
      await upgrade.until('to ask', () => own.lockRequests > 1);
      await upgrade.act('abort');
      expect((await upgrade.handle.result()).state).toBe('aborted');
      expect(upgrade.world.calls).toEqual(['reportToTicket']);
    } finally {
      await own.close();
    }
  });

  test('while queued: leaves the queue, touches nothing, and the holder goes on', async () => {
    const holder = stage.upgrade();
    holder.world.alreadyManaged = true;
    const gate = holder.world.block('verifyUpgrade');
    await stage.start(holder);
    await gate.reached();
    const { cluster } = holder.request;
    const queued = await stage.start(stage.upgrade({ cluster, ticket: 'CHG2' }));
    await queued.until('to queue', (view) => view.waitsFor !== undefined);
    await queued.act('abort');
    expect((await queued.handle.result()).state).toBe('aborted');
    gate.open();
    expect((await holder.handle.result()).state).toBe('nothing-to-do');
    expect(holder.world.count('inspectUpgrade')).toBe(1);
    expect(holder.world.reported).toEqual(['aborted', 'nothing-to-do']);
  });

  test('after the point of no return: only global maintenance is undone, and the result says what stays', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('verifyUpgrade', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    const result = await upgrade.handle.result();
    expect(result.state).toBe('aborted');
    expect(callsAfter(upgrade, 'verifyUpgrade')).toEqual(['leaveGlobalMaintenance', 'reportToTicket']);
    expect([...upgrade.world.effects].toSorted()).toEqual(['domain', 'managed-vm', 'ovf', 'ovf-store-disks']);
    expect(result.lines.join('\n')).toContain('stays');
  });

  test('after global maintenance was left: nothing is undone any more', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('backUp:after', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect(upgrade.world.count('leaveGlobalMaintenance')).toBe(1);
    expect(await undone(upgrade)).toEqual([]);
  });

  test('of the last step that ended all the same is kept to: it was promised', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.alreadyManaged = true;
    const gate = upgrade.world.block('reportToTicket', { deaf: true });
    await stage.start(upgrade);
    await gate.reached();
    await upgrade.act('abort');
    gate.open();
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect((await upgrade.view()).state).toBe('aborted');
    expect(upgrade.world.reported).toEqual(['nothing-to-do', 'aborted']);
  });

  test('leaves global maintenance on that was on before', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.maintenanceBefore = true;
    upgrade.world.effects.add('global-maintenance');
    upgrade.world.fail('importVm', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect([...upgrade.world.effects]).toEqual(['global-maintenance', 'managed-vm'].slice(0, 1));
  });

  test('is told to a ticket system that is away, in vain, and ends all the same', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('backUp:before', 'needs-operator');
    upgrade.world.fail('reportToTicket', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect(upgrade.world.reported).toEqual([]);
  });
});

describe.concurrent('a compensation that fails for good', () => {
  test('parks, says which, and can be retried', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('importVm', 'needs-operator');
    upgrade.world.fail('removeDomain', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    const view = await upgrade.parked();
    expect(view.actions).toEqual(['retry', 'skip']);
    expect(view.undo).toMatchObject([{ name: 'undo-import-domain', state: 'parked', failure: { attempts: 1 } }]);
    const { currentDetails } = await upgrade.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    // What the operator reads must be the compensation's failure, not that of the step which was given up.
    expect(currentDetails).toContain('### It waits for you: Take the storage domain out of the engine again');
    expect(currentDetails).toContain('removeDomain failed');
    await expect(upgrade.act('abort')).rejects.toThrow();
    upgrade.world.heal('removeDomain');
    await upgrade.act('retry');
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect(callsAfter(upgrade, 'importVm')).toEqual(['removeDomain', ...UNDOS, 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
  });

  test('may be left as it is, knowingly; the rest is taken back', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('importVm', 'needs-operator');
    upgrade.world.fail('restoreOvfStores', 'fatal');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    await upgrade.until('the compensation to park', (view) => view.undo.at(-1)?.state === 'parked');
    await upgrade.act('skip', { by: 'bob' });
    const result = await upgrade.handle.result();
    expect(result.lines.join('\n')).toContain('left as it is by bob');
    expect([...upgrade.world.effects]).toEqual(['ovf']);
    expect((await undone(upgrade))[1]).toBe('undo-write-ovf skipped');
  });
});

describe.concurrent('cancellation of the workflow', () => {
  test('while a step runs: is an abort, and ends Cancelled', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('importDomain');
    await stage.start(upgrade);
    await gate.reached();
    await upgrade.handle.cancel();
    await expectCancelled(upgrade);
    expect(gate.sawCancellation).toBe(true);
    expect(callsAfter(upgrade, 'importDomain')).toEqual([...UNDOS, 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
    const view = await upgrade.view();
    expect(view).toMatchObject({ state: 'aborted' });
    expect(view.outcome).toContain('cancelled in Temporal');
  });

  test('while parked: is an abort too', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('writeOvf', 'needs-operator');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.handle.cancel();
    await expectCancelled(upgrade);
    expect(callsAfter(upgrade, 'writeOvf')).toEqual([...UNDOS.slice(1), 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
  });

  test('while it aborts: does not stop the compensation', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('importVm', 'needs-operator');
    const gate = upgrade.world.block('removeOvfStoreDisks');
    await stage.start(upgrade);
    await upgrade.parked();
    await upgrade.act('abort');
    await gate.reached();
    await upgrade.handle.cancel();
    gate.open();
    expect((await upgrade.handle.result()).state).toBe('aborted');
    expect(upgrade.world.effects.size).toBe(0);
    expect(gate.sawCancellation).toBe(false);
  });

  test('while a compensation is parked: it stays parked', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('importVm', 'needs-operator');
    upgrade.world.fail('removeDomain', 'needs-operator', { times: 1 });
    await stage.start(upgrade, { ...TIMING });
    await upgrade.parked();
    await upgrade.handle.cancel();
    await upgrade.until('the compensation to park', (view) => view.undo.at(-1)?.state === 'parked');
    await upgrade.act('retry');
    await expectCancelled(upgrade);
    expect(upgrade.world.effects.size).toBe(0);
  });
});
