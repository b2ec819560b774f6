/** Backups and restores on a lab: what is in them, what is refused, what is put back, and that it can be taken back. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { listBackups } from '../../activities/archive/backups.ts';
import {
  backupFolder,
  entryKey,
  formatManifest,
  manifestKey,
  parseManifest,
} from '../../activities/archive/manifest.ts';
import { backupSteps } from '../../activities/backup.steps.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { sha256 } from '../../activities/ids.ts';
import { restoreSteps } from '../../activities/restore.steps.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { engineHasReadItsOvf, memoryInCopies, sharedVmConf } from '../../infra/plays/archive.ts';
import { spoil } from '../../infra/plays/restore.ts';
import type { RestorableItem } from '../../workflows/model/requests.ts';
import { until } from '../../infra/processes.ts';
import { labContext, onLab, refusal, stepCall, stepContext } from './on-lab.ts';

const ALL: readonly RestorableItem[] = ['ovf', 'vm.conf', 'hosted-engine.conf', 'configuration-archive', 'ha-slots'];

const context = labContext();

const call = (operation: string, key: string) => ({
  ...stepCall(operation),
  operationId: `${operation}/Default/${key}`,
});

async function backUp(counterparts: Counterparts, key: string) {
  const steps = backupSteps(counterparts);
  const own = call('backup', key);
  const { value: facts } = await steps.inspectStorage(stepContext, own);
  const { value } = await steps.takeBackup(context, { ...own, facts, phase: 'manual' });
  return { facts, backup: value };
}

/** Beginning of the configuration volume, which is a file. */
const configuration = (lab: Lab) => readFileSync(lab.storage.configurationPath).subarray(0, 20_480);

function overwrite(path: string, bytes: Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
}

test.concurrent(
  'a backup tells what it lacks when the engine is down, and old ones go only when it is whole',
  { timeout: 600_000 },
  async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      await engineHasReadItsOvf(lab);
      const { archive } = counterparts;
      const steps = backupSteps(counterparts);
      const { backup: whole } = await backUp(counterparts, 'ONE');
      expect(whole.notTaken).toEqual([]);

      await lab.inject({
        kind: 'engine-error',
        match: '* **',
        status: 503,
        reason: 'Service Unavailable',
        detail: '',
        times: 1_000,
      });
      overwrite(lab.storage.configurationPath, Buffer.alloc(20_480, '#'));
      const { backup } = await backUp(counterparts, 'TWO');
      await lab.clear('engine-error');
      expect(backup.notTaken.map(({ name }) => name)).toEqual([
        'vm.conf',
        'hosted-engine.conf',
        'engine-vm.json',
        'engine-hosts.json',
        'engine-storage-domains.json',
        'engine-vm.ovf',
      ]);
      const { backups } = await listBackups(archive, 'Default');
      expect(backups.map(({ key, notTaken }) => [key, notTaken.length])).toEqual([
        [backup.manifestKey, 6],
        [whole.manifestKey, 0],
      ]);

      // An object of the newest backup is gone: nothing may be removed for its sake.
      const { backup: torn } = await backUp(counterparts, 'THREE');
      const [entry] = parseManifest(torn.manifestKey, await archive.get(torn.manifestKey)).entries;
      await archive.remove(entry?.key ?? '');
      const retain = (of: typeof backup) =>
        steps.removeOldBackups(context, { ...call('backup', 'TWO'), keep: 1, backup: of });
      expect(await refusal(retain(torn))).toMatchObject({ type: 'archive/not-found' });
      expect((await listBackups(archive, 'Default')).backups).toHaveLength(3);

      // Rubbish beside them is told, and left alone.
      await archive.putOnce('Default/backup!2fDefault!2fBAD/manual/manifest.json', Buffer.from('{}'));
      const { value: removed, notes } = await retain(backup);
      expect(removed).toEqual([torn.manifestKey, whole.manifestKey]);
      expect(notes?.join('\n')).toContain('left alone, can’t be read: Default/backup!2fDefault!2fBAD');
      expect((await retain(backup)).done).toBe('before');
      expect((await archive.list('Default/')).filter(({ key }) => key.includes('ONE'))).toEqual([]);

      expect((await steps.discardBackup(context, call('backup', 'TWO'))).done).toBe('now');
      expect((await steps.discardBackup(context, call('backup', 'TWO'))).done).toBe('before');
      expect(await listBackups(archive, 'Default')).toMatchObject({
        backups: [],
        damaged: [{ why: expect.any(String) }],
      });
    });
  },
);

