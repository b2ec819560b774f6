import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BLANK_UUID, ovfStoreImages } from '../storage/index.ts';
import { RawStomp, startTestLab, stream, type TestLab, until } from './lab-for-tests.ts';

let lab: TestLab;
let spm: RawStomp;
let other: RawStomp;
beforeAll(async () => {
  lab = await startTestLab(2, {}, { taskMs: 10_000 });
  spm = await RawStomp.open(lab, lab.host(1));
  other = await RawStomp.open(lab, lab.host(2));
});
afterEach(() => lab.faults.clear());
afterAll(async () => {
  spm.close();
  other.close();
  await lab.close();
});

const newVolume = (change: object = {}) => ({
  volumeID: randomUUID(),
  storagepoolID: lab.fixture.dataCenter.id,
  storagedomainID: lab.fixture.heDomain.id,
  imageID: randomUUID(),
  size: String(128 * 1024 * 1024),
  volFormat: 5,
  preallocate: 2,
  diskType: 'OVFS',
  desc: '{"Disk Description":"OVF_STORE"}',
  srcImgUUID: BLANK_UUID,
  srcVolUUID: BLANK_UUID,
  ...change,
});

describe('Volume.create', () => {
  it('is a task; the volume is there only when it has ended, and other hosts see it', async () => {
    const params = newVolume();
    const id = await spm.call('Volume.create', params);
    expect(await spm.call('Task.getStatus', { taskID: String(id) })).toMatchObject({
      taskState: 'running',
      taskResult: '',
    });
    await expect(spm.call('Volume.getInfo', params)).rejects.toMatchObject({ code: 254 });
    await expect(spm.call('Task.clear', { taskID: String(id) })).rejects.toMatchObject({ code: 403 });
    expect(await spm.task(id)).toMatchObject({ taskResult: 'success', code: 0 });
    expect(await other.call('Volume.getInfo', params)).toMatchObject({
      capacity: '134217728',
      apparentsize: '134217728',
      type: 'SPARSE',
      format: 'RAW',
      disktype: 'OVFS',
      voltype: 'LEAF',
      status: 'OK',
      description: params.desc,
      pool: '',
      children: [],
    });
    expect(await spm.call('Task.clear', { taskID: String(id) })).toBe(true);
    await expect(spm.call('Task.getStatus', { taskID: String(id) })).rejects.toMatchObject({ code: 401 });
  });

  it('twice with the same ids: 212 in the task, rolled back', async () => {
    const params = newVolume();
    await spm.task(await spm.call('Volume.create', params));
    expect(await spm.task(await spm.call('Volume.create', params))).toMatchObject({
      taskResult: 'cleanSuccess',
      code: 212,
    });
  });

  it('is refused at once: not the SPM, unknown pool, unknown domain, a number as size, no UUID', async () => {
    await expect(other.call('Volume.create', newVolume())).rejects.toMatchObject({ code: 654 });
    await expect(spm.call('Volume.create', newVolume({ storagepoolID: randomUUID() }))).rejects.toMatchObject({
      code: 309,
    });
    await expect(spm.call('Volume.create', newVolume({ storagedomainID: randomUUID() }))).rejects.toMatchObject({
      code: 358,
    });
    await expect(spm.call('Volume.create', newVolume({ size: 134_217_728 }))).rejects.toMatchObject({ code: 1000 });
    await expect(spm.call('Volume.create', newVolume({ imageID: 'X' }))).rejects.toMatchObject({ code: 1000 });
  });

  it('storage full: the task fails and nothing is left', async () => {
    lab.faults.inject({ kind: 'storage-full', times: 1 });
    const params = newVolume();
    expect(await spm.task(await spm.call('Volume.create', params))).toMatchObject({
      taskResult: 'cleanSuccess',
      code: 397,
      message: `No space left on domain ${params.storagedomainID}: '${params.storagedomainID}'`,
    });
    await expect(spm.call('Volume.getInfo', params)).rejects.toMatchObject({ code: 254 });
    expect(await spm.task(await spm.call('Volume.create', params))).toMatchObject({ taskResult: 'success' });
  });

  it('the answer is lost by a cut: the volume is created all the same', async () => {
    lab.faults.inject({ kind: 'vdsm-cut', verb: 'Volume.create', times: 1 });
    const client = await RawStomp.open(lab, lab.host(1));
    const params = newVolume();
    await expect(client.call('Volume.create', params)).rejects.toThrow('lost');
    await until('volume', () =>
      spm.call('Volume.getInfo', params).then(
        (info) => info !== null,
        () => false,
      ),
    );
  });
});

