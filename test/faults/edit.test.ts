/** Edits of the engine VM that can't be, that meet another one, and that are taken back. */
import { expect, test } from 'vitest';
import { editSteps } from '../../activities/edit.steps.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import { hurriedContext, onLab, refusal, stepCall, stepContext } from './on-lab.ts';

const call = stepCall('edit-engine-vm');

test(
  'an edit is refused before the engine is asked, stopped by another one, and taken back',
  { timeout: 180_000 },
  async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = editSteps(counterparts);
      const check = (change: Parameters<typeof steps.inspectEdit>[1]['change']) =>
        steps.inspectEdit(stepContext, { ...call, change });

      const impossible = [
        [{ memoryMiB: 4_000_000, maxMemoryMiB: 4_100_000 }, /the smallest of .*host1.* has \d+ MiB/],
        [{ memoryMiB: 1_000_000 }, /above its maximum/],
        [{ guaranteedMemoryMiB: 1_000_000 }, /guaranteed memory would be/],
        [{ disks: [{ disk: 'he_virtio_disk', sizeGiB: 1 }] }, /can grow, not shrink/],
        [{ disks: [{ disk: 'data', sizeGiB: 99 }] }, /no such device; it has he_virtio_disk/],
        [{ nics: [{ nic: 'vnet0', profile: 'dmz' }] }, /no vNIC profile dmz; there are ovirtmgmt/],
      ] as const;
      for (const [change, why] of impossible) {
        expect(await refusal(check(change))).toMatchObject({ kind: 'needs-operator', why: expect.stringMatching(why) });
      }

      const change = {
        memoryMiB: 20_480,
        disks: [{ disk: 'he_virtio_disk', sizeGiB: 80 }],
        nics: [{ nic: 'vnet0', linked: false }],
      };
      const { value: facts, summary } = await check(change);
      expect(summary).toContain('memory (MiB): 16384 → 20480');
      const engine = labEngine(lab);
      try {
        await engine.updateVm(facts.vm.id, { memoryBytes: 8192 * 2 ** 20, memoryGuaranteedBytes: 4096 * 2 ** 20 });
        expect(await refusal(steps.editEngineVm(stepContext, { ...call, facts, change }))).toMatchObject({
          type: 'engine-vm/conflict',
          why: 'memory (MiB) was 16384 and is 8192 now',
        });
        await engine.updateVm(facts.vm.id, { memoryBytes: 16_384 * 2 ** 20 });

        expect(await steps.editEngineVm(stepContext, { ...call, facts, change })).toMatchObject({ done: 'now' });
        expect(await steps.editEngineVm(stepContext, { ...call, facts, change })).toMatchObject({ done: 'before' });
        await steps.persistEngineVm(stepContext, { ...call, facts, change });
        expect(await steps.revertEngineVm(stepContext, { ...call, facts, change })).toMatchObject({
          summary: expect.stringContaining('can’t be made smaller'),
        });
        const { memoryBytes } = await engine.vm(facts.vm.id);
        const [nic] = await engine.vmNics(facts.vm.id);
        expect([memoryBytes, nic?.linked]).toEqual([16_384 * 2 ** 20, true]);
      } finally {
        await engine.close();
      }
    });
  },
);

test(
  'an engine that does not write the OVF by itself is asked to, and asked again while it is busy',
  { timeout: 180_000 },
  async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = editSteps(counterparts);
      const change = { description: 'moved to rack 7' };
      const { value: facts } = await steps.inspectEdit(stepContext, { ...call, change });
      await lab.inject({ kind: 'engine-ovf-late', times: 9 });
      await lab.inject({ kind: 'engine-ovf-busy', times: 2 });
      await steps.editEngineVm(stepContext, { ...call, facts, change });
      const waited: string[] = [];
      const context = { ...hurriedContext(20), waitsFor: (text: string) => void waited.push(text) };
      expect(await steps.persistEngineVm(context, { ...call, facts, change })).toMatchObject({
        summary: 'both OVF_STORE copies hold what the engine has',
      });
      // Both refusals were used up, and the last word was the engine's own command.
      expect((await lab.unspentFaults()).join()).not.toContain('engine-ovf-busy');
      expect(waited.length).toBeGreaterThan(2);
    });
  },
);
