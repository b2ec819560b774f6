import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as codec from './codec.ts';

/** The same value in the forms that the engine, its documentation and other serialisers give it. */
const forms = <T extends number | boolean>(value: T) => fc.constantFrom<T | string>(value, String(value));
const absent = fc.constantFrom(undefined, null);

describe('a value in any of its forms', () => {
  it('is the same host', () => {
    const state = fc.record({
      configured: forms(true),
      active: forms(true),
      score: forms(3400),
      global_maintenance: fc.oneof(forms(false), absent),
      local_maintenance: forms(true),
    });
    fc.assert(
      fc.property(state, forms(54321), (hosted_engine, port) => {
        const host = codec.host.parse({ id: 'h', name: 'host1', address: 'a', status: 'up', port, hosted_engine });
        expect(host).toMatchObject({
          port: 54321,
          hostedEngine: {
            configured: true,
            active: true,
            score: 3400,
            globalMaintenance: false,
            localMaintenance: true,
          },
        });
      }),
    );
  });

  it('is a whole number that JSON can hold, or an error', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (number) => {
        const parsed = codec.vm.safeParse({ id: 'v', name: 'n', memory: String(number) });
        const safe = number <= BigInt(Number.MAX_SAFE_INTEGER) && number >= -BigInt(Number.MAX_SAFE_INTEGER);
        expect(parsed.success).toBe(safe);
        if (parsed.success) expect(parsed.data.memoryBytes).toBe(Number(number));
      }),
    );
  });

  it('is never guessed', () => {
    for (const delete_protected of ['yes', 'maybe', '', 2]) {
      expect(codec.vm.safeParse({ id: 'v', name: 'n', delete_protected }).success).toBe(false);
    }
    for (const memory of ['', '1 GiB', '1.5', 1.5]) {
      expect(codec.vm.safeParse({ id: 'v', name: 'n', memory }).success).toBe(false);
    }
    expect(codec.event.safeParse({ id: '1', time: 'yesterday' }).success).toBe(false);
  });

  it('is a time', () => {
    const ms = Date.parse('2026-01-02T03:04:05.678+01:00');
    for (const time of [ms, String(ms), '2026-01-02T03:04:05.678+01:00']) {
      expect(codec.event.parse({ id: '1', time }).timeMs).toBe(ms);
    }
  });

  it('never makes the reader throw anything but its own error', () => {
    const schemas = [
      codec.vmList,
      codec.hostList,
      codec.storageDomainList,
      codec.diskList,
      codec.eventList,
      codec.jobList,
    ];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...schemas), (json, schema) => {
        expect(() => schema.safeParse(json)).not.toThrow();
      }),
    );
  });
});

describe('lists', () => {
  it.each([undefined, null, {}, { vm: [] }, { vm: null }])('%j is empty', (json) => {
    expect(codec.vmList.parse(json)).toEqual([]);
  });

  it('a lone object is a list of one', () => {
    expect(codec.vmList.parse({ vm: { id: 'v', name: 'n' } })).toHaveLength(1);
  });

  it.each([[['x']], ['text'], [7], [{ vm: ['x'] }], [{ vm: [{ name: 'no id' }] }]])('%j is no list', (json) => {
    expect(codec.vmList.safeParse(json).success).toBe(false);
  });
});

describe('objects', () => {
  it('a storage domain in a data center', () => {
    const json = {
      id: 's',
      name: 'hosted_storage',
      type: 'data',
      status: 'active',
      master: 'false',
      available: '1000',
      storage: { type: 'nfs', address: 'storage.example.test', path: '/exports/he' },
      data_center: { id: 'd', href: '/x' },
      data_centers: { data_center: [{ id: 'd' }] },
    };
    expect(codec.storageDomain.parse(json)).toEqual({
      id: 's',
      name: 'hosted_storage',
      type: 'data',
      status: 'active',
      externalStatus: undefined,
      master: false,
      storage: {
        type: 'nfs',
        address: 'storage.example.test',
        path: '/exports/he',
        nfsVersion: undefined,
        mountOptions: undefined,
        vfsType: undefined,
      },
      availableBytes: 1000,
      usedBytes: undefined,
      format: undefined,
      dataCenterIds: ['d'],
    });
  });

  it('the engine VM with its OVF', () => {
    const vm = codec.vm.parse({
      id: 'v',
      name: 'HostedEngine',
      status: 'up',
      origin: 'managed_hosted_engine',
      delete_protected: 'true',
      memory: '17179869184',
      memory_policy: { guaranteed: '1073741824', max: '68719476736' },
      cpu: { topology: { sockets: '1', cores: '4', threads: '1' } },
      host: { id: 'h1' },
      initialization: { configuration: { type: 'ovf', data: '<ovf/>' } },
    });
    expect(vm).toMatchObject({
      origin: 'managed_hosted_engine',
      deleteProtected: true,
      memoryBytes: 16 * 2 ** 30,
      memoryMaxBytes: 64 * 2 ** 30,
      cpu: { sockets: 1, cores: 4, threads: 1 },
      hostId: 'h1',
      ovf: '<ovf/>',
      highlyAvailable: false,
    });
  });

  it('a disk: the id is the image, the image_id is the volume', () => {
    const disk = codec.disk.parse({
      id: 'image',
      image_id: 'volume',
      alias: 'OVF_STORE',
      content_type: 'ovf_store',
      provisioned_size: '134217728',
      storage_domains: { storage_domain: [{ id: 's' }] },
    });
    expect(disk).toMatchObject({ id: 'image', volumeId: 'volume', name: 'OVF_STORE', storageDomainIds: ['s'] });
  });

  it('an event with what it is about', () => {
    const event = codec.event.parse({
      id: '77',
      code: '10456',
      severity: 'normal',
      vm: { id: 'v', name: 'HostedEngine' },
    });
    expect(event).toMatchObject({ index: 77, code: 10456, vm: { id: 'v', name: 'HostedEngine' }, host: undefined });
  });

  it('unknown statuses stay as they came, unknown members are skipped', () => {
    const host = codec.host.parse({ id: 'h', name: 'n', status: 'brand_new', link: [{ rel: 'x', href: 'y' }] });
    expect(host.status).toBe('brand_new');
  });
});