test.concurrent(
  'a restore refuses what is foreign or damaged, shows the difference, applies it, and takes it back',
  { timeout: 600_000 },
  async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      await engineHasReadItsOvf(lab);
      const { archive } = counterparts;
      const steps = restoreSteps(counterparts);
      const own = call('restore', 'R1');
      const { facts, backup } = await backUp(counterparts, 'GOOD');
      const check = (key: string, items: readonly RestorableItem[] = ALL) =>
        steps.verifyBackup(context, { ...own, backup: key, items });

      const good = parseManifest(backup.manifestKey, await archive.get(backup.manifestKey));
      const alien = { ...own, cluster: 'Other' };
      expect(
        await refusal(steps.verifyBackup(context, { ...alien, backup: backup.manifestKey, items: ALL })),
      ).toMatchObject({
        type: 'restore/other-cluster',
      });
      // A manifest of ours whose object was exchanged for another of the same name.
      const folder = backupFolder('Default', 'backup/Default/FORGED', 'manual');
      const forged = good.entries.map((entry) => ({ ...entry, key: entryKey(folder, entry.name, entry.sha256) }));
      for (const { key, name } of forged) await archive.putOnce(key, Buffer.from(`forged ${name}`));
      await archive.putOnce(
        manifestKey(folder),
        formatManifest({ ...good, operation: 'backup/Default/FORGED', entries: forged }),
      );
      expect(await refusal(check(manifestKey(folder)))).toMatchObject({ type: 's3/damaged', kind: 'needs-operator' });
      expect(await refusal(check('Default/nowhere/manual/manifest.json'))).toMatchObject({ type: 'archive/not-found' });

      const { value: verified } = await check(backup.manifestKey);
      const from = verified;
      const compare = async (items = ALL) =>
        (await steps.compareWithBackup(context, { ...own, facts, from, items })).value;
      const same = await compare(['ovf', 'vm.conf', 'hosted-engine.conf', 'configuration-archive']);
      expect(same.map(({ lines }) => lines)).toEqual([[], [], [], []]);

      await spoil(lab);
      const shown = await compare(['ovf', 'vm.conf', 'hosted-engine.conf']);
      expect(shown.map(({ item, lines }) => [item, lines.map((line) => line.replace(/copy \w+/, 'copy'))])).toEqual([
        ['ovf', ['copy: memoryMb: 2048 now, 16384 in the backup', 'copy: memoryMb: 2048 now, 16384 in the backup']],
        ['vm.conf', ['memSize: 2048 now, 16384 in the backup']],
        ['hosted-engine.conf', []],
      ]);
      expect(
        await refusal(steps.compareWithBackup(context, { ...own, facts, from, items: ['ovf'], expectSame: true })),
      ).toMatchObject({
        type: 'restore/not-verified',
      });

      const spoilt = {
        configuration: configuration(lab),
        copies: await lab.storage.readOvfStores(lab.fixture.heDomain.id),
      };
      const { value: before } = await steps.takeBackup(context, { ...own, facts, phase: 'before' });
      for (const item of ['ovf', 'vm.conf'] as const) {
        const input = { ...own, facts, item, from, before };
        expect([item, (await steps.restoreItem(context, input)).done]).toEqual([item, 'now']);
        expect([item, (await steps.restoreItem(context, input)).done]).toEqual([item, 'before']);
      }
      expect(await memoryInCopies(lab)).toEqual([16_384, 16_384]);
      expect(await sharedVmConf(lab)).toBe(lab.fixture.vmConf);
      for (const item of ['vm.conf', 'ovf'] as const)
        await steps.putItemBack(context, { ...own, facts, item, from, before });
      expect(configuration(lab).equals(spoilt.configuration)).toBe(true);
      expect(await lab.storage.readOvfStores(lab.fixture.heDomain.id)).toMatchObject(
        spoilt.copies.map(({ description, ovfs }) => ({ description, ovfs })),
      );

      // Half an archive, as a write that broke off leaves it: the rest comes from the backup taken before.
      overwrite(lab.storage.configurationPath, Buffer.alloc(20_480));
      expect(await refusal(compare(['vm.conf']))).toMatchObject({
        why: expect.stringContaining('restore the whole archive'),
      });
      expect((await steps.restoreItem(context, { ...own, facts, item: 'vm.conf', from, before })).done).toBe('now');
      expect(await sharedVmConf(lab)).toBe(lab.fixture.vmConf);
      overwrite(lab.storage.configurationPath, Buffer.alloc(20_480, '#'));
      const [lost] = await compare(['configuration-archive']);
      expect(lost?.lines[0]).toContain('can’t be read now');
      await steps.restoreItem(context, { ...own, facts, item: 'configuration-archive', from, before });
      expect(sha256(configuration(lab))).toBe(good.entries.find(({ name }) => name === 'configuration.tar')?.sha256);
    });
  },
);

