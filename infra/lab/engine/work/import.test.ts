import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';

import { at, many, startTestEngine, storeOvfs, until } from '../testing.ts';
import type { Json, TestEngine } from '../testing.ts';

const open: TestEngine[] = [];
afterEach(async () => {
  for (const lab of open.splice(0)) await lab.close();
});

async function start(...options: Parameters<typeof startTestEngine>): Promise<TestEngine> {
  const lab = await startTestEngine(...options);
  open.push(lab);
  return lab;
}

/** The OVF a managed lab's engine writes for its own VM. */
async function managedOvf(): Promise<string> {
  const lab = await start({ managed: true });
  const { json } = await lab.api('GET', `/vms/${lab.fixture.vm.id}?all_content`);
  return String(at(json, 'initialization', 'configuration', 'data'));
}

const OVF = await startTestEngine({ managed: true }).then(async (lab) => {
  const { json } = await lab.api('GET', `/vms/${lab.fixture.vm.id}?all_content`);
  await lab.close();
  return String(at(json, 'initialization', 'configuration', 'data'));
});

function nfs(lab: TestEngine, domain: 'heDomain' | 'importDomain' = 'heDomain', host = 'host1') {
  const { server, path } = lab.fixture[domain];
  return { type: 'data', host: { name: host }, storage: { type: 'nfs', address: server, path } };
}

const attached = (lab: TestEngine) => `/datacenters/${lab.fixture.dataCenter.id}/storagedomains`;
const registerPath = (lab: TestEngine, vm = lab.fixture.vm.id) =>
  `/storagedomains/${lab.fixture.heDomain.id}/vms/${vm}/register`;

async function status(lab: TestEngine, domain = lab.fixture.heDomain.id): Promise<unknown> {
  return (await lab.api('GET', `${attached(lab)}/${domain}`)).json['status'];
}

async function importDomain(lab: TestEngine, domain: 'heDomain' | 'importDomain' = 'heDomain'): Promise<void> {
  expect((await lab.api('POST', '/storagedomains', nfs(lab, domain))).status).toBe(201);
  expect((await lab.api('POST', attached(lab), { id: lab.fixture[domain].id })).status).toBe(201);
  await until('active', async () => (await status(lab, lab.fixture[domain].id)) === 'active');
}

async function eventCodes(lab: TestEngine): Promise<readonly string[]> {
  return many(await lab.api('GET', '/events?from=25'), 'event').map((one) => String(one['code']));
}

describe('before the upgrade', () => {
  it('knows the engine VM as unmanaged and its domain not at all', async () => {
    const lab = await start();
    const [vm] = many(await lab.api('GET', '/vms?search=name%3DHostedEngine'), 'vm');
    expect(vm).toMatchObject({
      origin: 'hosted_engine',
      delete_protected: 'false',
      status: 'up',
      host: { id: lab.fixture.hosts[0]?.id },
    });
    expect(many(await lab.api('GET', '/storagedomains'), 'storage_domain').map((one) => one['name'])).toEqual([
      'data1',
    ]);
    const edit = await lab.api('PUT', `/vms/${lab.fixture.vm.id}`, { description: 'x' });
    expect([edit.status, edit.json['detail']]).toEqual([409, expect.stringContaining('unmanaged hosted engine VM')]);
  });
});

