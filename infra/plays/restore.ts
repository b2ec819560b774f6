import { closeSync, openSync, writeSync } from 'node:fs';
import type { Archive } from '../../activities/archive/client.ts';
import { takeBackup } from '../../activities/archive/back-up.ts';
import { listBackups } from '../../activities/archive/backups.ts';
import { backupFolder, manifestKey } from '../../activities/archive/keys.ts';
import { inspectStorage } from '../../activities/storage/inspect-storage.ts';
import type { Lab } from '../lab/lab.ts';
import { configurationTar } from '../lab/storage/configuration.ts';
import { engineHasReadItsOvf, memoryInCopies, sharedVmConf, withCounterparts } from './archive.ts';
import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

const SPOILT_MB = 2048;

const backupOperation = (lab: Lab) => `backup/${lab.fixture.cluster.name}/GOOD`;

/** Key of the manifest of the backup that `prepare` takes. */
export function goodBackup(lab: Lab): string {
  return manifestKey(backupFolder(lab.fixture.cluster.name, backupOperation(lab), 'manual'));
}

/** Somebody's slip: both definitions of the engine VM say too little memory. */
export async function spoil(lab: Lab): Promise<void> {
  const { heDomain, vm, vmConf } = lab.fixture;
  const slip = (text: string) => text.replaceAll(String(vm.memoryMb), String(SPOILT_MB));
  const [store] = await lab.storage.readOvfStores(heDomain.id);
  await lab.storage.writeOvfStores(heDomain.id, new Map([[vm.id, slip(store?.ovfs.get(vm.id) ?? '')]]));
  const tar = await configurationTar({ ...lab.fixture, vmConf: slip(vmConf) }, new Date());
  const file = openSync(lab.storage.configurationPath, 'r+');
  writeSync(file, tar, 0, tar.length, 0);
  closeSync(file);
}

/** Takes a backup with the real steps. */
export async function takeGoodBackup(lab: Lab, archive: Archive): Promise<void> {
  await engineHasReadItsOvf(lab);
  const call = {
    operationId: backupOperation(lab),
    cluster: lab.fixture.cluster.name,
    startedAt: new Date().toISOString(),
  };
  await withCounterparts(lab, archive, async (counterparts, context) => {
    const { value: facts } = await inspectStorage(counterparts)(context, call);
    await takeBackup(counterparts)(context, { ...call, facts, phase: 'manual' });
  });
}

async function outside(lab: Lab, archive: Archive): Promise<Facts> {
  const { name } = lab.fixture.cluster;
  const { backups } = await listBackups(archive, name);
  const { memoryMb } = lab.fixture.vm;
  return {
    'OVF_STORE copies as in the backup': (await memoryInCopies(lab)).filter((memory) => memory === memoryMb).length,
    'shared vm.conf as in the backup': (await sharedVmConf(lab)) === lab.fixture.vmConf,
    'more than one backup of the state before': backups.filter(({ phase }) => phase === 'before').length > 1,
    'hosts that run the engine VM': hostsRunningTheVm(lab).length,
    'global maintenance in the HA metadata': lab.storage.globalMaintenance(),
  };
}

export const RESTORE: Play = {
  name: 'restore',
  title: 'OVF and vm.conf that somebody spoilt are restored from a backup',
  lab: { managed: true },
  prepare: async (lab, archive) => {
    await takeGoodBackup(lab, archive);
    await spoil(lab);
  },
  request: (lab) => ({
    ...playRequest(lab),
    operation: 'restore',
    backup: goodBackup(lab),
    items: ['ovf', 'vm.conf'],
    apply: true,
  }),
  outside,
  expected: {
    'OVF_STORE copies as in the backup': 2,
    'shared vm.conf as in the backup': true,
    'more than one backup of the state before': false,
    'hosts that run the engine VM': 1,
    'global maintenance in the HA metadata': false,
  },
  lastAbortable: 10,
};

export const RESTORE_PREVIEW: Play = {
  ...RESTORE,
  name: 'restore-preview',
  title: 'What a restore would change is shown, and nothing is changed',
  request: (lab) => ({
    ...playRequest(lab),
    operation: 'restore',
    backup: goodBackup(lab),
    items: ['ovf', 'vm.conf'],
    apply: false,
  }),
  expected: {
    ...RESTORE.expected,
    'OVF_STORE copies as in the backup': 0,
    'shared vm.conf as in the backup': false,
  },
};
