/** The upgrade's steps against a whole lab, without Temporal: sources of the definition, and taking everything back. */
import { describe, expect, test } from 'vitest';
import { describeOvf } from '../../activities/ovf/read-ovf.ts';
import { upgradeSteps } from '../../activities/upgrade.steps.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import { otherVm, otherVmInStores } from '../../infra/faults/storage-states.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import type { UpgradeFacts } from '../../workflows/model/upgrade.ts';
import { onLab, refusal, stepContext as context } from './on-lab.ts';

const call = {
  operationId: 'upgrade/Default/CHG1',
  cluster: 'Default',
  startedAt: new Date(Date.now() + 60_000).toISOString(),
};

describe('the definition', { timeout: 180_000 }, () => {
  test('comes from the newest consistent source, and the others are told why not', async () => {
    await onLab({}, async (lab, counterparts) => {
      const steps = upgradeSteps(counterparts);
      const { value: facts } = await steps.inspectUpgrade(context, call);
      const given = lab.fixture.vmConf.replace('memSize=16384', 'memSize=8192');
      const input = { ...call, facts };

      const fromRequest = await steps.convertDefinition(context, { ...input, source: 'auto', vmConf: given });
      expect(fromRequest.value.source).toBe('request');
      expect(describeOvf(fromRequest.value.ovf)).toMatchObject({
        description: { memoryMb: 8192, origin: 6, deleteProtected: true },
      });

      const foreign = given.replace(lab.fixture.vm.id, '11111111-2222-4333-8444-555555555555');
      const fallback = await steps.convertDefinition(context, { ...input, source: 'auto', vmConf: foreign });
      expect(fallback.value.source).toBe('configuration-volume');
      expect(describeOvf(fallback.value.ovf)).toMatchObject({ description: { memoryMb: 16_384 } });
      expect(fallback.notes?.join('\n')).toContain('it defines VM 11111111-2222-4333-8444-555555555555');

      const strict = await refusal(steps.convertDefinition(context, { ...input, source: 'request', vmConf: foreign }));
      expect(strict).toMatchObject({ type: 'ovf/no-usable-definition', kind: 'needs-operator' });

      const again = await steps.convertDefinition(context, { ...input, source: 'auto', vmConf: given });
      expect(again.value.sha256).toBe(fromRequest.value.sha256);
    });
  });
});

/** What an abort must leave as it was. */
async function engineAndStorage(lab: Lab) {
  const engine = labEngine(lab);
  try {
    const { heDomain, vm } = lab.fixture;
    return {
      domains: (await engine.storageDomains()).map((domain) => domain.id).toSorted(),
      origin: (await engine.vm(vm.id)).origin,
      volumes: lab.storage
        .volumes(heDomain.id)
        .map((volume) => volume.volume)
        .toSorted(),
      ovfs: (await lab.storage.readOvfStores(heDomain.id)).map((store) => [...store.ovfs.keys()]),
      maintenance: lab.storage.globalMaintenance(),
    };
  } finally {
    await engine.close();
  }
}

async function forwardToTheDomain(counterparts: Counterparts, lab: Lab) {
  const steps = upgradeSteps(counterparts);
  const { value: facts } = await steps.inspectUpgrade(context, call);
  const input = { ...call, facts };
  await steps.enterGlobalMaintenance(context, input);
  const { value: backup } = await steps.backUp(context, { ...input, phase: 'before' });
  const { value: definition } = await steps.convertDefinition(context, {
    ...input,
    source: 'auto',
    vmConf: lab.fixture.vmConf,
  });
  const { value: disks } = await steps.ensureOvfStoreDisks(context, input);
  await steps.writeOvf(context, { ...input, disks, definition });
  await steps.importDomain(context, input);
  await steps.awaitDomainActive(context, input);
  return { steps, input, backup, disks };
}

async function takeBack({ steps, input, backup, disks }: Awaited<ReturnType<typeof forwardToTheDomain>>) {
  const undone = [
    await steps.removeDomain(context, input),
    await steps.restoreOvfStores(context, { ...input, disks, backup }),
    await steps.removeOvfStoreDisks(context, input),
    await steps.leaveGlobalMaintenance(context, input),
  ];
  return undone.map((outcome) => outcome.done);
}

describe('taking back', { timeout: 240_000 }, () => {
  test('leaves engine and storage as they were, and does nothing the second time', async () => {
    await onLab({}, async (lab, counterparts) => {
      const before = await engineAndStorage(lab);
      const done = await forwardToTheDomain(counterparts, lab);
      expect(await engineAndStorage(lab)).not.toEqual(before);
      expect(await takeBack(done)).toEqual(['now', 'before', 'now', 'now']);
      expect(await engineAndStorage(lab)).toEqual(before);
      expect(await takeBack(done)).toEqual(['before', 'before', 'before', 'before']);
    });
  });

  test('puts back what other people had in the OVF_STORE', async () => {
    await onLab({}, async (lab, counterparts) => {
      await otherVmInStores(lab);
      const before = await engineAndStorage(lab);
      expect(before.ovfs).toEqual([[otherVm(lab).id], [otherVm(lab).id]]);
      const done = await forwardToTheDomain(counterparts, lab);
      await takeBack(done);
      expect(await engineAndStorage(lab)).toEqual(before);
    });
  });

  test('keeps global maintenance on when it was on before', async () => {
    await onLab({}, async (lab, counterparts) => {
      lab.storage.setGlobalMaintenance(true);
      const steps = upgradeSteps(counterparts);
      const { value: facts }: { value: UpgradeFacts } = await steps.inspectUpgrade(context, call);
      expect(facts.globalMaintenanceBefore).toBe(true);
      expect((await steps.enterGlobalMaintenance(context, { ...call, facts })).done).toBe('before');
      expect((await steps.leaveGlobalMaintenance(context, { ...call, facts })).done).toBe('before');
      expect(lab.storage.globalMaintenance()).toBe(true);
    });
  });
});
