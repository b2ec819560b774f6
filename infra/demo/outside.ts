/** What changed, asked of VDSM, the engine and S3 directly, without the orchestrator. */
import type { Archive } from '../../activities/archive/client.ts';
import { describeOvf } from '../../activities/ovf/read-ovf.ts';
import { findOvfStores, readCopy } from '../../activities/storage/ovf-store.ts';
import { HostPool } from '../../activities/vdsm/hosts.ts';
import { labEngine } from '../faults/end-state.ts';
import type { Lab } from '../lab/lab.ts';

export interface Outside {
  readonly lines: readonly string[];
  readonly good: boolean;
}

async function ovfOverVdsm(lab: Lab): Promise<Outside> {
  const { dataCenter, heDomain, vm } = lab.fixture;
  const pool = new HostPool(lab.ready.hosts);
  const { signal } = new AbortController();
  try {
    const spm = await pool.spm(dataCenter.id, signal);
    const lines: string[] = [];
    let good = 0;
    for (const volume of await findOvfStores(spm, heDomain.id, signal)) {
      const copy = await readCopy(spm, { pool: dataCenter.id, domain: heDomain.id }, volume, signal);
      const described = describeOvf(copy.ovfs?.get(vm.id) ?? '');
      if (!described.ok) {
        lines.push(`  OVF_STORE ${volume.volume}: no OVF of the engine VM (${copy.fault ?? 'not in it'})`);
        continue;
      }
      const { name, memoryMb, vcpus, disks, nics, origin } = described.description;
      good += 1;
      lines.push(`  OVF_STORE ${volume.volume}, read through ${spm.name}:`);
      lines.push(
        `    ${name}: ${memoryMb} MB, ${vcpus} CPUs, ${disks.length} disk, ${nics.length} NIC, origin ${origin ?? 'none'}`,
      );
    }
    return { lines, good: good === 2 };
  } finally {
    await pool.close();
  }
}

async function vmInEngine(lab: Lab): Promise<Outside> {
  const engine = labEngine(lab);
  try {
    const vm = await engine.vm(lab.fixture.vm.id);
    const good = vm.origin === 'managed_hosted_engine' && vm.deleteProtected;
    return {
      lines: [
        `  GET /ovirt-engine/api/vms/${vm.id}`,
        `    name ${vm.name}, status ${vm.status}, origin ${vm.origin ?? 'none'}, delete_protected ${vm.deleteProtected}`,
      ],
      good,
    };
  } finally {
    await engine.close();
  }
}

async function backups(archive: Archive): Promise<Outside> {
  const objects = await archive.list('');
  const manifests = objects.filter((object) => object.key.endsWith('manifest.json'));
  return {
    lines: [
      `  ${objects.length} objects, ${manifests.length} manifests:`,
      ...manifests.map((object) => `    ${object.key}`),
    ],
    good: manifests.length >= 2,
  };
}

/** Looks at everything; `good` says whether the upgrade holds. */
export async function lookFromOutside(lab: Lab, archive: Archive): Promise<Outside> {
  const parts = [await ovfOverVdsm(lab), await vmInEngine(lab), await backups(archive)];
  const titles = ['Storage, over VDSM', 'Engine, over its REST API', 'Backups in S3'];
  return {
    lines: parts.flatMap((part, index) => [`${titles[index] ?? ''}:`, ...part.lines]),
    good: parts.every((part) => part.good),
  };
}
