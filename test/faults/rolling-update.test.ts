/** The rolling update against a whole lab: its order, what stops it, and what an operator's retry or abort makes of that. */
import { describe, expect, test } from 'vitest';
import { rollingUpdateSteps } from '../../activities/rolling-update.steps.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import { labPaths } from '../../infra/lab/fixture.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { installations } from '../../infra/lab/packages.ts';
import { deactivate } from '../../infra/plays/host-maintenance.ts';
import { hostsRunningTheVm, playRequest } from '../../infra/plays/play.ts';
import { offerUpdates } from '../../infra/plays/rolling-update.ts';
import { until } from '../../infra/processes.ts';
import { hurriedContext, onLab, refusal, stepContext as context } from './on-lab.ts';
import { sharedGround } from './shared-ground.ts';
import { awaitView, ended, openStage, operate, startOperation, type TestStage } from './stage.ts';

const call = {
  operationId: 'rolling-host-update/Default/CHG8',
  cluster: 'Default',
  startedAt: new Date().toISOString(),
};

const ground = sharedGround();

async function hosts(lab: Lab): Promise<Record<string, string>> {
  const engine = labEngine(lab);
  try {
    return Object.fromEntries((await engine.hosts()).map(({ name, status }) => [name, status]));
  } finally {
    await engine.close();
  }
}

const installed = (lab: Lab) =>
  lab.fixture.hosts.map(({ name }) => installations(labPaths(lab.fixture.dir).hostDir(name)).length);

describe('steps of a rolling update', { timeout: 240_000 }, () => {
  test('refuse hosts that nobody knows or that are away, and order the others', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = rollingUpdateSteps(counterparts);
      const all = await steps.planRollingUpdate(context, call);
      expect(all.value.hosts).toEqual(['host2', 'host3', 'host1']);
      const two = await steps.planRollingUpdate(context, { ...call, hosts: ['host1', 'host3'] });
      expect(two.value.hosts).toEqual(['host1', 'host3']);
      const unknown = await refusal(steps.planRollingUpdate(context, { ...call, hosts: ['host1', 'host7'] }));
      expect(unknown.type).toBe('engine/no-such-host');

      await deactivate(lab, 'host3');
      const away = await refusal(steps.planRollingUpdate(context, call));
      expect(away).toMatchObject({ type: 'engine/hosts-not-in-service', kind: 'needs-operator' });
      expect(away.why).toContain('host3: status maintenance');
      expect((await steps.planRollingUpdate(context, { ...call, hosts: ['host2'] })).value.hosts).toEqual(['host2']);
    });
  });

  test('install nothing twice when the answer is lost; a failed update is parked and tried again', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = rollingUpdateSteps(counterparts);
      offerUpdates(lab, ['host2']);
      const { value } = await steps.inspectHostToUpdate(context, { ...call, host: 'host2' });
      expect(value.updateAvailable).toBe(true);
      const input = { ...call, facts: value.facts };
      await steps.takeHostOut(context, { ...input, reason: 'CHG8' });

      await lab.inject({ kind: 'engine-host-update', host: 'host2', times: 1 });
      const failed = await refusal(steps.updateHost(context, input));
      expect(failed).toMatchObject({ type: 'engine/host-update-failed', kind: 'needs-operator' });
      expect(failed.why).toMatch(/install_failed.*event 841/);
      expect(installed(lab)).toEqual([0, 0, 0]);

      await lab.inject({ kind: 'engine-drop', match: 'POST /hosts/*/upgrade', times: 1 });
      expect(await refusal(steps.updateHost(context, input))).toMatchObject({ outcomeUnknown: true });
      await steps.updateHost(context, input);
      expect((await steps.updateHost(context, input)).done).toBe('before');
      expect(installed(lab)).toEqual([0, 1, 0]);
      await steps.takeHostBack(context, input);
      expect(await hosts(lab)).toEqual({ host1: 'up', host2: 'up', host3: 'up' });
      expect(lab.storage.hostBlock(2)).toMatchObject({ localMaintenance: false, score: 3400 });
      expect((await steps.restoreHost(context, input)).done).toBe('before');
    });
  });

  test('name the host that did not come back, and go on when it has', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = rollingUpdateSteps(counterparts);
      offerUpdates(lab, ['host3']);
      const { value } = await steps.inspectHostToUpdate(context, { ...call, host: 'host3' });
      const input = { ...call, facts: value.facts };
      await steps.takeHostOut(context, { ...input, reason: 'CHG8' });
      await lab.inject({ kind: 'host-no-boot', host: 'host3' });
      const away = await refusal(steps.updateHost(hurriedContext(300), input));
      expect(away).toMatchObject({ type: 'vdsm/host-not-back', kind: 'needs-operator', subject: 'host host3' });
      await lab.clear('host-no-boot');
      await steps.updateHost(context, input);
      await steps.takeHostBack(context, input);
      expect(installed(lab)).toEqual([0, 0, 1]);
      expect(await hosts(lab)).toMatchObject({ host3: 'up' });
    });
  });
});

