import { afterAll, beforeEach, describe, expect, it } from 'vitest';

import { at, many, startTestEngine, until } from '../testing.ts';
import type { TestEngine } from '../testing.ts';

let lab: TestEngine;
beforeEach(async () => {
  await lab?.close();
  lab = await startTestEngine({ managed: true });
  await until('statistics', async () => at(await host('host3', '&all_content'), 'hosted_engine', 'score') === '3400');
});
afterAll(async () => await lab.close());

async function host(name: string, query = ''): Promise<Record<string, unknown>> {
  return many(await lab.api('GET', `/hosts?search=name%3D${name}${query}`), 'host')[0] ?? {};
}
const status = async (name: string) => (await host(name))['status'];
const act = async (name: string, verb: string, body: object = {}) =>
  await lab.api('POST', `/hosts/${String((await host(name))['id'])}/${verb}`, body);
const detail = (answer: { json: object }) => at(answer.json as never, 'fault', 'detail');
const codes = async (name: string) =>
  many(await lab.api('GET', `/events?search=event_host%3D${name}`), 'event').map((one) => Number(one['code']));

async function check(name: string): Promise<void> {
  expect((await act(name, 'upgradecheck')).status).toBe(200);
  await until(`${name} checked`, async () => (await codes(name)).includes(885));
}

describe('updates of a host', () => {
  it('are found when there are some, installed in maintenance, and end there after a reboot', async () => {
    lab.gateway.offered.add('host2');
    await check('host2');
    expect((await host('host2'))['update_available']).toBe('true');
    await act('host2', 'deactivate');
    await until('maintenance', async () => (await status('host2')) === 'maintenance');
    lab.clock.hold();
    expect((await act('host2', 'upgrade')).json['status']).toBe('complete');
    expect(await status('host2')).toBe('installing');
    expect(detail(await act('host2', 'upgrade'))).toContain('Related operation is currently in progress');
    lab.clock.go();
    await until('reboot', async () => ['reboot', 'maintenance'].includes(String(await status('host2'))));
    await until('maintenance', async () => (await status('host2')) === 'maintenance');
    expect((await host('host2'))['update_available']).toBe('false');
    expect(await codes('host2')).toEqual(expect.arrayContaining([884, 885, 840, 888]));
  });

  it('take a host that is up to maintenance first, and back', async () => {
    lab.gateway.offered.add('host2');
    await check('host2');
    await act('host2', 'upgrade');
    await until('updated', async () => (await codes('host2')).includes(888));
    await until('up', async () => (await status('host2')) === 'up');
    expect(lab.gateway.hosts.get('host2')?.ha.localMaintenance).toBe(false);
  });

  it('are refused where there are none', async () => {
    await check('host3');
    expect((await host('host3'))['update_available']).toBe('false');
    const none = await act('host3', 'upgrade');
    expect([none.status, detail(none)]).toEqual([409, expect.stringContaining('There are no available updates')]);
  });

  it('can be told to fail, which leaves install_failed; maintenance is the way out', async () => {
    lab.gateway.offered.add('host2');
    await check('host2');
    lab.engine.faults.inject({ kind: 'engine-host-update', host: 'host2', times: 1 });
    await act('host2', 'upgrade');
    await until('failed', async () => (await status('host2')) === 'install_failed');
    expect(await codes('host2')).toContain(841);
    expect(detail(await act('host2', 'upgrade'))).toContain('Valid Host statuses for upgrade are');
    await act('host2', 'deactivate');
    await until('maintenance', async () => (await status('host2')) === 'maintenance');
    expect((await host('host2'))['update_available']).toBe('true');
  });

  it('say so when nobody can look for them', async () => {
    lab.gateway.failing.set('updatesOffered', 'no repository answers');
    await act('host2', 'upgradecheck');
    await until('failed', async () => (await codes('host2')).includes(839));
  });
});

describe('migration of the engine VM', () => {
  const migrate = () => lab.api('POST', `/vms/${lab.fixture.vm.id}/migrate`, {});

  it('goes to the best other host', async () => {
    const three = lab.gateway.hosts.get('host3');
    if (three) three.ha = { ...three.ha, score: 3399 };
    await until('seen', async () => at(await host('host3', '&all_content'), 'hosted_engine', 'score') === '3399');
    expect((await migrate()).status).toBe(200);
    await until('moved', async () => lab.gateway.hosts.get('host2')?.vms.length === 1);
    expect(lab.gateway.hosts.get('host1')?.vms).toEqual([]);
  });

  it('is refused while no other host may have it', async () => {
    for (const [name, score] of [
      ['host2', 2600],
      ['host3', 0],
    ] as const) {
      const other = lab.gateway.hosts.get(name);
      if (other) other.ha = { ...other.ha, score };
    }
    await until('seen', async () => at(await host('host3', '&all_content'), 'hosted_engine', 'score') === '0');
    await until('seen', async () => at(await host('host2', '&all_content'), 'hosted_engine', 'score') === '2600');
    const answer = await migrate();
    expect([answer.status, detail(answer)]).toEqual([
      409,
      expect.stringContaining('no host that satisfies current scheduling constraints'),
    ]);
  });
});
