import { afterAll, beforeEach, describe, expect, it } from 'vitest';

import { at, many, startTestEngine, until } from '../testing.ts';
import type { TestEngine } from '../testing.ts';

let lab: TestEngine;
const restart = async (managed = true) => {
  await lab?.close();
  lab = await startTestEngine({ managed });
};
beforeEach(async () => await restart());
afterAll(async () => await lab.close());

const NEW = {
  name: 'new',
  address: 'new.example.test',
  root_password: 'host-root-password',
  cluster: { name: 'Default' },
};

async function host(name: string, query = ''): Promise<Record<string, unknown>> {
  return many(await lab.api('GET', `/hosts?search=name%3D${name}${query}`), 'host')[0] ?? {};
}

async function reaches(name: string, status: string): Promise<void> {
  await until(`${name} ${status}`, async () => (await host(name))['status'] === status);
}

const act = async (name: string, verb: string, body: object = {}) =>
  await lab.api('POST', `/hosts/${String((await host(name))['id'])}/${verb}`, body);
const detail = (answer: { json: object }) =>
  at(answer.json as never, 'fault', 'detail') ?? at(answer.json as never, 'detail');

describe('adding a host', () => {
  it('installs, reboots, comes up; deployed only when the query says so, and then proves it', async () => {
    const made = await lab.api('POST', '/hosts?deploy_hosted_engine=true', NEW);
    expect([made.status, made.json['status'], made.headers.location]).toEqual([
      201,
      'installing',
      expect.stringContaining('/ovirt-engine/api/hosts/'),
    ]);
    await reaches('new', 'up');
    await until('score', async () => Number(at(await host('new', '&all_content'), 'hosted_engine', 'score')) === 3400);
    expect((await lab.api('GET', '/hosts?search=spm_id%3D4')).body).toContain('"new"');
  });

  it('takes the flags from nowhere else, and starts in maintenance on request', async () => {
    await lab.api('POST', '/hosts?activate=false&reboot=false', { ...NEW, deploy_hosted_engine: 'true' });
    await reaches('new', 'maintenance');
    await act('new', 'activate');
    await reaches('new', 'up');
    expect(await host('new', '&all_content')).not.toHaveProperty('hosted_engine');
  });

  it.each([
    ['a wrong password', { root_password: 'x' }, 409, 'SSH authentication failed'],
    ['no password', { root_password: '' }, 400, 'empty password'],
    ['a name in use', { name: 'host1' }, 409, 'name is already in use'],
    ['an address in use', { address: '127.0.0.1' }, 409, 'same address'],
    ['an unknown cluster', { cluster: { name: 'Other' } }, 404, 'Entity not found'],
  ])('refuses %s', async (_name, change, status, text) => {
    const answer = await lab.api('POST', '/hosts', { ...NEW, ...change });
    expect([answer.status, detail(answer)]).toEqual([status, expect.stringContaining(text)]);
  });

  it('refuses to deploy while the engine VM is not managed', async () => {
    await restart(false);
    const answer = await lab.api('POST', '/hosts?deploy_hosted_engine', NEW);
    expect([answer.status, detail(answer)]).toEqual([
      409,
      expect.stringContaining('add the first storage domain in order to start the hosted engine import process'),
    ]);
  });

  it.each(['install_failed', 'non_operational'] as const)('can be told to end %s', async (outcome) => {
    lab.engine.faults.inject({ kind: 'host-install', address: NEW.address, outcome, times: 1 });
    await lab.api('POST', '/hosts', NEW);
    await reaches('new', outcome);
    const codes = many(await lab.api('GET', '/events?search=event_host%3Dnew'), 'event').map((one) => one['code']);
    expect(codes).toContain(outcome === 'install_failed' ? '505' : '519');
    expect((await lab.api('DELETE', `/hosts/${String((await host('new'))['id'])}`)).status).toBe(200);
    expect(await host('new')).toEqual({});
  });
});

