import type { Archive } from '../../activities/archive/client.ts';
import { operationId } from '../../workflows/model/ids.ts';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import { endState } from '../faults/end-state.ts';
import type { Lab } from '../lab/lab.ts';
import { playRequest, type Facts, type Play } from './play.ts';

const request = (lab: Lab): UpgradeRequest => ({
  ...playRequest(lab),
  operation: 'upgrade',
  source: 'auto',
  vmConf: lab.fixture.vmConf,
});

async function outside(lab: Lab, archive: Archive): Promise<Facts> {
  const { vm, vmsOfThatName, heDomain, ...rest } = await endState(lab, archive, operationId(request(lab)));
  const { manifests: _backups, ...storage } = rest;
  return {
    'engine: origin of its VM': vm.origin,
    'engine: delete protection': vm.deleteProtected,
    'engine: VMs of that name': vmsOfThatName,
    'engine: hosted-engine domain': `${heDomain.status}, ${heDomain.times} times`,
    ...storage,
  };
}

export const UPGRADE: Play = {
  name: 'upgrade',
  title: 'An unmanaged hosted engine becomes one that manages its own VM',
  lab: {},
  request,
  outside,
  expected: {
    'engine: origin of its VM': 'managed_hosted_engine',
    'engine: delete protection': true,
    'engine: VMs of that name': 1,
    'engine: hosted-engine domain': 'active, 1 times',
    ovfStoreDisks: 2,
    validCopies: 2,
    otherOvfs: 0,
    volumesOnDomain: 6,
    globalMaintenance: false,
    hostsRunningTheVm: 1,
  },
  // The next one imports the engine VM: only forward from there.
  lastAbortable: 8,
};