describe('importing the hosted-engine domain', () => {
  it('finds what lies on the path, attaches it and lists the VM as unregistered', async () => {
    const lab = await start();
    storeOvfs(lab.gateway, lab.fixture.heDomain.id, { [lab.fixture.vm.id]: OVF });
    const made = await lab.api('POST', '/storagedomains', nfs(lab));
    expect(made.json).toMatchObject({
      id: lab.fixture.heDomain.id,
      name: 'hosted_storage',
      status: 'unattached',
      external_status: 'ok',
    });
    const attach = await lab.api('POST', attached(lab), { id: lab.fixture.heDomain.id });
    expect([attach.status, attach.json['status']]).toEqual([201, 'locked']);
    const seen = new Set<unknown>();
    await until('active', async () => seen.add(await status(lab)).has('active'));
    expect([...seen].filter((one) => one !== 'active' && one !== 'locked' && one !== 'activating')).toEqual([]);
    const vms = many(await lab.api('GET', `/storagedomains/${lab.fixture.heDomain.id}/vms;unregistered`), 'vm');
    expect(vms).toMatchObject([{ id: lab.fixture.vm.id, name: 'HostedEngine', memory: String(4096 * 1024 * 1024) }]);
    expect(await eventCodes(lab)).toContain('10460');
    const disks = many(await lab.api('GET', `/storagedomains/${lab.fixture.heDomain.id}/disks`), 'disk');
    expect(disks.map((disk) => disk['content_type'])).toEqual(['ovf_store', 'ovf_store']);
    expect((await lab.api('GET', `/storagedomains/${lab.fixture.heDomain.id}`)).json).not.toHaveProperty('status');
  });

  it('waits for the work on request', async () => {
    const lab = await start();
    await lab.api('POST', '/storagedomains', nfs(lab));
    const done = await lab.api(
      'POST',
      attached(lab),
      { id: lab.fixture.heDomain.id },
      { 'x-ovirt-expect': '201-created' },
    );
    expect([done.status, done.json['status']]).toEqual([201, 'active']);
  });

  it('refuses a second import, a bad host, a missing one and unmounted storage', async () => {
    const lab = await start();
    expect((await lab.api('POST', '/storagedomains', { type: 'data', storage: {} })).json['detail']).toBe(
      'StorageDomain [host.id|name] required for add',
    );
    expect((await lab.api('POST', '/storagedomains', nfs(lab, 'heDomain', 'nobody'))).status).toBe(404);
    lab.gateway.failing.set('connectStorage', 'mount failed');
    expect((await lab.api('POST', '/storagedomains', nfs(lab))).status).toBe(400);
    expect((await lab.api('POST', '/storagedomains', { ...nfs(lab), name: 'data1' })).json['detail']).toContain(
      'name is already in use',
    );
    expect((await lab.api('POST', '/storagedomains', nfs(lab))).status).toBe(201);
    const again = await lab.api('POST', '/storagedomains', nfs(lab));
    expect([again.status, again.json['detail']]).toEqual([
      409,
      expect.stringMatching(/already exists\. Its id is [\da-f-]{36}/),
    ]);
  });

  it('needs the data center up with an active master', async () => {
    const lab = await start();
    await lab.api('POST', '/storagedomains', nfs(lab));
    lab.engine.faults.inject({ kind: 'data-center-status', status: 'problematic' });
    expect((await lab.api('POST', attached(lab), { id: lab.fixture.heDomain.id })).status).toBe(409);
    lab.engine.faults.clear();
    const master = `${attached(lab)}/${lab.fixture.masterDomain.id}`;
    expect((await lab.api('POST', `${master}/deactivate`, {})).status).toBe(200);
    await until('maintenance', async () => (await status(lab, lab.fixture.masterDomain.id)) === 'maintenance');
    const refused = await lab.api('POST', attached(lab), { id: lab.fixture.heDomain.id });
    expect([refused.status, refused.json['detail']]).toEqual([409, expect.stringContaining('Master Storage Domain')]);
  });

  it('is unattached again, with an event, when a host cannot attach it', async () => {
    const lab = await start();
    await lab.api('POST', '/storagedomains', nfs(lab));
    lab.gateway.failing.set('attachDomain', 'cannot attach');
    await lab.api('POST', attached(lab), { id: lab.fixture.heDomain.id });
    await until(
      'unattached',
      async () => (await lab.api('GET', `/storagedomains/${lab.fixture.heDomain.id}`)).json['status'] === 'unattached',
    );
    expect(await eventCodes(lab)).toContain('10461');
  });
});

