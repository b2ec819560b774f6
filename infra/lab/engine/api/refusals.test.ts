import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { at, many, startTestEngine, storeOvfs, until } from '../testing.ts';
import type { TestEngine } from '../testing.ts';

let lab: TestEngine;
beforeAll(async () => {
  lab = await startTestEngine({ managed: true });
  storeOvfs(lab.gateway, lab.fixture.heDomain.id, {});
  await until('stores', async () => many(await lab.api('GET', '/disks'), 'disk').length === 6);
  await until('statistics', async () => (await lab.api('GET', '/hosts?all_content')).body.includes('"hosted_engine"'));
});
afterAll(async () => await lab.close());

const GIB = 1024 ** 3;
const vm = () => `/vms/${lab.fixture.vm.id}`;
const domain = () => `/storagedomains/${lab.fixture.heDomain.id}`;
const attached = () => `/datacenters/${lab.fixture.dataCenter.id}${domain()}`;

async function refused(method: string, path: string, body?: object): Promise<[number, unknown]> {
  const { status, json } = await lab.api(method, path, body);
  return [status, at(json, 'fault', 'detail') ?? json['detail']];
}

describe('the managed engine VM', () => {
  it.each([
    ['delete protection', { delete_protected: false }, 400, 'values that are locked'],
    ['operating system', { os: { type: 'windows_xp' } }, 400, 'values that are locked'],
    ['firmware', { bios: { type: 'q35_ovmf' } }, 400, 'values that are locked'],
    ['statelessness', { stateless: true }, 400, 'values that are locked'],
    ['processor type', { cpu: { type: 'Nehalem' } }, 400, 'values that are locked'],
    ['time zone', { time_zone: { name: 'Europe/Berlin' } }, 400, 'values that are locked'],
    ['HA priority', { high_availability: { priority: 99 } }, 400, 'values that are locked'],
    ['high availability', { high_availability: { enabled: true } }, 409, 'it has its own HA mechanism'],
    ['high performance', { type: 'high_performance' }, 409, 'High Performance'],
    ['memory above maximum', { memory: 17 * GIB }, 409, 'Maximum memory size cannot be smaller'],
    ['guarantee above memory', { memory_policy: { guaranteed: 8 * GIB } }, 409, 'cannot exceed Memory Size'],
    [
      'memory above the hosts',
      { memory: 40 * GIB, memory_policy: { max: 64 * GIB } },
      409,
      'cannot be smaller than memory size',
    ],
  ])('keeps %s', async (_name, body, status, detail) => {
    expect(await refused('PUT', vm(), body)).toEqual([status, expect.stringContaining(detail)]);
  });

  it('takes what may be edited, also when a client sends the whole VM back', async () => {
    const { json } = await lab.api('GET', vm());
    const { link: _link, actions: _actions, ...whole } = json;
    const done = await lab.api('PUT', vm(), {
      ...whole,
      description: 'new',
      memory: String(5 * GIB),
      cpu: { topology: { sockets: 4, cores: 1, threads: 1 } },
    });
    expect([done.status, done.json]).toEqual([
      200,
      expect.objectContaining({
        description: 'new',
        memory: String(5 * GIB),
        delete_protected: 'true',
        next_run_configuration_exists: 'false',
      }),
    ]);
  });

  it('is not started, stopped, cloned, snapshotted or deleted', async () => {
    for (const verb of ['start', 'stop', 'shutdown', 'reboot', 'suspend', 'clone', 'export']) {
      expect(await refused('POST', `${vm()}/${verb}`, {})).toEqual([
        400,
        expect.stringContaining('This VM is not managed by the engine.'),
      ]);
    }
    expect((await refused('POST', `${vm()}/snapshots`, { description: 'x' }))[0]).toBe(400);
    expect((await refused('POST', `${vm()}/backups`, {}))[0]).toBe(409);
    expect(await refused('DELETE', vm())).toEqual([
      409,
      expect.stringContaining('Delete protection is enabled. In order to delete, disable Delete protection first.'),
    ]);
  });

  it('keeps a profile on each NIC and its management NIC plugged, takes another, and no disk', async () => {
    const [nic] = many(await lab.api('GET', `${vm()}/nics`), 'nic');
    const path = `${vm()}/nics/${String(nic?.['id'])}`;
    expect(await refused('POST', `${vm()}/nics`, { name: 'n' })).toEqual([
      400,
      expect.stringContaining('empty vNIC profile'),
    ]);
    expect(await refused('PUT', path, { vnic_profile: {} })).toEqual([
      400,
      expect.stringContaining('empty vNIC profile'),
    ]);
    expect((await refused('POST', `${path}/deactivate`, {}))[0]).toBe(409);
    expect((await refused('POST', `${vm()}/diskattachments`, { disk: { id: 'x' }, interface: 'virtio' }))[0]).toBe(400);
    const profile = at(nic ?? {}, 'vnic_profile', 'id');
    const added = await lab.api('POST', `${vm()}/nics`, { name: 'second', vnic_profile: { id: profile } });
    expect([added.status, at(added.json, 'mac', 'address')]).toEqual([201, expect.stringMatching(/^56:6f:/)]);
    expect((await lab.api('POST', `${vm()}/nics/${String(added.json['id'])}/deactivate`, {})).status).toBe(200);
    expect((await lab.api('DELETE', `${vm()}/nics/${String(added.json['id'])}`)).status).toBe(200);
  });
});