describe('volumes and images', () => {
  it('Volume.getInfo reads the files: a damaged .meta is INVALID', async () => {
    const params = newVolume();
    await spm.task(await spm.call('Volume.create', params));
    const file = lab.storage.volume(params.storagedomainID, params.imageID, params.volumeID);
    writeFileSync(`${file?.path}.meta`, 'DOMAIN=x\nEOF\n');
    expect(await spm.call('Volume.getInfo', params)).toMatchObject({
      status: 'INVALID',
      apparentsize: '0',
      truesize: '0',
    });
  });

  it('Volume.setDescription is for the SPM and lands in the .meta file', async () => {
    const params = newVolume();
    await spm.task(await spm.call('Volume.create', params));
    await expect(other.call('Volume.setDescription', { ...params, description: 'x' })).rejects.toMatchObject({
      code: 654,
    });
    expect(await spm.call('Volume.setDescription', { ...params, description: 'x' })).toBe(true);
    const file = lab.storage.volume(params.storagedomainID, params.imageID, params.volumeID);
    expect(readFileSync(`${file?.path}.meta`, 'utf8')).toContain('DESCRIPTION=x\n');
  });

  it('Volume.refresh takes positional parameters in the order of the schema', async () => {
    const { image, volume } = lab.fixture.heDisks.metadata;
    const params = [volume, BLANK_UUID, lab.fixture.heDomain.id, image];
    spm.request(JSON.stringify({ jsonrpc: '2.0', method: 'Volume.refresh', params, id: 'refresh' }));
    expect(await spm.json()).toEqual({ jsonrpc: '2.0', id: 'refresh', result: true });
  });

  it('Image.prepare gives a path that reads the volume, until teardown', async () => {
    const { image, volume } = lab.fixture.heDisks.metadata;
    const params = {
      storagepoolID: BLANK_UUID,
      storagedomainID: lab.fixture.heDomain.id,
      imageID: image,
      volumeID: volume,
    };
    const { path } = (await other.call('Image.prepare', params)) as { path: string };
    expect(readFileSync(path).subarray(0, 13).toString()).toBe('maintenance=0');
    expect(await other.call('Image.teardown', params)).toBe(true);
    expect(existsSync(path)).toBe(false);
    await expect(other.call('Image.prepare', { ...params, volumeID: randomUUID() })).rejects.toMatchObject({
      code: 201,
    });
  });

  it('lists images and volumes; a deleted image is gone', async () => {
    const params = newVolume();
    await spm.task(await spm.call('Volume.create', params));
    const domain = { storagedomainID: params.storagedomainID };
    expect(await spm.call('StorageDomain.getImages', domain)).toContain(params.imageID);
    const all = { ...domain, storagepoolID: BLANK_UUID, imageID: BLANK_UUID };
    expect(await spm.call('StorageDomain.getVolumes', all)).toContain(params.volumeID);
    expect(await spm.call('Image.getVolumes', params)).toEqual([params.volumeID]);
    await spm.task(await spm.call('Image.delete', { ...params, postZero: 'false', force: 'false' }));
    expect(await spm.call('StorageDomain.getImages', domain)).not.toContain(params.imageID);
    await expect(spm.call('Image.delete', params)).rejects.toMatchObject({ code: 268 });
  });
});