describe('registering the engine VM', () => {
  it('replaces the unmanaged record: same id, managed, protected, from the OVF', async () => {
    const lab = await start();
    storeOvfs(lab.gateway, lab.fixture.heDomain.id, { [lab.fixture.vm.id]: OVF });
    await importDomain(lab);
    const done = await lab.api(
      'POST',
      registerPath(lab),
      { cluster: { name: 'Default' } },
      { 'correlation-id': 'upgrade' },
    );
    expect([done.status, done.json['status']]).toEqual([200, 'complete']);
    expect((await lab.api('GET', `/jobs/${String(at(done.json, 'job', 'id'))}`)).json['status']).toBe('finished');
    const vm = (await lab.api('GET', `/vms/${lab.fixture.vm.id}?follow=disk_attachments,nics`)).json;
    expect(vm).toMatchObject({
      origin: 'managed_hosted_engine',
      delete_protected: 'true',
      status: 'up',
      memory: String(4096 * 1024 * 1024),
      cpu: { topology: { sockets: '2' } },
    });
    expect(at(vm, 'disk_attachments', 'disk_attachment')).toMatchObject([
      { id: lab.fixture.heDisks.vm.image, bootable: 'true' },
    ]);
    expect(at(vm, 'nics', 'nic')).toMatchObject([{ mac: { address: '00:16:3e:7f:10:aa' }, vnic_profile: {} }]);
    expect(many(await lab.api('GET', '/vms'), 'vm')).toHaveLength(1);
    expect((await lab.api('GET', `/storagedomains/${lab.fixture.heDomain.id}/vms?unregistered=true`)).body).toBe('{}');
    const mine = many(await lab.api('GET', '/events?search=correlation_id%3Dupgrade'), 'event');
    expect(mine.map((one) => one['code'])).toContain('10456');
    const second = await lab.api('POST', registerPath(lab), {});
    expect([second.status, at(second.json, 'fault', 'detail')]).toEqual([
      409,
      expect.stringContaining('There is no OVF for the specific entity'),
    ]);
  });

  it('answers at once on request, and refuses to start twice', async () => {
    const lab = await start();
    storeOvfs(lab.gateway, lab.fixture.heDomain.id, { [lab.fixture.vm.id]: OVF });
    await importDomain(lab);
    lab.clock.hold();
    const first = await lab.api('POST', registerPath(lab), { async: 'true' });
    expect([first.status, first.json['status']]).toEqual([202, 'in_progress']);
    const busy = await lab.api('POST', registerPath(lab), {});
    expect([busy.status, at(busy.json, 'fault', 'detail')]).toEqual([
      409,
      expect.stringContaining('Related operation is currently in progress'),
    ]);
    lab.clock.go();
    await until('managed', async () => (await lab.api('GET', `/vms/${lab.fixture.vm.id}`)).json['status'] === 'up');
  });

  it.each([
    ['there is none', {}, 'no OVF'],
    ['it is damaged', { spoil: (x: string) => x.slice(0, 500) }, 'no OVF'],
    [
      'it lacks what the reader needs',
      { spoil: (x: string) => x.replace(/<TemplateId>.*?<\/TemplateId>/, '') },
      'no OVF',
    ],
    ['its disk is not on the domain', { spoil: (x: string) => x, lose: true }, 'disk images are missing'],
  ])(
    'is refused with 409 when %s',
    async (_name, { spoil, lose }: { spoil?: (x: string) => string; lose?: boolean }, detail) => {
      const lab = await start();
      if (spoil) storeOvfs(lab.gateway, lab.fixture.heDomain.id, { [lab.fixture.vm.id]: spoil(OVF) });
      const domain = lab.gateway.domains.get(lab.fixture.heDomain.id);
      if (lose && domain) domain.volumes = [];
      await importDomain(lab);
      const { status: code, json } = await lab.api('POST', registerPath(lab), {});
      expect([code, json['status'], at(json, 'fault', 'detail')]).toEqual([
        409,
        'failed',
        expect.stringContaining(detail),
      ]);
      expect((await lab.api('GET', `/vms/${lab.fixture.vm.id}`)).json['origin']).toBe('hosted_engine');
    },
  );

  it('takes the newest complete copy of two', async () => {
    const lab = await start();
    const { heDomain, vm } = lab.fixture;
    storeOvfs(lab.gateway, heDomain.id, { [vm.id]: OVF });
    const domain = lab.gateway.domains.get(heDomain.id);
    const [older, newer] = domain?.stores ?? [];
    if (domain === undefined || older === undefined || newer === undefined) throw new Error('no stores');
    const renamed = [
      {
        name: `${vm.id}.ovf`,
        text: OVF.replace('<Comment></Comment>', '<Comment>stale</Comment>').replace(
          '<Comment/>',
          '<Comment>stale</Comment>',
        ),
      },
    ];
    domain.stores = [
      { ...newer, lastUpdated: 9 },
      { ...older, lastUpdated: 5, entries: renamed },
    ];
    await importDomain(lab);
    await lab.api('POST', registerPath(lab), {});
    expect((await lab.api('GET', `/vms/${vm.id}`)).json['comment']).toBe('');
  });

  it('is done by the engine itself where that is switched on', async () => {
    const first = await start();
    const memory = first.gateway;
    storeOvfs(memory, first.fixture.heDomain.id, { [first.fixture.vm.id]: OVF });
    const lab = await start({}, { memory, autoImport: true });
    await until(
      'imported',
      async () => (await lab.api('GET', `/vms/${lab.fixture.vm.id}`)).json['origin'] === 'managed_hosted_engine',
    );
    // The event of the VM comes a moment after its state.
    await until('both events', async () => {
      const codes = await eventCodes(lab);
      return codes.includes('10460') && codes.includes('10456');
    });
  });
});