test.concurrent('slots are restored only of hosts whose agent does not live', { timeout: 600_000 }, async () => {
  await onLab({ managed: true }, async (lab, counterparts) => {
    const steps = restoreSteps(counterparts);
    const own = call('restore', 'R2');
    const { facts, backup } = await backUp(counterparts, 'SLOTS');
    const { value: from } = await steps.verifyBackup(context, {
      ...own,
      backup: backup.manifestKey,
      items: ['ha-slots'],
    });
    const compare = async () =>
      (await steps.compareWithBackup(context, { ...own, facts, from, items: ['ha-slots'] })).value[0];
    let living = await compare();
    // On a busy machine an agent's next beat may come later than the comparison waits for it.
    await until(
      'all three agents to be seen alive',
      async () => (living = await compare())?.notes.length === 3,
      30_000,
    );
    expect(living?.lines).toEqual([]);
    expect(living?.notes[0]).toContain('is refused: its agent lives');

    const host3 = lab.hosts.find(({ name }) => name === 'host3');
    await host3?.crash();
    lab.storage.writeHostBlock({
      timestamp: 1,
      hostId: 3,
      score: 17,
      engineStatus: { vm: 'down', health: 'bad', detail: 'unknown' },
      hostname: 'host3',
      localMaintenance: false,
      stopped: false,
      confTimestamp: 1,
      state: 'EngineDown',
    });
    // Likewise for the two that live on.
    let dead = await compare();
    await until('the two others to be seen alive', async () => (dead = await compare())?.notes.length === 2, 30_000);
    expect(dead?.lines).toEqual(['slot 3: host3, score 17 now, host3, score 3400 in the backup']);
    const { value: before } = await steps.takeBackup(context, { ...own, facts, phase: 'before' });
    const input = { ...own, facts, item: 'ha-slots', from, before } as const;
    expect((await steps.restoreItem(context, input)).done).toBe('now');
    expect(lab.storage.hostBlock(3)?.score).toBe(3400);
    expect((await steps.restoreItem(context, input)).done).toBe('before');
    expect((await steps.putItemBack(context, input)).done).toBe('now');
    expect(lab.storage.hostBlock(3)?.score).toBe(17);
    expect((await steps.putItemBack(context, input)).done).toBe('before');
  });
});
