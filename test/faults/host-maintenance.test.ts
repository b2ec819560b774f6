/** Host maintenance against a whole lab, step by step: what is refused, what half states become, and taking back. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostMaintenanceSteps } from '../../activities/host-maintenance.steps.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import { labPaths } from '../../infra/lab/fixture.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { deactivate, halfInMaintenance } from '../../infra/plays/host-maintenance.ts';
import { hostsRunningTheVm } from '../../infra/plays/play.ts';
import { until } from '../../infra/processes.ts';
import { hurriedContext, onLab, refusal, stepContext as context } from './on-lab.ts';

const LIMIT_MS = 90_000;
const startedAt = new Date().toISOString();
const callFor = (host: string) => ({
  operationId: `enter-host-maintenance/Default/${host}/CHG7`,
  cluster: 'Default',
  startedAt,
  host,
});

/** Both sides of a host, and the engine VM's place. */
async function sides(lab: Lab, name: string) {
  const engine = labEngine(lab);
  try {
    const host = (await engine.hosts()).find((one) => one.name === name);
    const block = lab.storage.hostBlock(host === undefined ? 0 : Number(name.slice(-1)));
    return [host?.status, block?.localMaintenance, block?.score];
  } finally {
    await engine.close();
  }
}

/** Waits until the engine sees the host so. */
async function engineSees(lab: Lab, name: string, what: string, wanted: (text: string) => boolean): Promise<void> {
  const engine = labEngine(lab);
  try {
    await until(
      `the engine to see ${name} ${what}`,
      async () => {
        const host = (await engine.hosts({ allContent: true })).find((one) => one.name === name);
        return wanted(JSON.stringify([host?.status, host?.hostedEngine]));
      },
      LIMIT_MS,
    );
  } finally {
    await engine.close();
  }
}

const local = (lab: Lab, host: string, on: boolean) => {
  const state = lab.world.hosts.get(host);
  if (state === undefined) throw new Error(`no ${host}`);
  state.localMaintenance = on;
};

const IN = ['maintenance', true, 0];
const OUT = ['up', false, 3400];

describe('into maintenance', { timeout: 240_000 }, () => {
  test('is refused for a host nobody knows, and where hosted engine is not deployed', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      const unknown = await refusal(steps.inspectHostToEnter(context, callFor('host9')));
      expect(unknown).toMatchObject({ type: 'engine/no-such-host', kind: 'needs-operator' });
      expect(unknown.why).toContain('host1, host2, host3');

      rmSync(join(labPaths(lab.fixture.dir).hostDir('host3'), 'hosted-engine.conf'));
      const plain = await refusal(steps.inspectHostToEnter(context, callFor('host3')));
      expect(plain).toMatchObject({ type: 'ha/not-deployed', kind: 'needs-operator' });
    });
  });

  test('is refused while nobody else could run the engine VM, and says of each other host why', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      local(lab, 'host2', true);
      await deactivate(lab, 'host3');
      await engineSees(lab, 'host2', 'in local maintenance', (text) => text.includes('"localMaintenance":true'));
      const facts = await refusal(steps.inspectHostToEnter(context, callFor('host1')));
      expect(facts).toMatchObject({ type: 'engine-vm/no-other-host', kind: 'needs-operator' });
      expect(facts.why).toContain('host2: local maintenance, score 0');
      expect(facts.why).toContain('host3: status maintenance');

      // For a host that does not run it this is only worth a word.
      const other = await steps.inspectHostToEnter(context, callFor('host2'));
      expect(other.notes).toBeUndefined();
      local(lab, 'host2', false);
      await engineSees(lab, 'host2', 'active', (text) => text.includes('"score":3400'));
      const { value } = await steps.inspectHostToEnter(context, callFor('host1'));
      local(lab, 'host2', true);
      await engineSees(lab, 'host2', 'in local maintenance', (text) => text.includes('"localMaintenance":true'));
      // Lost between the look and the move: the engine's scheduler refuses.
      const late = await refusal(steps.moveEngineVmAway(context, { ...callFor('host1'), facts: value }));
      expect(late).toMatchObject({ type: 'engine/no-host-fits', kind: 'needs-operator' });
      expect(hostsRunningTheVm(lab)).toEqual(['host1']);
    });
  });

  test('moves the engine VM once although the answer is lost, and is taken back on both sides', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      const call = callFor('host1');
      const { value: facts } = await steps.inspectHostToEnter(context, call);
      const input = { ...call, facts };
      // That the host does not say is no proof that the VM is not there.
      // The lab's engine polls the host too, and may meet the error first.
      await lab.inject({ kind: 'vdsm-error', host: 'host1', verb: '*', code: 100, message: 'no', times: 10 });
      expect(await refusal(steps.moveEngineVmAway(context, input))).toMatchObject({ type: 'vdsm/general' });
      await lab.clear('vdsm-error');
      await lab.inject({ kind: 'engine-drop', match: 'POST /vms/*/migrate', times: 1 });
      expect(await refusal(steps.moveEngineVmAway(context, input))).toMatchObject({ outcomeUnknown: true });
      await steps.moveEngineVmAway(context, input);
      expect(hostsRunningTheVm(lab)).toHaveLength(1);
      expect(hostsRunningTheVm(lab)).not.toContain('host1');
      expect((await steps.moveEngineVmAway(context, input)).done).toBe('before');
      const engine = labEngine(lab);
      expect((await engine.events({ max: 200 })).filter(({ code }) => code === 62)).toHaveLength(1);
      await engine.close();

      const forward = [
        await steps.enterHaMaintenance(context, input),
        await steps.enterEngineMaintenance(context, { ...input, reason: 'CHG7' }),
        await steps.verifyInMaintenance(context, input),
      ];
      expect(forward.map(({ done }) => done)).toEqual(['now', 'now', 'now']);
      expect(await sides(lab, 'host1')).toEqual(IN);
      const again = [
        await steps.enterHaMaintenance(context, input),
        await steps.enterEngineMaintenance(context, { ...input, reason: 'CHG7' }),
      ];
      expect(again.map(({ done }) => done)).toEqual(['before', 'before']);

      // The engine ends local maintenance by itself when it activates a host: nothing is left for the other side.
      const undone = [await steps.restoreEngineState(context, input), await steps.restoreHaState(context, input)];
      expect(undone[0]?.done).toBe('now');
      expect(await sides(lab, 'host1')).toEqual(OUT);
      expect((await steps.restoreEngineState(context, input)).done).toBe('before');
      expect((await steps.restoreHaState(context, input)).done).toBe('before');
      expect((await steps.restoreEngineVmPlace(context, input)).done).toBe('now');
      expect(hostsRunningTheVm(lab)).toEqual(['host1']);
      expect((await steps.restoreEngineVmPlace(context, input)).done).toBe('before');
    });
  });

  test('sets HA right where the engine could not, and tells its event', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      const call = callFor('host2');
      const { value: facts } = await steps.inspectHostToEnter(context, call);
      const input = { ...call, facts };
      const verb = 'Host.setHaMaintenanceMode';
      await lab.inject({ kind: 'vdsm-error', host: 'host2', verb, code: 61, message: 'no', times: 1 });
      await steps.enterEngineMaintenance(context, { ...input, reason: 'CHG7' });
      expect(await sides(lab, 'host2')).toEqual(['maintenance', false, 3400]);
      const verified = await steps.verifyInMaintenance(context, input);
      expect(verified.notes?.join('\n')).toMatch(/HA had lost its local maintenance[\s\S]*event 10453/);
      expect(await sides(lab, 'host2')).toEqual(IN);
    });
  });

  test('leaves alone on the way back what was so before', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      await deactivate(lab, 'host2');
      const call = callFor('host2');
      const { value: facts } = await steps.inspectHostToEnter(context, call);
      expect(facts.before).toEqual({ status: 'maintenance', localMaintenance: true, score: 0, runsEngineVm: false });
      const undone = [
        await steps.restoreEngineState(context, { ...call, facts }),
        await steps.restoreHaState(context, { ...call, facts }),
      ];
      expect(undone.map(({ done }) => done)).toEqual(['before', 'before']);
      expect(await sides(lab, 'host2')).toEqual(IN);
    });
  });
});

