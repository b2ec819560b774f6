/**
 * What a finished upgrade leaves behind, looked up from outside and freed of what differs from run to run, so that the
 * end of a disturbed run can be compared with that of an undisturbed one.
 */
import type { Archive } from '../../activities/archive/client.ts';
import { backupFolder, manifestKey } from '../../activities/archive/keys.ts';
import { EngineClient } from '../../activities/engine/client.ts';
import { readFileSync } from 'node:fs';
import { otherVm } from './storage-states.ts';
import type { Lab } from '../lab/lab.ts';

export interface EndState {
  readonly vm: {
    readonly origin: string;
    readonly deleteProtected: boolean;
    readonly sameId: boolean;
    readonly status: string;
  };
  /** VMs of that name in the engine: more than one would be a double import. */
  readonly vmsOfThatName: number;
  readonly heDomain: { readonly status: string; readonly times: number };
  readonly ovfStoreDisks: number;
  readonly validCopies: number;
  /** OVFs in the copies that hold the engine VM, beside the engine VM's own. */
  readonly otherOvfs: number;
  readonly volumesOnDomain: number;
  readonly globalMaintenance: boolean;
  readonly hostsRunningTheVm: number;
  readonly manifests: number;
}

export function labEngine(lab: Lab): EngineClient {
  const { url, ca, user, passwordFile } = lab.ready.engine;
  return new EngineClient({
    baseUrl: url,
    caFile: ca,
    user,
    password: () => readFileSync(passwordFile, 'utf8').trim(),
  });
}

async function storageState(lab: Lab) {
  const { heDomain, vm } = lab.fixture;
  const volumes = lab.storage.volumes(heDomain.id);
  const stores = await lab.storage.readOvfStores(heDomain.id);
  const holding = stores.filter((store) => store.ovfs.has(vm.id));
  return {
    ovfStoreDisks: stores.length,
    validCopies: holding.length,
    otherOvfs: holding.filter((store) => store.ovfs.has(otherVm(lab).id)).length,
    volumesOnDomain: volumes.length,
    globalMaintenance: lab.storage.globalMaintenance(),
  };
}

export async function endState(lab: Lab, archive: Archive, operationId: string): Promise<EndState> {
  const engine = labEngine(lab);
  try {
    const { vm: wanted, heDomain, dataCenter } = lab.fixture;
    const vms = (await engine.vms()).filter((vm) => vm.name === wanted.name);
    const vm = vms.find((candidate) => candidate.id === wanted.id);
    const domains = (await engine.dataCenterStorageDomains(dataCenter.id)).filter(
      (domain) => domain.id === heDomain.id,
    );
    const running = [...lab.world.hosts.values()].filter((host) => {
      const found = host.vms.get(wanted.id);
      return host.alive && found !== undefined && found.status !== 'Down';
    });
    const { name } = lab.fixture.cluster;
    const manifests = (['before', 'after'] as const).map((phase) =>
      manifestKey(backupFolder(name, operationId, phase)),
    );
    const objects = await archive.list('');
    return {
      vm: {
        origin: vm?.origin ?? 'missing',
        deleteProtected: vm?.deleteProtected ?? false,
        sameId: vm !== undefined,
        status: vm?.status ?? 'missing',
      },
      vmsOfThatName: vms.length,
      heDomain: { status: domains[0]?.status ?? 'missing', times: domains.length },
      ...(await storageState(lab)),
      hostsRunningTheVm: running.length,
      manifests: objects.filter((object) => manifests.includes(object.key)).length,
    };
  } finally {
    await engine.close();
  }
}
