/** OVF of the engine VM in a lab that starts managed: made by the product's own converter from the lab's vm.conf. */
import { vmConfToOvf } from '../../activities/ovf/convert.ts';
import { problemText } from '../../activities/ovf/problems.ts';
import { parseVmConf } from '../../activities/ovf/vm-conf.ts';
import type { LabFixture } from './fixture.ts';
import { uuidFrom } from './storage/ids.ts';

const GIB = 2 ** 30;

export function managedOvf(fixture: LabFixture): string {
  const parsed = parseVmConf(fixture.vmConf);
  if (!parsed.ok) throw new Error(parsed.problems.map(problemText).join('\n'));
  const { ovf } = vmConfToOvf(parsed.conf, {
    dataCenterId: fixture.dataCenter.id,
    clusterName: fixture.cluster.name,
    clusterCompatibility: `${fixture.cluster.version.major}.${fixture.cluster.version.minor}`,
    engineVersion: '4.5.0.0',
    now: new Date(),
    snapshotId: uuidFrom(fixture.vm.id, 'snapshot'),
    disks: {
      [fixture.heDisks.vm.volume]: {
        sizeBytes: fixture.heDisks.vm.sizeBytes,
        actualBytes: 9 * GIB,
        alias: 'he_virtio_disk',
      },
    },
  });
  return ovf;
}