describe('out of maintenance', { timeout: 240_000 }, () => {
  test('repairs a host that is in maintenance for HA only', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      local(lab, 'host2', true);
      const call = callFor('host2');
      const { value: facts, summary } = await steps.inspectHostToLeave(context, call);
      expect(summary).toContain('half in maintenance');
      const input = { ...call, facts };
      expect((await steps.activateHost(context, input)).done).toBe('before');
      expect((await steps.leaveHaMaintenance(context, input)).done).toBe('now');
      expect((await steps.verifyInService(context, { ...input, score: 3400 })).summary).toContain('score 3400');
      expect(await sides(lab, 'host2')).toEqual(OUT);
    });
  });

  test('names the flag that only the host itself can end', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      const file = join(labPaths(lab.fixture.dir).hostDir('host2'), 'ha.conf');
      writeFileSync(file, 'local_maintenance=True\nlocal_maintenance_manual=True\n');
      await until('local maintenance', () => lab.storage.hostBlock(2)?.localMaintenance === true, LIMIT_MS);
      const call = callFor('host2');
      const { value: facts } = await steps.inspectHostToLeave(context, call);
      const stays = await refusal(steps.leaveHaMaintenance(hurriedContext(60), { ...call, facts }));
      expect(stays).toMatchObject({ type: 'ha/local-maintenance-stays', kind: 'needs-operator' });
      expect(stays.remedy).toContain('hosted-engine --set-maintenance --mode=none');
      const away = await refusal(steps.verifyInService(hurriedContext(600), { ...call, facts, score: 1 }));
      expect(away).toMatchObject({ type: 'ha/host-not-in-service', kind: 'needs-operator' });
      expect(away.why).toContain('local maintenance');
    });
  });

  test('brings a host back that the engine VM was started on while it was half in maintenance', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = hostMaintenanceSteps(counterparts);
      await halfInMaintenance(lab, 'host3');
      expect(await sides(lab, 'host3')).toEqual(['maintenance', false, 3400]);
      const [from, to] = [lab.world.hosts.get('host1'), lab.world.hosts.get('host3')];
      await from?.vms.get(lab.fixture.vm.id)?.migrateTo(to);
      expect(hostsRunningTheVm(lab)).toEqual(['host3']);
      const call = callFor('host3');
      const refused = await refusal(steps.inspectHostToEnter(context, call));
      expect(refused).toMatchObject({ type: 'engine-vm/on-host-in-maintenance', kind: 'needs-operator' });

      const { value: facts } = await steps.inspectHostToLeave(context, call);
      const input = { ...call, facts };
      await steps.activateHost(context, input);
      await steps.leaveHaMaintenance(context, input);
      await steps.verifyInService(context, { ...input, score: 1 });
      expect(await sides(lab, 'host3')).toEqual(OUT);
    });
  });
});