async function onStage(name: string, use: (stage: TestStage) => Promise<void>): Promise<void> {
  const stage = await openStage(ground, name, { managed: true });
  try {
    await stage.service();
    await use(stage);
  } finally {
    await stage.close();
  }
}

/** Hosts that the engine has out of service, watched while `work` runs: the most that ever were at once. */
async function mostAway(lab: Lab, work: () => Promise<void>): Promise<number> {
  let most = 0;
  let over = false;
  const watch = until(
    'the end',
    async () => {
      const away = Object.values(await hosts(lab).catch(() => ({}))).filter((status) => status !== 'up').length;
      most = Math.max(most, away);
      return over;
    },
    90_000,
  );
  await work();
  over = true;
  await watch;
  return most;
}

describe('a rolling update', { timeout: 300_000 }, () => {
  test('leaves a host without updates alone, and never has two hosts away', async () => {
    await onStage('rolling-skip', async (stage) => {
      offerUpdates(stage.lab, ['host1', 'host3']);
      const id = await startOperation(stage, { ...playRequest(stage.lab), operation: 'rolling-host-update' });
      const most = await mostAway(stage.lab, async () => {
        const view = await awaitView(stage, id, 'to end', ended);
        expect(view.outcome).toContain('Updated and back in service, one after the other: host3, host1.');
        const skipped = view.steps.filter(({ name }) => name.startsWith('host2-')).map(({ state }) => state);
        expect(skipped).toEqual(['done', 'not-needed', 'not-needed', 'not-needed']);
      });
      expect(most).toBe(1);
      expect(installed(stage.lab)).toEqual([1, 0, 1]);
    });
  });

  test('parks at the first host that fails and touches no other; an abort brings that host back', async () => {
    await onStage('rolling-stop', async (stage) => {
      const { lab } = stage;
      offerUpdates(lab, ['host1', 'host2', 'host3']);
      await lab.inject({ kind: 'engine-host-update', host: 'host3', times: 1 });
      const request = { ...playRequest(lab), operation: 'rolling-host-update' } as const;
      const id = await startOperation(stage, request);
      const parked = await awaitView(stage, id, 'to park', ({ state }) => state === 'parked');
      const failed = parked.steps.find(({ state }) => state === 'parked');
      expect(failed).toMatchObject({ name: 'host3-update', failure: { type: 'engine/host-update-failed' } });
      expect(await hosts(lab)).toEqual({ host1: 'up', host2: 'up', host3: 'install_failed' });

      await operate(stage, id, 'abort');
      const end = await awaitView(stage, id, 'to end', ended);
      expect(end.state).toBe('aborted');
      expect(end.outcome).toContain('Updates that were installed stay.');
      expect(await hosts(lab)).toEqual({ host1: 'up', host2: 'up', host3: 'up' });
      expect(lab.storage.hostBlock(3)?.localMaintenance).toBe(false);
      expect(installed(lab)).toEqual([0, 1, 0]);
      expect(hostsRunningTheVm(lab)).toEqual(['host1']);
    });
  });

  test('an abort half way into maintenance leaves the host as it was', async () => {
    await onStage('enter-abort', async (stage) => {
      const { lab } = stage;
      const detail = '[Cannot switch Host to Maintenance mode. Host is not operational.]';
      const error = { status: 409, reason: 'Operation Failed', detail, times: 1 };
      await lab.inject({ kind: 'engine-error', match: 'POST /hosts/*/deactivate', ...error });
      const request = { ...playRequest(lab), operation: 'enter-host-maintenance', host: 'host1' } as const;
      const id = await startOperation(stage, request);
      const parked = await awaitView(stage, id, 'to park', ({ state }) => state === 'parked');
      expect(parked.steps.find(({ state }) => state === 'parked')?.name).toBe('engine-maintenance');
      expect(lab.storage.hostBlock(1)).toMatchObject({ localMaintenance: true, score: 0 });

      await operate(stage, id, 'abort');
      const end = await awaitView(stage, id, 'to end', ended);
      expect(end.undo.map(({ name, state }) => [name, state])).toEqual([
        ['undo-engine-maintenance', 'undone'],
        ['undo-ha-maintenance', 'undone'],
        ['undo-move-engine-vm', 'undone'],
      ]);
      expect(hostsRunningTheVm(lab)).toEqual(['host1']);
      expect(await hosts(lab)).toEqual({ host1: 'up', host2: 'up', host3: 'up' });
      expect(lab.storage.hostBlock(1)).toMatchObject({ localMaintenance: false, score: 3400 });
    });
  });
});
