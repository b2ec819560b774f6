/** Aborting and cancelling a real upgrade on a whole lab: everything is as it was before. */
import { describe, expect, test } from 'vitest';
import { labEngine } from '../../infra/faults/end-state.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { sharedGround } from './shared-ground.ts';
import { awaitView, ended, openStage, operate, startUpgrade, type TestStage } from './stage.ts';

const ground = sharedGround();

async function stateOf(lab: Lab) {
  const engine = labEngine(lab);
  try {
    return {
      domains: (await engine.storageDomains()).map((domain) => domain.id).toSorted(),
      origin: (await engine.vm(lab.fixture.vm.id)).origin,
      volumes: lab.storage.volumes(lab.fixture.heDomain.id).length,
      maintenance: lab.storage.globalMaintenance(),
    };
  } finally {
    await engine.close();
  }
}

async function untouchedAfter(name: string, end: (stage: TestStage, id: string) => Promise<void>): Promise<void> {
  const stage = await openStage(ground, name);
  try {
    await stage.service();
    const before = await stateOf(stage.lab);
    // The engine refuses the domain for good: four steps have left their mark by then.
    await stage.lab.inject({
      kind: 'engine-error',
      match: 'POST /storagedomains',
      status: 400,
      reason: 'Operation Failed',
      detail: '[Cannot import Storage Domain. The lab does not want it.]',
      times: 99,
    });
    const id = await startUpgrade(stage);
    await awaitView(stage, id, 'to park', (view) => view.state === 'parked');
    expect(await stateOf(stage.lab)).toMatchObject({ maintenance: true, volumes: before.volumes + 2 });
    await end(stage, id);
    const view = await awaitView(stage, id, 'to end', ended);
    expect(view.undo.map((step) => [step.name, step.state])).toEqual([
      ['undo-import-domain', 'undone'],
      ['undo-write-ovf', 'undone'],
      ['undo-ovf-store-disks', 'undone'],
      ['undo-global-maintenance', 'undone'],
    ]);
    expect(await stateOf(stage.lab)).toEqual(before);
  } finally {
    await stage.close();
  }
}

describe('what a parked upgrade did is taken back', { timeout: 240_000 }, () => {
  test('by abort', async () => {
    await untouchedAfter('abort', (stage, id) => operate(stage, id, 'abort'));
  });

  test('by cancelling the workflow', async () => {
    await untouchedAfter('cancel', async (stage, id) => {
      await stage.client.workflow.getHandle(id).cancel();
    });
  });
});
