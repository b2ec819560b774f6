/** Lays out a new lab's storage. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { LabDomain, LabFixture, LabImage } from '../fixture.ts';
import { configurationTar } from './configuration.ts';
import { uuidFrom } from './ids.ts';
import { importVmOvf, importVms } from './import-vms.ts';
import { LabStorage } from './lab-storage.ts';
import { formatOvfStoreDescription, OVF_STORE_SIZE } from './ovf-store.ts';

export interface CreateStorageOptions {
  /** OVF of the engine VM in its OVF_STORE; needed when the fixture is `managed`. */
  readonly managedOvf?: string;
}

/** Description and disk type of the four hosted-engine disks (ha-agent.md 1.1, engine.md 8.4). */
const HE_DISKS = [
  ['vm', 'he_virtio_disk', 'HEVD', 'SPARSE'],
  ['lockspace', 'he_sanlock', 'HESD', 'PREALLOCATED'],
  ['metadata', 'he_metadata', 'HEMD', 'PREALLOCATED'],
  ['configuration', 'HostedEngineConfigurationImage', 'HECI', 'PREALLOCATED'],
] as const;

/** Ids of a domain's two OVF_STORE disks. */
export function ovfStoreImages(domainId: string): readonly LabImage[] {
  return ['1', '2'].map((copy) => ({
    image: uuidFrom(domainId, 'ovf-store-image', copy),
    volume: uuidFrom(domainId, 'ovf-store-volume', copy),
    sizeBytes: OVF_STORE_SIZE,
  }));
}

async function addOvfStores(storage: LabStorage, domain: LabDomain, ovfs: ReadonlyMap<string, string>): Promise<void> {
  for (const { image, volume, sizeBytes } of ovfStoreImages(domain.id)) {
    const description = formatOvfStoreDescription({ domainId: domain.id, updated: false });
    storage.createVolume(domain.id, { image, volume, sizeBytes, disktype: 'OVFS', description });
  }
  await storage.writeOvfStores(domain.id, ovfs);
}

async function createHeDomain(storage: LabStorage, fixture: LabFixture): Promise<void> {
  storage.createDomain(fixture.heDomain);
  for (const [disk, description, disktype, type] of HE_DISKS) {
    const { image, volume, sizeBytes } = fixture.heDisks[disk];
    storage.createVolume(fixture.heDomain.id, { image, volume, sizeBytes, disktype, type, description });
  }
  const file = openSync(storage.configurationPath, 'r+');
  writeSync(file, await configurationTar(fixture, new Date()), 0, null, 0);
  closeSync(file);
  storage.linkHaFiles();
  storage.setGlobalMaintenance(false);
  for (const [index, host] of fixture.hosts.entries()) {
    const up = index === 0;
    storage.writeHostBlock({
      timestamp: 1,
      hostId: host.spmId,
      score: 3400,
      engineStatus: up
        ? { vm: 'up', health: 'good', detail: 'Up' }
        : { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' },
      hostname: host.name,
      localMaintenance: false,
      stopped: false,
      confTimestamp: 1,
      state: up ? 'EngineUp' : 'EngineDown',
    });
  }
}

/**
 * Writes the three domains of the fixture: the active master, the hosted-engine domain (attached only when `managed`), and
 * the import domain with two VMs. Meant for a folder that holds no storage yet.
 * @throws TypeError when the fixture is managed and no OVF is given.
 */
export async function createLabStorage(fixture: LabFixture, options: CreateStorageOptions = {}): Promise<LabStorage> {
  if (fixture.managed && options.managedOvf === undefined) {
    throw new TypeError('a managed lab needs the OVF of the engine VM');
  }
  const storage = LabStorage.open(fixture);
  if (fixture.bare === true) {
    for (const at of [fixture.heDomain, fixture.masterDomain, fixture.importDomain]) storage.createExport(at);
    return storage;
  }
  const pools = [fixture.dataCenter.id];
  storage.createDomain(fixture.masterDomain);
  await addOvfStores(storage, fixture.masterDomain, new Map());
  storage.updateDomain(fixture.masterDomain.id, { role: 'Master', pools });

  await createHeDomain(storage, fixture);
  if (fixture.managed && options.managedOvf !== undefined) {
    await addOvfStores(storage, fixture.heDomain, new Map([[fixture.vm.id, options.managedOvf]]));
    storage.updateDomain(fixture.heDomain.id, { pools });
  }

  storage.createDomain(fixture.importDomain);
  const date = new Date();
  const ovfs = new Map<string, string>();
  for (const vm of importVms(fixture)) {
    const description = JSON.stringify({ DiskAlias: `${vm.name}_Disk1`, DiskDescription: '' });
    storage.createVolume(fixture.importDomain.id, { ...vm.disk, description });
    ovfs.set(vm.id, importVmOvf(vm, fixture, date));
  }
  await addOvfStores(storage, fixture.importDomain, ovfs);
  return storage;
}
