/** Aborting the adding and the removal of a host half way: engine, hosts and HA metadata are as before. */
import { expect, test } from 'vitest';
import { labEngine } from '../../infra/faults/end-state.ts';
import type { LabFault } from '../../infra/lab/faults.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { ADD_HOST, REMOVE_HOST } from '../../infra/plays/hosts.ts';
import { hostsRunningTheVm, type Play } from '../../infra/plays/play.ts';
import { until } from '../../infra/processes.ts';
import type { OperationView } from '../../workflows/model/operation.ts';
import { sharedGround } from './shared-ground.ts';
import { awaitView, ended, openStage, operate, startOperation } from './stage.ts';

const LIMIT_MS = 400_000;
const SETTLED_LIMIT_MS = 60_000;

const ground = sharedGround();

async function stateOf(lab: Lab) {
  const engine = labEngine(lab);
  try {
    const hosts = await engine.hosts({ allContent: true });
    return {
      hosts: hosts.map(({ name, status, hostedEngine }) => `${name} ${status} ${hostedEngine?.score ?? 'none'}`),
      rows: [1, 2, 3, 4].map((id) => {
        const row = lab.storage.hostBlock(id);
        return row === undefined ? 'empty' : `${row.hostname} ${row.score} ${row.localMaintenance}`;
      }),
      deployed: [...lab.world.hosts.values()].filter((host) => host.deployed).map((host) => host.name),
      running: hostsRunningTheVm(lab),
    };
  } finally {
    await engine.close();
  }
}

/** Parks the operation with a fault, aborts it, and waits until all is as it was. */
async function abortedAt(play: Play, fault: LabFault, step: string): Promise<OperationView> {
  const stage = await openStage(ground, `${play.name}-abort`, play.lab);
  try {
    await stage.service();
    const before = await stateOf(stage.lab);
    await stage.lab.inject(fault);
    const id = await startOperation(stage, play.request(stage.lab));
    const parked = await awaitView(stage, id, 'to park', (view) => view.state === 'parked');
    expect(parked.steps.find(({ state }) => state === 'parked')?.name).toBe(step);
    expect(await stateOf(stage.lab)).not.toEqual(before);
    await stage.lab.clear();
    await operate(stage, id, 'abort');
    const view = await awaitView(stage, id, 'to end', ended);
    let after = await stateOf(stage.lab);
    const same = async () => {
      after = await stateOf(stage.lab);
      return JSON.stringify(after) === JSON.stringify(before);
    };
    await until('all as before', same, SETTLED_LIMIT_MS).catch(() => {});
    expect(after).toEqual(before);
    return view;
  } finally {
    await stage.close();
  }
}

test('adding: a host whose installation failed is out of the engine again', { timeout: LIMIT_MS }, async () => {
  const fault = { kind: 'host-install', address: '*', outcome: 'install_failed', times: 1 } as const;
  const view = await abortedAt(ADD_HOST, fault, 'deploy');
  expect(view.undo.map(({ name, state }) => `${name} ${state}`)).toEqual(['undo-deploy undone']);
});

test('removing: a host that was on its way out is in service again', { timeout: LIMIT_MS }, async () => {
  const fault: LabFault = {
    kind: 'engine-error',
    match: 'POST /hosts/*/deactivate',
    status: 409,
    reason: 'Operation Failed',
    detail: '[Cannot switch Host to Maintenance mode. The lab does not want it.]',
    times: 99,
  };
  const view = await abortedAt(REMOVE_HOST, fault, 'engine-maintenance');
  expect(view.undo.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'undo-engine-maintenance undone',
    'undo-ha-maintenance undone',
    'undo-move-engine-vm undone',
  ]);
});
