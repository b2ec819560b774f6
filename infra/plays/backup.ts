import type { Archive } from '../../activities/archive/client.ts';
import { listBackups } from '../../activities/archive/backups.ts';
import { backupFolder, entryKey, manifestKey, type BackupPhase } from '../../activities/archive/keys.ts';
import { formatManifest } from '../../activities/archive/manifest.ts';
import { sha256 } from '../../activities/ids.ts';
import type { Lab } from '../lab/lab.ts';
import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

/** A complete backup of one file, as an earlier operation would have left it. */
async function storeBackup(archive: Archive, cluster: string, operation: string, phase: BackupPhase, takenAt: string) {
  const folder = backupFolder(cluster, operation, phase);
  const content = Buffer.from(`vmId=${operation}\n`);
  const digest = sha256(content);
  const entry = { name: 'vm.conf', key: entryKey(folder, 'vm.conf', digest), bytes: content.length, sha256: digest };
  await archive.putOnce(entry.key, content);
  const manifest = formatManifest({ version: 1, operation, cluster, phase, takenAt, entries: [entry] });
  await archive.putOnce(manifestKey(folder), manifest);
}

const otherCluster = (lab: Lab) => `${lab.fixture.cluster.name}-2`;

async function prepare(lab: Lab, archive: Archive): Promise<void> {
  const { name } = lab.fixture.cluster;
  await archive.ensureBucket();
  for (const day of [1, 2, 3]) {
    await storeBackup(archive, name, `backup/${name}/DAY${day}`, 'manual', `2026-01-0${day}T02:00:00.000Z`);
  }
  await storeBackup(archive, name, `upgrade/${name}/OLD`, 'before', '2025-01-01T00:00:00.000Z');
  await storeBackup(
    archive,
    otherCluster(lab),
    `backup/${otherCluster(lab)}/OLD`,
    'manual',
    '2025-01-01T00:00:00.000Z',
  );
}

async function outside(lab: Lab, archive: Archive): Promise<Facts> {
  const { name } = lab.fixture.cluster;
  const { backups, damaged } = await listBackups(archive, name);
  const own = backups.filter((backup) => backup.phase === 'manual');
  const [newest] = own;
  const objects = await archive.list(`${name}/`);
  return {
    'backups of backup operations': own.length,
    'the newest but this one': own[1]?.operation.split('/').at(-1) ?? 'none',
    'objects of removed backups': objects.filter(({ key }) => /DAY[12]/.test(key)).length,
    'backups of other operations': backups.length - own.length,
    'backups of the other cluster': (await listBackups(archive, otherCluster(lab))).backups.length,
    'damaged manifests': damaged.length,
    'items of the new one':
      newest?.items
        .map((item) => item.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID'))
        .toSorted()
        .join(' ') ?? '',
    'not taken': newest?.notTaken.length ?? -1,
    'hosts that run the engine VM': hostsRunningTheVm(lab).length,
    'global maintenance in the HA metadata': lab.storage.globalMaintenance(),
  };
}

export const BACKUP: Play = {
  name: 'backup',
  title: 'The configuration is backed up, and older backups are removed',
  lab: { managed: true },
  prepare,
  request: (lab) => ({ ...playRequest(lab), operation: 'backup', keep: 2 }),
  outside,
  expected: {
    'backups of backup operations': 2,
    'the newest but this one': 'DAY3',
    'objects of removed backups': 0,
    'backups of other operations': 1,
    'backups of the other cluster': 1,
    'damaged manifests': 0,
    'items of the new one':
      'configuration.tar engine-hosts.json engine-storage-domains.json engine-vm.json engine-vm.ovf ha-metadata.bin hosted-engine.conf ovf-store-ID.json ovf-store-ID.json ovf-store-ID.tar ovf-store-ID.tar vm.conf',
    'not taken': 0,
    'hosts that run the engine VM': 1,
    'global maintenance in the HA metadata': false,
  },
  lastAbortable: 1,
};
