import { describeOvf } from '../../activities/ovf/read-ovf.ts';
import { labEngine } from '../faults/end-state.ts';
import type { Lab } from '../lab/lab.ts';
import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

const MIB = 2 ** 20;

/** What each copy on storage says, and the engine. */
async function outside(lab: Lab): Promise<Facts> {
  const engine = labEngine(lab);
  try {
    const vm = await engine.vm(lab.fixture.vm.id);
    const stores = await lab.storage.readOvfStores(lab.fixture.heDomain.id);
    const copies = stores.map((store) => {
      const read = describeOvf(store.ovfs.get(vm.id) ?? '');
      return read.ok ? `${read.description.memoryMb} MiB, ${read.description.vcpus} CPUs` : 'no OVF';
    });
    return {
      'engine: memory (MiB)': (vm.memoryBytes ?? 0) / MIB,
      'engine: description': vm.description,
      'storage: copy 1': copies[0] ?? 'none',
      'storage: copy 2': copies[1] ?? 'none',
      'hosts that run the engine VM': hostsRunningTheVm(lab).length,
    };
  } finally {
    await engine.close();
  }
}

export const EDIT: Play = {
  name: 'edit',
  title: 'The engine VM gets more memory and processors, and both OVFs on storage have it',
  lab: { managed: true },
  request: (lab) => ({
    ...playRequest(lab),
    operation: 'edit-engine-vm',
    change: { memoryMiB: 20_480, cpu: { sockets: 6, cores: 1, threads: 1 }, description: 'grown by CHG0001234' },
  }),
  outside,
  expected: {
    'engine: memory (MiB)': 20_480,
    'engine: description': 'grown by CHG0001234',
    'storage: copy 1': '20480 MiB, 6 CPUs',
    'storage: copy 2': '20480 MiB, 6 CPUs',
    'hosts that run the engine VM': 1,
  },
};
