import type { Archive } from '../../activities/archive/client.ts';
import { listBackups } from '../../activities/archive/backups.ts';
import type { Lab } from '../lab/lab.ts';
import { engineHasReadItsOvf, memoryInCopies } from './archive.ts';
import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

/** Host id of a host that was removed from the engine: nobody cleaned its slot. */
export const LEFT_OVER_SLOT = 9;

export function leaveSlotBehind(lab: Lab, change: { readonly stopped?: boolean } = {}): void {
  lab.storage.writeHostBlock({
    timestamp: 5021,
    hostId: LEFT_OVER_SLOT,
    score: 0,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' },
    hostname: 'host9',
    localMaintenance: false,
    stopped: change.stopped ?? true,
    confTimestamp: 5020,
    state: 'AgentStopped',
  });
}

/** The second copy is from before somebody gave the engine VM more memory. */
export async function staleCopies(lab: Lab): Promise<void> {
  const { heDomain, vm } = lab.fixture;
  const [store] = await lab.storage.readOvfStores(heDomain.id);
  const old = (store?.ovfs.get(vm.id) ?? '').replaceAll(String(vm.memoryMb), '2048');
  await lab.storage.writeOvfStores(heDomain.id, new Map([[vm.id, old]]), new Date('2026-01-01T02:00:00Z'));
}

async function outside(lab: Lab, archive: Archive): Promise<Facts> {
  const { fixture, storage } = lab;
  const { backups } = await listBackups(archive, fixture.cluster.name);
  return {
    'left-over slot is empty': storage.hostBlock(LEFT_OVER_SLOT) === undefined,
    'slots of the hosts': fixture.hosts.filter(({ spmId }) => storage.hostBlock(spmId) !== undefined).length,
    'OVF_STORE copies as the engine’s VM': (await memoryInCopies(lab)).filter((mb) => mb === fixture.vm.memoryMb)
      .length,
    'more than one backup of the state before': backups.filter(({ phase }) => phase === 'before').length > 1,
    'hosts that run the engine VM': hostsRunningTheVm(lab).length,
    'global maintenance in the HA metadata': storage.globalMaintenance(),
  };
}

export const RECONCILE: Play = {
  name: 'reconcile',
  title: 'A slot that a removed host left and stale OVF_STORE copies are found and repaired',
  lab: { managed: true },
  prepare: async (lab) => {
    await engineHasReadItsOvf(lab);
    leaveSlotBehind(lab);
    await staleCopies(lab);
  },
  request: (lab) => ({ ...playRequest(lab), operation: 'reconcile', repair: ['safe'] }),
  outside,
  expected: {
    'left-over slot is empty': true,
    'slots of the hosts': 3,
    'OVF_STORE copies as the engine’s VM': 2,
    'more than one backup of the state before': false,
    'hosts that run the engine VM': 1,
    'global maintenance in the HA metadata': false,
  },
  lastAbortable: 2,
};