describe('the hosted-engine domain', () => {
  it('is not deactivated, detached, removed or destroyed', async () => {
    expect(await refused('POST', `${attached()}/deactivate`, {})).toEqual([
      409,
      expect.stringContaining('The storage selected contains the self hosted engine.'),
    ]);
    expect(await refused('DELETE', attached())).toEqual([409, expect.stringContaining('status is Active')]);
    expect(await refused('DELETE', `${domain()}?host=host1`)).toEqual([409, expect.stringContaining('attached')]);
    expect(await refused('DELETE', `${domain()}?destroy=true`)).toEqual([
      409,
      expect.stringContaining('status is Active'),
    ]);
    expect(await refused('DELETE', domain())).toEqual([400, 'StorageDomain [host.id|name] required for remove']);
  });

  it('keeps its disks, each for its own reason', async () => {
    const disks = many(await lab.api('GET', `${domain()}/disks`), 'disk');
    expect(disks.map((disk) => String(disk['content_type'])).toSorted()).toEqual([
      'hosted_engine',
      'hosted_engine_configuration',
      'hosted_engine_metadata',
      'hosted_engine_sanlock',
      'ovf_store',
      'ovf_store',
    ]);
    const reasons: Record<string, string> = {
      hosted_engine: 'part of the self hosted engine VM',
      ovf_store: 'only for OVF disks that are in Illegal status',
    };
    for (const disk of disks) {
      const reason = reasons[String(disk['content_type'])] ?? 'used by the self hosted engine';
      expect(await refused('DELETE', `/disks/${String(disk['id'])}`)).toEqual([409, expect.stringContaining(reason)]);
    }
  });
});

describe('an ordinary disk', () => {
  it('is 202 and locked, then ok, and can be removed again', async () => {
    lab.clock.hold();
    const made = await lab.api('POST', '/disks', {
      name: 'd',
      format: 'raw',
      provisioned_size: 1024,
      storage_domains: { storage_domain: [{ name: 'data1' }] },
    });
    expect([made.status, made.json['status'], made.json['creation_status']]).toEqual([202, 'locked', 'pending']);
    const path = `/disks/${String(made.json['id'])}`;
    expect((await refused('DELETE', path))[0]).toBe(409);
    lab.clock.go();
    await until('ok', async () => (await lab.api('GET', path)).json['status'] === 'ok');
    expect((await lab.api('DELETE', path)).status).toBe(200);
    expect((await lab.api('GET', path)).status).toBe(404);
    expect((await refused('POST', '/disks', { name: 'd' }))[1]).toBe(
      'Disk [format, provisioned_size] required for add',
    );
  });
});

describe('an ordinary domain', () => {
  it('is created, attached, deactivated, detached and removed', async () => {
    const made = await lab.api('POST', '/storagedomains', {
      name: 'fresh',
      type: 'data',
      host: { name: 'host2' },
      storage: { type: 'nfs', address: 'n', path: '/fresh/' },
    });
    expect([made.status, at(made.json, 'storage', 'path')]).toEqual([201, '/fresh']);
    const id = String(made.json['id']);
    const inside = `/datacenters/${lab.fixture.dataCenter.id}/storagedomains/${id}`;
    await lab.api(
      'POST',
      `/datacenters/${lab.fixture.dataCenter.id}/storagedomains`,
      { id },
      { 'x-ovirt-expect': '201-created' },
    );
    await until(
      'OVF_STORE disks',
      async () => many(await lab.api('GET', `/storagedomains/${id}/disks`), 'disk').length === 2,
    );
    expect((await lab.api('POST', `${inside}/deactivate`, {})).status).toBe(200);
    await until('maintenance', async () => (await lab.api('GET', inside)).json['status'] === 'maintenance');
    expect((await lab.api('DELETE', inside)).status).toBe(200);
    expect((await lab.api('GET', inside)).status).toBe(404);
    expect((await lab.api('DELETE', `/storagedomains/${id}?host=host1&format=true`)).status).toBe(200);
    expect(lab.gateway.domains.has(id)).toBe(false);
  });
});

it('creates data centers and clusters, and looks options, networks and profiles up', async () => {
  const dc = await lab.api('POST', '/datacenters', { name: 'second', local: false });
  expect(dc.json).toMatchObject({ status: 'uninitialized' });
  expect((await lab.api('POST', '/datacenters', { name: 'second' })).status).toBe(409);
  const cluster = await lab.api('POST', '/clusters', {
    name: 'c2',
    data_center: { name: 'second' },
    cpu: { type: 'x' },
  });
  expect(at(cluster.json, 'data_center', 'id')).toBe(dc.json['id']);
  const foreign = await lab.api('POST', '/hosts?deploy_hosted_engine=true', {
    name: 'f',
    address: 'f',
    root_password: 'host-root-password',
    cluster: { name: 'c2' },
  });
  expect([foreign.status, foreign.json['detail']]).toEqual([409, expect.stringContaining('different Data Centers')]);
  expect((await lab.api('DELETE', `/clusters/${String(cluster.json['id'])}`)).status).toBe(200);
  expect((await lab.api('DELETE', `/datacenters/${String(dc.json['id'])}`)).status).toBe(200);
  const option = await lab.api('GET', '/options/ServerCPUList?version=4.7');
  expect(at(option.json, 'values', 'system_option_value')).toMatchObject([
    { version: '4.7', value: expect.stringContaining('Nehalem') },
  ]);
  expect(many(await lab.api('GET', '/vnicprofiles'), 'vnic_profile')).toHaveLength(1);
  expect((await lab.api('GET', '/options/Nonsense')).status).toBe(404);
});