describe('maintenance of a host', () => {
  it('sets local maintenance on the way in and clears it on the way out', async () => {
    await until('statistics', async () => at(await host('host2', '&all_content'), 'hosted_engine', 'score') === '3400');
    const done = await act('host2', 'deactivate', { reason: 'disks' });
    expect([done.status, done.json['status']]).toEqual([200, 'complete']);
    await reaches('host2', 'maintenance');
    expect(lab.gateway.hosts.get('host2')?.ha.localMaintenance).toBe(true);
    await act('host2', 'activate');
    await reaches('host2', 'up');
    expect(lab.gateway.hosts.get('host2')?.ha.localMaintenance).toBe(false);
  });

  it('waits until no VM is left', async () => {
    await until('statistics', async () => at(await host('host2', '&all_content'), 'hosted_engine', 'score') === '3400');
    expect((await act('host1', 'deactivate')).status).toBe(200);
    await reaches('host1', 'preparing_for_maintenance');
    const [one, two] = [lab.gateway.hosts.get('host1'), lab.gateway.hosts.get('host2')];
    if (one && two) [one.vms, two.vms] = [[], one.vms];
    await reaches('host1', 'maintenance');
    await until(
      'moved',
      async () =>
        at((await lab.api('GET', `/vms/${lab.fixture.vm.id}`)).json, 'host', 'id') === (await host('host2'))['id'],
    );
  });

  it('is refused when no other host could take the engine VM', async () => {
    for (const name of ['host2', 'host3']) {
      const other = lab.gateway.hosts.get(name);
      if (other) other.ha = { ...other.ha, score: 0 };
    }
    await until(
      'statistics',
      async () =>
        at(await host('host3', '&all_content'), 'hosted_engine', 'score') === '0' &&
        at(await host('host2', '&all_content'), 'hosted_engine', 'score') === '0',
    );
    const answer = await act('host1', 'deactivate');
    expect([answer.status, answer.json['status'], detail(answer)]).toEqual([
      409,
      'failed',
      expect.stringContaining('None of the hosts capable of running the engine VM has score more than 0'),
    ]);
    expect((await host('host1'))['status']).toBe('up');
  });

  it('fails where HA maintenance cannot be set and the engine VM is there, and only warns elsewhere', async () => {
    await until('statistics', async () => at(await host('host2', '&all_content'), 'hosted_engine', 'score') === '3400');
    lab.gateway.failing.set('setHaMaintenance', 'agent is away');
    expect((await act('host1', 'deactivate')).status).toBe(400);
    expect((await host('host1'))['status']).toBe('up');
    lab.gateway.failing.set('setHaMaintenance', 'agent is away');
    expect((await act('host3', 'deactivate')).status).toBe(200);
    expect(
      many(await lab.api('GET', '/events?search=event_host%3Dhost3'), 'event').map((one) => one['code']),
    ).toContain('10453');
  });

  it('is what reinstalling and removing need', async () => {
    expect(detail(await act('host2', 'install', { root_password: 'host-root-password' }))).toContain(
      'illegal for installation',
    );
    expect((await lab.api('DELETE', `/hosts/${String((await host('host2'))['id'])}`)).status).toBe(409);
    await act('host2', 'deactivate');
    await reaches('host2', 'maintenance');
    lab.clock.hold();
    const install = await act('host2', 'install', {
      root_password: 'host-root-password',
      undeploy_hosted_engine: true,
      activate: true,
      reboot: false,
    });
    expect([install.status, install.body.includes('host-root-password')]).toEqual([200, false]);
    expect(detail(await act('host2', 'install', {}))).toContain('Related operation is currently in progress');
    lab.clock.go();
    await reaches('host2', 'up');
    await until('undeployed', async () => !('hosted_engine' in (await host('host2', '&all_content'))));
  });
});

it('follows a silent host: connecting, non_responsive, up again; its VM becomes unknown', async () => {
  const one = lab.gateway.hosts.get('host1');
  if (one) one.reachable = false;
  await reaches('host1', 'non_responsive');
  const codes = many(await lab.api('GET', '/events?search=event_host%3Dhost1&from=25'), 'event').map(
    (one) => one['code'],
  );
  expect(codes.toReversed()).toEqual(['9026', '12']);
  await until('unknown', async () => (await lab.api('GET', `/vms/${lab.fixture.vm.id}`)).json['status'] === 'unknown');
  if (one) one.reachable = true;
  await reaches('host1', 'up');
});

describe('global maintenance', () => {
  const path = () => `/vms/${lab.fixture.vm.id}/maintenance`;

  it('goes through the host of the engine VM and shows with the next statistics', async () => {
    await until('statistics', async () => 'hosted_engine' in (await host('host1', '&all_content')));
    expect((await lab.api('POST', path(), { maintenance_enabled: 'true' })).json['status']).toBe('complete');
    await until(
      'shown',
      async () => at(await host('host3', '&all_content'), 'hosted_engine', 'global_maintenance') === 'true',
    );
  });

  it('is refused without its flag, when the host cannot do it, and on other VMs with plain text', async () => {
    await until('statistics', async () => 'hosted_engine' in (await host('host1', '&all_content')));
    expect((await lab.api('POST', path(), {})).json).toMatchObject({ fault: { reason: 'Incomplete parameters' } });
    lab.gateway.failing.set('setHaMaintenance', 'no');
    const failed = await lab.api('POST', path(), { maintenance_enabled: true });
    expect([failed.status, detail(failed)]).toEqual([400, '[]']);
    const made = await lab.api('POST', '/vms', {
      name: 'v',
      cluster: { name: 'Default' },
      template: { name: 'Blank' },
    });
    const other = await lab.api('POST', `/vms/${String(made.json['id'])}/maintenance`, { maintenance_enabled: true });
    expect([other.status, other.headers['content-type']]).toEqual([400, expect.stringContaining('text/plain')]);
  });
});
