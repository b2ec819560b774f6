/** States of the hosted-engine domain that an upgrade may find. */
import type { Lab } from '../lab/lab.ts';
import { importVmOvf, importVms, ovfStoreImages, formatOvfStoreDescription } from '../lab/storage/index.ts';

/** A VM that lies on the domain although only the engine's should: its OVF must not be lost. */
export function otherVm(lab: Lab): { id: string; ovf: string } {
  const [vm] = importVms(lab.fixture);
  if (vm === undefined) throw new Error('the lab has no importable VM');
  return { id: vm.id, ovf: importVmOvf(vm, lab.fixture, new Date(0)) };
}

function createStores(lab: Lab): void {
  const domain = lab.fixture.heDomain.id;
  for (const { image, volume, sizeBytes } of ovfStoreImages(domain)) {
    const description = formatOvfStoreDescription({ domainId: domain, updated: false });
    lab.storage.createVolume(domain, { image, volume, sizeBytes, disktype: 'OVFS', description });
  }
}

export async function emptyStores(lab: Lab): Promise<void> {
  createStores(lab);
}

export async function validStores(lab: Lab): Promise<void> {
  createStores(lab);
  await lab.storage.writeOvfStores(lab.fixture.heDomain.id, new Map());
}

export async function otherVmInStores(lab: Lab): Promise<void> {
  createStores(lab);
  const { id, ovf } = otherVm(lab);
  await lab.storage.writeOvfStores(lab.fixture.heDomain.id, new Map([[id, ovf]]));
}

/** The second copy was left behind when somebody died while writing: marked as not updated. */
export async function staleCopy(lab: Lab): Promise<void> {
  await otherVmInStores(lab);
  const domain = lab.fixture.heDomain.id;
  const [, second] = ovfStoreImages(domain);
  if (second === undefined) throw new Error('a domain has two copies');
  lab.storage.setDescription(
    domain,
    second.image,
    second.volume,
    formatOvfStoreDescription({ domainId: domain, updated: false }),
  );
}

/** Makes another host the storage pool manager, so that the work happens where the engine VM does not run. */
export function moveSpm(lab: Lab, host: string): void {
  if (lab.world.spm !== undefined) lab.world.resignSpm(lab.world.spm);
  if (!lab.world.becomeSpm(host)) throw new Error(`${host} can't become SPM`);
}
