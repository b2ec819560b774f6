import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLANK_UUID, VERBS } from './verbs.ts';

const ids = { storagepoolID: 'p', storagedomainID: 'd', imageID: 'i', volumeID: 'v' };

describe('parameters on the wire', () => {
  const create = VERBS['Volume.create'];
  const ovf = { ...ids, volFormat: 'RAW', preallocate: 'SPARSE', diskType: 'OVFS', desc: '{}' } as const;

  it('Volume.create: size as decimal text, enumerations as integers, no parent', () => {
    expect(create.encode({ ...ovf, size: 134217728 })).toEqual({
      ...ids,
      size: '134217728',
      volFormat: 5,
      preallocate: 2,
      diskType: 'OVFS',
      desc: '{}',
      srcImgUUID: BLANK_UUID,
      srcVolUUID: BLANK_UUID,
    });
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 80n }), (size) => {
        expect(create.encode({ ...ovf, size })).toMatchObject({ size: size.toString() });
      }),
    );
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => create.encode({ ...ovf, size })).toThrow(RangeError);
  });

  it.each([
    ['nfs.example.test:/exports/he/', 'nfs.example.test:/exports/he'],
    ['nfs.example.test:/exports/he//', 'nfs.example.test:/exports/he'],
    ['nfs.example.test:/', 'nfs.example.test:/'],
    ['nfs.example.test:/a', 'nfs.example.test:/a'],
    ['192.0.2.7', '192.0.2.7'],
  ])('connection %s is sent as %s', (connection, expected) => {
    const encoded = VERBS['StoragePool.connectStorageServer'].encode({
      domainType: 'NFS',
      connectionParams: [{ id: 'c1', connection, password: 'secret' }],
    });
    expect(encoded).toEqual({
      storagepoolID: BLANK_UUID,
      domainType: 1,
      connectionParams: [{ id: 'c1', connection: expected, password: 'secret' }],
    });
  });

  it('StorageDomain.create and spmStart fill in what VDSM wants', () => {
    expect(
      VERBS['StorageDomain.create'].encode({
        storagedomainID: 'd',
        domainType: 'GLUSTERFS',
        typeArgs: 'g:/v',
        name: 'n',
        domainClass: 'Data',
        version: 5,
      }),
    ).toMatchObject({ domainType: 7, domainClass: 1, version: 5 });
    expect(VERBS['StoragePool.spmStart'].encode({ storagepoolID: 'p', prevID: 2 })).toMatchObject({
      prevID: 2,
      prevLver: -1,
      maxHostID: 250,
    });
  });
});

describe('results', () => {
  it('numbers as text become numbers, unknown fields stay', () => {
    const info = VERBS['Volume.getInfo'].decode({
      uuid: 'v',
      image: 'i',
      domain: 'd',
      pool: '',
      capacity: '21474836480',
      apparentsize: '1073741824',
      truesize: '0',
      format: 'RAW',
      type: 'SPARSE',
      disktype: 'OVFS',
      description: '{"Updated":true}',
      ctime: '1700000000',
      lease: { path: '/x', offset: 0, owners: [2], version: null },
    });
    expect(info).toMatchObject({ capacity: 21474836480, truesize: 0, ctime: 1700000000, pool: '' });
    expect(info.lease?.owners).toEqual([2]);
  });

  it('haStats, Python booleans and vitals', () => {
    const stats = VERBS['Host.getStats'].decode({
      haStats: { configured: true, active: true, localMaintenance: false, globalMaintenance: 'True', score: 3400 },
      cpuLoad: '0.12',
      netConfigDirty: 'False',
      storageDomains: { d: { valid: true, acquired: true, actual: true, code: 0, delay: '0.0003', lastCheck: '4.1' } },
      ksmState: false,
    });
    expect(stats.haStats).toMatchObject({ globalMaintenance: true, score: 3400 });
    expect(stats).toMatchObject({ cpuLoad: 0.12, netConfigDirty: false, ksmState: false });
    expect(stats.storageDomains?.['d']).toMatchObject({ delay: 0.0003, lastCheck: 4.1 });
  });

  it('VM.getStats is one record, never none or two', () => {
    const decode = VERBS['VM.getStats'].decode;
    expect(decode([{ vmId: 'a', status: 'Down', exitCode: 1, exitReason: 3, statusTime: '42' }])).toMatchObject({
      statusTime: 42,
      exitReason: 3,
    });
    expect(() => decode([])).toThrow();
    expect(() =>
      decode([
        { vmId: 'a', status: 'Up' },
        { vmId: 'b', status: 'Up' },
      ]),
    ).toThrow();
  });

  it('verbs without a result take whatever VDSM sends instead', () => {
    expect(VERBS['Host.setHaMaintenanceMode'].decode({ code: 0, message: 'Done' })).toBe(true);
    expect(VERBS['Host.ping2'].decode(true)).toBe(true);
    expect(VERBS['Task.clear'].decode(null)).toBe(true);
  });

  it('connection statuses are data, not errors', () => {
    expect(VERBS['StoragePool.connectStorageServer'].decode([{ id: 'c', status: 477 }])).toEqual([
      { id: 'c', status: 477 },
    ]);
  });
});