describe('other unregistered VMs', () => {
  it('are registered under their id or as a clone, and refused when they clash', async () => {
    const lab = await start();
    const { importDomain: domain } = lab.fixture;
    const id = randomUUID();
    const other = OVF.replaceAll(lab.fixture.vm.id, id)
      .replace('<Name>HostedEngine', '<Name>web')
      .replace('<Origin>6', '<Origin>3');
    storeOvfs(lab.gateway, domain.id, { [id]: other });
    await importDomain(lab, 'importDomain');
    const path = `/storagedomains/${domain.id}/vms/${id}`;
    const mac = await lab.api('POST', `${path}/register`, { allow_partial_import: true });
    expect(at(mac.json, 'fault', 'detail')).toContain('MAC addresses');
    const clash = await lab.api('POST', `${path}/register`, {
      allow_partial_import: true,
      reassign_bad_macs: true,
      clone: true,
      vm: { name: 'HostedEngine' },
    });
    expect(at(clash.json, 'fault', 'detail')).toContain('name is already in use');
    expect(
      (await lab.api('POST', `${path}/register`, { allow_partial_import: true, reassign_bad_macs: true })).status,
    ).toBe(200);
    expect((await lab.api('GET', `/vms/${id}`)).json).toMatchObject({
      name: 'web',
      origin: 'ovirt',
      status: 'down',
    } satisfies Json);
    expect((await lab.api('DELETE', path)).status).toBe(404);
  });
});

it('writes the OVF store after an edit, promptly and for good', async () => {
  const lab = await start({ managed: true });
  storeOvfs(lab.gateway, lab.fixture.heDomain.id, {});
  expect(await managedOvf()).toContain('HostedEngine');
  await until(
    'stores adopted',
    async () => many(await lab.api('GET', '/disks?search=name%3DOVF_STORE'), 'disk').length === 2,
  );
  await lab.api('PUT', `/vms/${lab.fixture.vm.id}`, { description: 'edited now' });
  const stored = () => lab.gateway.domains.get(lab.fixture.heDomain.id)?.stores ?? [];
  await until('written', () =>
    stored().every((store) =>
      store.entries.some((entry) => entry.text.includes('<Description>edited now</Description>')),
    ),
  );
  expect(stored()[0]?.entries.map((entry) => entry.name)).toEqual([
    'info.json',
    `${lab.fixture.vm.id}.ovf`,
    'metadata.json',
  ]);
  lab.engine.faults.inject({ kind: 'engine-ovf-busy', times: 1 });
  const update = `/storagedomains/${lab.fixture.heDomain.id}/updateovfstore`;
  const busy = await lab.api('POST', update, {});
  expect([busy.status, at(busy.json, 'fault', 'detail')]).toEqual([
    409,
    '[Cannot ${action} Storage. Storage Domain OVF data is currently being updated.]',
  ]);
  expect((await lab.api('POST', update, {})).json['status']).toBe('complete');
});