describe('data streams', () => {
  const ids = (change: object = {}) => {
    const [store] = ovfStoreImages(lab.fixture.masterDomain.id);
    return {
      'Storage-Pool-Id': lab.fixture.dataCenter.id,
      'Storage-Domain-Id': lab.fixture.masterDomain.id,
      'Image-Id': store?.image ?? '',
      'Volume-Id': store?.volume ?? '',
      ...change,
    };
  };
  const put = (body: Buffer, change: object = {}, n = 1) =>
    stream(lab, lab.host(n), 'PUT', { ...ids(change), 'content-length': String(body.length) }, body);

  it('PUT replaces the file and names a task; GET reads it back', async () => {
    const body = Buffer.alloc(300_000, 'abcdefg');
    const answer = await put(body);
    expect(answer.status).toBe(200);
    expect(await spm.task(answer.headers['task-id'])).toMatchObject({ taskResult: 'success' });
    const back = await stream(lab, lab.host(1), 'GET', { ...ids(), Range: 'bytes=0-299999' });
    expect(back.status).toBe(206);
    expect(back.headers['content-range']).toBe('bytes 0-299999');
    expect(back.headers['content-length']).toBe('300000');
    expect(back.body.equals(body)).toBe(true);
    const file = lab.storage.volume(lab.fixture.masterDomain.id, ids()['Image-Id'], ids()['Volume-Id']);
    expect(file?.apparentSize).toBe(300_000);
  });

  it('works on a domain outside the pool: VDSM does not check that', async () => {
    const params = newVolume();
    await spm.task(await spm.call('Volume.create', params));
    const where = {
      'Storage-Domain-Id': params.storagedomainID,
      'Image-Id': params.imageID,
      'Volume-Id': params.volumeID,
    };
    expect((await put(Buffer.from('x'), where)).status).toBe(200);
  });

  it.each([
    ['not the SPM', {}, 2, 654],
    ['another pool', { 'Storage-Pool-Id': randomUUID() }, 1, 309],
    ['no such domain', { 'Storage-Domain-Id': randomUUID() }, 1, 358],
  ])('%s is a 500 with the status object', async (_, change, n, code) => {
    const answer = await put(Buffer.from('x'), change, n);
    expect(answer.status).toBe(500);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status: { code } });
  });

  it('missing headers are 400, a missing length 411', async () => {
    expect((await put(Buffer.from('x'), { 'Image-Id': '' })).status).toBe(400);
    expect((await stream(lab, lab.host(1), 'GET', ids())).status).toBe(400);
    expect((await stream(lab, lab.host(1), 'GET', { ...ids(), Range: 'bytes=5-9' })).status).toBe(400);
    const chunked = { ...ids(), 'transfer-encoding': 'chunked' };
    expect((await stream(lab, lab.host(1), 'PUT', chunked, Buffer.from('x'))).status).toBe(411);
  });

  it('a missing volume and a full disk fail in the task only', async () => {
    const missing = await put(Buffer.from('x'), { 'Volume-Id': randomUUID() });
    expect(missing.status).toBe(200);
    expect(await spm.task(missing.headers['task-id'])).toMatchObject({ taskResult: 'cleanSuccess', code: 201 });
    lab.faults.inject({ kind: 'storage-full', times: 1 });
    const full = await put(Buffer.from('x'));
    expect(await spm.task(full.headers['task-id'])).toMatchObject({ taskResult: 'cleanSuccess', code: 2002 });
  });

  it('a cut PUT leaves half of the content', async () => {
    await put(Buffer.alloc(100_000, 'old'));
    lab.faults.inject({ kind: 'vdsm-cut', verb: 'PUT', times: 1 });
    await expect(put(Buffer.alloc(100_000, 'new'))).rejects.toThrow();
    const file = lab.storage.volume(lab.fixture.masterDomain.id, ids()['Image-Id'], ids()['Volume-Id']);
    expect(file?.apparentSize).toBe(50_000);
    expect((await put(Buffer.alloc(100_000, 'new'))).status).toBe(200);
  });
});

