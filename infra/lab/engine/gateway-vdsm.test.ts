import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startTestLab, type TestLab } from '../vdsm/lab-for-tests.ts';
import type { HostRef, StorageConnection } from './gateway.ts';
import { VdsmGateway } from './gateway-vdsm.ts';

let lab: TestLab;
let gateway: VdsmGateway;
beforeAll(async () => {
  lab = await startTestLab();
  gateway = new VdsmGateway(lab.fixture);
  lab.world.startEngineVm('host1');
  // This lab's ports are not in its fixture: the gateway learns them by meeting the hosts.
  for (const n of [1, 2, 3]) await gateway.hostStats(ref(n));
});
afterAll(async () => {
  await gateway.close();
  await lab.close();
});

function ref(n: number): HostRef {
  const { config } = { config: lab.fixture.hosts[n - 1] };
  if (config === undefined) throw new Error(`no host ${n}`);
  return { id: config.id, name: config.name, address: config.address, port: lab.host(n).port, spmId: n };
}

function connection(domain: 'heDomain' | 'importDomain' | 'masterDomain'): StorageConnection {
  const { server, path } = lab.fixture[domain];
  return { id: randomUUID(), type: 'nfs', address: server, path };
}

it('tells HA state, memory, SPM and VMs of a host, and fails for one that is down', async () => {
  expect(await gateway.hostStats(ref(1))).toMatchObject({
    spm: true,
    ha: { configured: true, active: true },
    vms: [{ id: lab.fixture.vm.id }],
  });
  const second = await gateway.hostStats(ref(2));
  expect([second.spm, second.vms, second.memoryBytes > 1024 ** 3]).toEqual([false, [], true]);
  await gateway.setHaMaintenance(ref(2), 'LOCAL', true);
  expect((await gateway.hostStats(ref(2))).ha).toMatchObject({ localMaintenance: true, globalMaintenance: false });
  await gateway.setHaMaintenance(ref(1), 'GLOBAL', true);
  expect((await gateway.hostStats(ref(3))).ha.globalMaintenance).toBe(true);
  lab.faults.inject({
    kind: 'vdsm-error',
    host: 'host3',
    verb: 'Host.getStats',
    code: 100,
    message: 'broken',
    times: 1,
  });
  await expect(gateway.hostStats(ref(3))).rejects.toThrow();
});

it('finds the domain that lies on a path and attaches it through the SPM, whichever host is asked', async () => {
  const at = connection('importDomain');
  await gateway.connectStorage(ref(2), at);
  await gateway.connectStorage(ref(1), at);
  const { dataCenter, importDomain } = lab.fixture;
  expect(await gateway.listDomains(ref(2), at)).toMatchObject([
    { id: importDomain.id, name: 'import1', format: 'v5', pools: [] },
  ]);
  await gateway.attachDomain(ref(2), dataCenter.id, importDomain.id);
  await gateway.activateDomain(ref(2), dataCenter.id, importDomain.id);
  await gateway.attachDomain(ref(2), dataCenter.id, importDomain.id);
  expect(await gateway.listDomains(ref(2), at)).toMatchObject([{ pools: [dataCenter.id] }]);
  const stores = await gateway.readOvfStores(ref(2), dataCenter.id, importDomain.id);
  expect(stores.map((store) => store.entries.filter((entry) => entry.name.endsWith('.ovf')).length)).toEqual([2, 2]);
  expect(
    (await gateway.listVolumes(ref(2), dataCenter.id, importDomain.id)).map((one) => one.diskType).toSorted(),
  ).toEqual(['DATA', 'DATA', 'OVFS', 'OVFS']);
});

it('writes both OVF_STORE copies so that they read back, and says when there is none', async () => {
  const { dataCenter, importDomain, masterDomain } = lab.fixture;
  const entries = [
    { name: 'info.json', text: '{}' },
    { name: `${randomUUID()}.ovf`, text: '<ovf>ä</ovf>' },
  ];
  await gateway.writeOvfStores(ref(1), dataCenter.id, importDomain.id, entries);
  const stores = await gateway.readOvfStores(ref(1), dataCenter.id, importDomain.id);
  expect(stores.map((store) => [store.updated, store.entries])).toEqual([
    [true, entries],
    [true, entries],
  ]);
  await gateway.connectStorage(ref(1), connection('heDomain'));
  await expect(gateway.readOvfStores(ref(1), dataCenter.id, randomUUID())).rejects.toThrow();
  expect(await gateway.domainStats(ref(1), masterDomain.id)).toMatchObject({
    total: expect.any(Number),
    free: expect.any(Number),
  });
});

it('creates and deletes volumes', async () => {
  const { dataCenter, masterDomain } = lab.fixture;
  const volume = {
    image: randomUUID(),
    volume: randomUUID(),
    capacity: 1024 * 1024,
    format: 'raw',
    sparse: true,
    diskType: 'DATA',
    description: '{"DiskAlias":"d"}',
  } as const;
  await gateway.createVolume(ref(1), dataCenter.id, masterDomain.id, volume);
  const known = async () =>
    (await gateway.listVolumes(ref(1), dataCenter.id, masterDomain.id)).find((one) => one.image === volume.image);
  expect(await known()).toMatchObject({ ...volume, legal: true });
  await gateway.deleteImage(ref(1), dataCenter.id, masterDomain.id, volume.image);
  expect(await known()).toBeUndefined();
});
