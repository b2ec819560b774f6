/** Pools and domains of a lab without a hosted engine: made and unmade through one host. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mountFolder } from '../fixture.ts';
import { RawStomp, startTestLab, type TestLab } from './lab-for-tests.ts';

let lab: TestLab;
let host: RawStomp;
beforeAll(async () => {
  lab = await startTestLab(1, { bare: true }, { taskMs: 1000 });
  host = await RawStomp.open(lab, lab.host(1));
});
afterAll(async () => {
  host.close();
  await lab.close();
});

const ID = randomUUID();
const POOL = randomUUID();
const OTHER = randomUUID();

it('a bare host has neither a hosted engine nor a pool nor a mount', async () => {
  expect(await host.call('Host.getConnectedStoragePools')).toEqual([]);
  expect(await host.call('Host.getStorageDomains')).toEqual([]);
  expect(await host.call('Host.getStats')).toMatchObject({ haStats: { configured: false, active: false, score: 0 } });
  expect(await host.call('Host.getCapabilities')).toMatchObject({ hostedEngineDeployed: false });
});

it('domain, pool and SPM are made one after the other, and unmade in reverse order', async () => {
  const { server, path } = lab.fixture.heDomain;
  const at = `${server}:${path}`;
  const connectionParams = [{ id: randomUUID(), connection: at }];
  await host.call('StoragePool.connectStorageServer', { storagepoolID: POOL, domainType: 1, connectionParams });
  const domain = { storagedomainID: ID, domainType: 1, typeArgs: at, name: 'he', domainClass: 1, version: 5 };
  await host.call('StorageDomain.create', domain);
  const pool = { storagepoolID: POOL, masterSdUUID: ID, masterVersion: 1 };
  await host.call('StoragePool.create', { ...pool, name: 'p', domainList: [ID] });
  await expect(host.call('StoragePool.create', { ...pool, name: 'p', domainList: [ID] })).rejects.toMatchObject({
    code: 380,
  });
  await expect(host.call('StoragePool.getSpmStatus', { storagepoolID: POOL })).rejects.toMatchObject({ code: 309 });
  await host.call('StoragePool.connect', { ...pool, hostID: 1, scsiKey: POOL, domainDict: { [ID]: 'active' } });
  expect(await host.task(await host.call('StoragePool.spmStart', { storagepoolID: POOL }))).toMatchObject({ code: 0 });
  expect(await host.call('StoragePool.getSpmStatus', { storagepoolID: POOL })).toMatchObject({ spmStatus: 'SPM' });

  const gone = { storagepoolID: POOL, hostID: 1, scsiKey: POOL };
  await expect(host.call('StoragePool.destroy', gone)).rejects.toMatchObject({ code: 656 });
  await host.call('StoragePool.spmStop', { storagepoolID: POOL });
  await expect(host.call('StorageDomain.format', { storagedomainID: ID, autoDetach: false })).rejects.toMatchObject({
    code: 380,
  });
  await expect(host.call('StoragePool.destroy', { ...gone, storagepoolID: OTHER })).rejects.toMatchObject({
    code: 309,
  });
  await host.call('StoragePool.destroy', gone);
  expect(await host.call('StorageDomain.getInfo', { storagedomainID: ID })).toMatchObject({
    pool: [],
    role: 'Regular',
  });
  await host.call('StorageDomain.format', { storagedomainID: ID, autoDetach: false });
  await expect(host.call('StorageDomain.getInfo', { storagedomainID: ID })).rejects.toMatchObject({ code: 358 });
  expect(existsSync(join(lab.storage.root, mountFolder(lab.fixture.heDomain), ID))).toBe(false);
});