describe('pool and domains', () => {
  it('mounts an export, then shows its domain; an unknown export fails, an empty list is 1000', async () => {
    const { importDomain } = lab.fixture;
    const info = { storagedomainID: importDomain.id };
    await expect(other.call('StorageDomain.getInfo', info)).rejects.toMatchObject({ code: 358 });
    const server = (verb: string, connection: string, domainType = 1) =>
      other.call(`StoragePool.${verb}`, {
        storagepoolID: BLANK_UUID,
        domainType,
        connectionParams: [{ id: 'c1', connection, protocol_version: 'auto' }],
      });
    const connect = (connection: string, domainType = 1) => server('connectStorageServer', connection, domainType);
    const nowhere = `${importDomain.server}:/nowhere`;
    // VDSM 4.5 knows "mount failed" for POSIX and gluster only; NFS gets the general code.
    expect(await connect(nowhere)).toEqual([{ id: 'c1', status: 100 }]);
    expect(await connect(nowhere, 7)).toEqual([{ id: 'c1', status: 477 }]);
    expect(await server('disconnectStorageServer', nowhere)).toEqual([{ id: 'c1', status: 100 }]);
    expect(await connect(`${importDomain.server}:${importDomain.path}/`)).toEqual([{ id: 'c1', status: 0 }]);
    expect(await other.call('StorageDomain.getInfo', info)).toMatchObject({
      pool: [],
      type: 'NFS',
      class: 'Data',
      version: '5',
    });
    expect(await other.call('Host.getStorageDomains')).toContain(importDomain.id);
    const empty = { storagepoolID: BLANK_UUID, domainType: 1, connectionParams: [] };
    await expect(other.call('StoragePool.connectStorageServer', empty)).rejects.toMatchObject({ code: 1000 });
  });

  it('reports pool, SPM and monitored domains', async () => {
    const pool = { storagepoolID: lab.fixture.dataCenter.id };
    expect(await spm.call('StoragePool.getSpmStatus', pool)).toMatchObject({ spmStatus: 'SPM', spmId: 1 });
    expect(await other.call('StoragePool.getSpmStatus', pool)).toMatchObject({ spmStatus: 'Free', spmId: 1 });
    expect(await spm.call('StoragePool.getInfo', pool)).toMatchObject({
      info: { master_uuid: lab.fixture.masterDomain.id, domains: `${lab.fixture.masterDomain.id}:Active` },
    });
    await expect(other.call('StoragePool.getInfo', { storagepoolID: BLANK_UUID })).rejects.toMatchObject({ code: 309 });
    const vitals = (await other.call('Host.getStorageRepoStats')) as Record<string, unknown>;
    expect(Object.keys(vitals).sort()).toEqual([lab.fixture.masterDomain.id, lab.fixture.heDomain.id].sort());
    expect(vitals[lab.fixture.heDomain.id]).toMatchObject({ valid: true, acquired: true, code: 0 });
    await expect(other.call('Host.getAllTasksStatuses')).rejects.toMatchObject({ code: 654 });
  });

  it('attaches, activates, deactivates and detaches a domain on the SPM', async () => {
    const { importDomain, dataCenter } = lab.fixture;
    const connectionParams = [{ id: 'c', connection: `${importDomain.server}:${importDomain.path}` }];
    for (const client of [spm, other]) {
      await client.call('StoragePool.connectStorageServer', {
        storagepoolID: BLANK_UUID,
        domainType: 1,
        connectionParams,
      });
    }
    const both = { storagedomainID: importDomain.id, storagepoolID: dataCenter.id };
    await expect(other.call('StorageDomain.attach', both)).rejects.toMatchObject({ code: 654 });
    await expect(spm.call('StorageDomain.activate', both)).rejects.toMatchObject({ code: 375 });
    await spm.call('StorageDomain.attach', both);
    await expect(spm.call('StorageDomain.attach', both)).rejects.toMatchObject({ code: 380 });
    await spm.call('StorageDomain.activate', both);
    expect(lab.storage.domain(importDomain.id).metadata.pools).toEqual([dataCenter.id]);
    expect(await other.call('Host.getStorageRepoStats')).toHaveProperty(importDomain.id);
    await expect(other.call('Host.stopMonitoringDomain', { sdUUID: importDomain.id })).rejects.toMatchObject({
      code: 900,
    });
    await spm.call('StorageDomain.deactivate', both);
    await spm.call('StorageDomain.detach', both);
    expect(lab.storage.domain(importDomain.id).metadata.pools).toEqual([]);
  });
});
