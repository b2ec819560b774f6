import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineClient, nameIs } from './client.ts';
import { FakeEngine, PASSWORD, USER } from './testing.ts';

let engine: FakeEngine;
let client: EngineClient;

beforeAll(async () => {
  engine = await FakeEngine.start();
  client = new EngineClient({ baseUrl: engine.url, caFile: engine.caFile, user: USER, password: () => PASSWORD });
});

afterAll(async () => {
  await client.close();
  await engine.stop();
});

const COMPLETE = { status: 200, json: { status: 'complete' } };
const DOMAIN = { id: 'sd1', name: 'hosted_storage', type: 'data', storage: { type: 'nfs' } };

interface Expected {
  readonly call: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Row = readonly [Expected, (client: EngineClient) => Promise<unknown>, reply: { status?: number; json: unknown }];

const CHANGES: readonly Row[] = [
  [
    {
      call: 'POST /storagedomains',
      body: {
        type: 'data',
        name: 'hosted_storage',
        host: { name: 'host1' },
        storage: { type: 'nfs', address: 'storage.example.test', path: '/exports/he', nfs_version: 'v4_1' },
      },
    },
    (c) =>
      c.importFileStorageDomain({
        name: 'hosted_storage',
        host: 'host1',
        storageType: 'nfs',
        address: 'storage.example.test',
        path: '/exports/he',
        nfsVersion: 'v4_1',
      }),
    { status: 201, json: DOMAIN },
  ],
  [
    { call: 'POST /datacenters/dc1/storagedomains', body: { id: 'sd1' } },
    (c) => c.attachStorageDomain('dc1', 'sd1'),
    { status: 201, json: DOMAIN },
  ],
  [
    { call: 'POST /datacenters/dc1/storagedomains/sd1/activate', body: {} },
    (c) => c.activateStorageDomain('dc1', 'sd1'),
    COMPLETE,
  ],
  [
    { call: 'POST /datacenters/dc1/storagedomains/sd1/deactivate', body: {} },
    (c) => c.deactivateStorageDomain('dc1', 'sd1'),
    COMPLETE,
  ],
  [{ call: 'DELETE /datacenters/dc1/storagedomains/sd1' }, (c) => c.detachStorageDomain('dc1', 'sd1'), COMPLETE],
  [
    { call: 'DELETE /storagedomains/sd1', query: { host: 'host1', format: 'false' } },
    (c) => c.removeStorageDomain('sd1', { host: 'host1', format: false }),
    COMPLETE,
  ],
  [{ call: 'POST /storagedomains/sd1/updateovfstore', body: {} }, (c) => c.updateOvfStore('sd1'), COMPLETE],
  [
    {
      call: 'POST /storagedomains/sd1/vms/vm1/register',
      body: { cluster: { id: 'c1' }, allow_partial_import: true, reassign_bad_macs: false },
    },
    (c) => c.registerVm('sd1', 'vm1', { cluster: 'c1', allowPartialImport: true, reassignBadMacs: false }),
    COMPLETE,
  ],
  [
    {
      call: 'PUT /vms/vm1',
      body: {
        description: 'd',
        memory: 2048,
        memory_policy: { max: 4096 },
        cpu: { topology: { sockets: 1, cores: 2, threads: 1 } },
      },
    },
    (c) =>
      c.updateVm('vm1', {
        description: 'd',
        memoryBytes: 2048,
        memoryMaxBytes: 4096,
        cpu: { sockets: 1, cores: 2, threads: 1 },
      }),
    { json: { id: 'vm1', name: 'HostedEngine' } },
  ],
  [
    { call: 'POST /vms/vm1/maintenance', body: { maintenance_enabled: true } },
    (c) => c.setGlobalMaintenance('vm1', true),
    COMPLETE,
  ],
  [{ call: 'POST /hosts/h1/activate', body: {} }, (c) => c.activateHost('h1'), COMPLETE],
  [
    { call: 'POST /hosts/h1/deactivate', query: { reason: 'CHG0001234' }, body: {} },
    (c) => c.deactivateHost('h1', { reason: 'CHG0001234' }),
    COMPLETE,
  ],
  [
    {
      call: 'POST /hosts',
      query: { deploy_hosted_engine: 'true', reboot: 'false' },
      body: { name: 'host4', address: 'host4.example.test', cluster: { id: 'c1' }, root_password: 'pw' },
    },
    (c) =>
      c.addHost({
        name: 'host4',
        address: 'host4.example.test',
        cluster: 'c1',
        login: { rootPassword: 'pw' },
        hostedEngine: 'deploy',
        reboot: false,
      }),
    { status: 201, json: { id: 'h4', name: 'host4', status: 'installing' } },
  ],
  [
    {
      call: 'POST /hosts/h1/install',
      body: {
        ssh: { authentication_method: 'publickey', user: { user_name: 'root' } },
        undeploy_hosted_engine: true,
        activate: true,
      },
    },
    (c) => c.installHost('h1', { login: { publicKey: true }, hostedEngine: 'undeploy', activate: true }),
    COMPLETE,
  ],
  [{ call: 'DELETE /hosts/h1', query: { force: 'true' } }, (c) => c.removeHost('h1', { force: true }), COMPLETE],
  [
    {
      call: 'POST /events',
      body: { origin: 'bellwether', severity: 'warning', custom_id: 42, description: 'd', host: { id: 'h1' } },
    },
    (c) => c.addEvent({ origin: 'bellwether', severity: 'warning', customId: 42, description: 'd', host: 'h1' }),
    { status: 201, json: { id: '900', code: '9999' } },
  ],
];

const READS: readonly Row[] = [
  [
    { call: 'GET /datacenters', query: { search: 'name="Default"' } },
    (c) => c.dataCenters(nameIs('Default')),
    { json: { data_center: [{ id: 'd', name: 'Default', status: 'up' }] } },
  ],
  [
    { call: 'GET /clusters', query: {} },
    (c) => c.clusters(),
    { json: { cluster: [{ id: 'c', name: 'Default', version: { major: '4', minor: '7' } }] } },
  ],
  [{ call: 'GET /storagedomains', query: {} }, (c) => c.storageDomains(), { json: { storage_domain: [DOMAIN] } }],
  [
    { call: 'GET /datacenters/dc1/storagedomains', query: {} },
    (c) => c.dataCenterStorageDomains('dc1'),
    { json: { storage_domain: [DOMAIN] } },
  ],
  [
    { call: 'GET /storagedomains/sd1/vms', query: { unregistered: 'true' } },
    (c) => c.storageDomainVms('sd1', { unregistered: true }),
    { json: { vm: [{ id: 'v', name: 'n' }] } },
  ],
  [
    { call: 'GET /storagedomains/sd1/disks', query: {} },
    (c) => c.storageDomainDisks('sd1'),
    { json: { disk: [{ id: 'i' }] } },
  ],
  [
    { call: 'GET /hosts', query: { all_content: 'true' } },
    (c) => c.hosts({ allContent: true }),
    { json: { host: [{ id: 'h', name: 'host1' }] } },
  ],
  [{ call: 'GET /vms', query: {} }, (c) => c.vms(), { json: { vm: [{ id: 'v', name: 'n' }] } }],
  [
    { call: 'GET /vms/vm1/nics', query: {} },
    (c) => c.vmNics('vm1'),
    { json: { nic: [{ id: 'n', mac: { address: '56:6f:00:00:00:01' }, vnic_profile: { id: 'p' } }] } },
  ],
  [
    { call: 'GET /vms/vm1/diskattachments', query: {} },
    (c) => c.vmDiskAttachments('vm1'),
    { json: { disk_attachment: [{ id: 'i', bootable: 'true' }] } },
  ],
  [
    { call: 'GET /jobs', query: { search: 'correlation_id=upgradeDefaultCHG1' } },
    (c) => c.jobs('upgrade/Default/CHG1'),
    { json: { job: [{ id: 'j', status: 'started', start_time: 1 }] } },
  ],
  [
    { call: 'GET /events', query: { search: 'correlation_id=op1 and severity>=warning', max: '5', from: '100' } },
    (c) => c.events({ correlationId: 'op/1', search: 'severity>=warning', max: 5, from: 100 }),
    { json: { event: [{ id: '101', index: '101', code: '10456' }] } },
  ],
];

async function check([expected, act, reply]: Row): Promise<unknown> {
  engine.on(expected.call, reply);
  const before = engine.calls(expected.call).length;
  const answer = await act(client);
  const calls = engine.calls(expected.call);
  expect(calls).toHaveLength(before + 1);
  const last = calls.at(-1);
  expect(Object.fromEntries(last?.query ?? [])).toEqual(expected.query ?? {});
  expect(last?.body === '' ? undefined : JSON.parse(last?.body ?? '')).toEqual(expected.body);
  if (expected.body !== undefined) expect(last?.headers['content-type']).toBe('application/json');
  return answer;
}

describe('changes', () => {
  it.each(CHANGES)('$call', async (...row) => {
    await check(row);
  });

  it('give back what the engine made', async () => {
    engine.on('POST /datacenters/dc1/storagedomains', { status: 201, json: { ...DOMAIN, status: 'locked' } });
    expect(await client.attachStorageDomain('dc1', 'sd1')).toMatchObject({ id: 'sd1', status: 'locked' });
  });
});

describe('reads', () => {
  it.each(READS)('$call', async (...row) => {
    expect(await check(row)).toHaveLength(1);
  });

  it('one object', async () => {
    engine.on('GET /vms/vm1', ({ query }) => ({
      json: {
        id: 'vm1',
        name: 'HostedEngine',
        ...(query.get('all_content') === 'true' ? { initialization: { configuration: { data: '<o/>' } } } : {}),
      },
    }));
    engine.on('GET /hosts/h1', { json: { id: 'h1', name: 'host1', status: 'up' } });
    engine.on('GET /datacenters/dc1/storagedomains/sd1', { json: { ...DOMAIN, status: 'active' } });
    expect((await client.vm('vm1')).ovf).toBeUndefined();
    expect((await client.vm('vm1', { allContent: true })).ovf).toBe('<o/>');
    expect((await client.host('h1')).status).toBe('up');
    expect((await client.dataCenterStorageDomain('dc1', 'sd1')).status).toBe('active');
  });

  it('the API root', async () => {
    const version = { major: '4', minor: '5', full_version: '4.5.6-1.el9' };
    engine.on('GET ', { json: { product_info: { name: 'oVirt Engine', instance_id: 'i', version } } });
    expect(await client.test()).toEqual({ fullVersion: '4.5.6-1.el9', instanceId: 'i' });
  });
});

describe('health', () => {
  it.each([
    [{ text: 'DB Up!Welcome to Health Status!' }, true],
    [{ status: 500, text: 'DB Down!' }, false],
    [{ status: 503, text: '<html>Service Unavailable</html>' }, false],
    [{ status: 404, text: '' }, false],
    [{ status: 200, text: 'DB Up!' }, false],
  ])('%j is %s, without a token', async (reply, healthy) => {
    engine.on('GET /ovirt-engine/services/health', reply);
    expect((await client.health()).healthy).toBe(healthy);
    expect(engine.calls('GET /ovirt-engine/services/health').at(-1)?.headers.authorization).toBeUndefined();
  });
});
