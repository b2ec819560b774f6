import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { at, LAB_KEY, many, startTestEngine, until } from '../testing.ts';
import type { TestEngine } from '../testing.ts';

let lab: TestEngine;
beforeAll(async () => {
  lab = await startTestEngine({ managed: true });
});
afterAll(async () => await lab.close());

const XML = { accept: 'application/xml', 'content-type': 'application/xml' };

async function xml(method: string, path: string, body?: string) {
  return await lab.raw(method, `/ovirt-engine/api${path}`, { ...XML, authorization: `Bearer ${lab.token}` }, body);
}

describe('the root', () => {
  it('says who and what the engine is', async () => {
    const { json } = await lab.api('GET', '');
    expect(at(json, 'product_info', 'version', 'major')).toBe('4');
    expect(at(json, 'special_objects', 'blank_template', 'id')).toBe('00000000-0000-0000-0000-000000000000');
    expect(at(json, 'summary', 'hosts', 'total')).toBe('3');
    expect(at(json, 'authenticated_user', 'id')).toBeTypeOf('string');
  });

  it('is XML where nothing is asked for, JSON by header or parameter', async () => {
    const auth = { authorization: `Bearer ${lab.token}` };
    expect((await lab.raw('GET', '/ovirt-engine/api', auth)).body).toMatch(/^<\?xml .*\?><api>/);
    expect((await lab.raw('GET', '/ovirt-engine/api?accept=application/json', auth)).json).toHaveProperty(
      'product_info',
    );
    expect(
      (await lab.raw('GET', '/ovirt-engine/api', { ...auth, accept: 'application/json;q=1, application/xml;q=0.5' }))
        .json,
    ).toHaveProperty('product_info');
  });
});

describe('transport', () => {
  it('keeps links under the prefix the client used', async () => {
    const { json } = await lab.api('GET', '/v4/hosts');
    expect(many({ json, status: 200, body: '', headers: {} }, 'host')[0]?.['href']).toMatch(
      /^\/ovirt-engine\/api\/v4\/hosts\//,
    );
    expect((await xml('GET', '/hosts')).body).toMatch(/<hosts><host id="[^"]+" href="\/ovirt-engine\/api\/hosts\//);
  });

  it('refuses other versions', async () => {
    expect((await lab.api('GET', '/v3/hosts')).status).toBe(400);
    expect((await lab.api('GET', '/hosts', undefined, { version: '3' })).status).toBe(400);
    expect((await lab.api('GET', '/hosts', undefined, { version: '4' })).status).toBe(200);
  });

  it('always answers a correlation id: kept characters, cut to 36, or one of its own', async () => {
    const id = async (headers: Record<string, string>, query = '') =>
      (await lab.api('GET', query, undefined, headers)).headers['correlation-id'];
    expect(await id({ 'correlation-id': 'op 1/a:b_c-d' })).toBe('op1ab_c-d');
    expect(await id({ 'correlation-id': 'x'.repeat(50) })).toBe('x'.repeat(36));
    expect(await id({}, '?correlation_id=mine')).toBe('mine');
    expect(await id({})).toMatch(/^[\da-f-]{36}$/);
    expect((await lab.raw('GET', '/ovirt-engine/api', {})).headers['correlation-id']).toMatch(/^[\da-f-]{36}$/);
  });

  it('answers what is missing with an empty 404 and a malformed id with 400', async () => {
    const missing = await lab.api('GET', '/hosts/00000000-0000-0000-0000-000000000001');
    expect([missing.status, missing.body]).toEqual([404, '']);
    const malformed = await lab.api('GET', '/hosts/nonsense');
    expect([malformed.status, malformed.json['reason']]).toEqual([400, 'Operation failed']);
    expect((await lab.api('GET', '/nothing')).status).toBe(404);
    expect((await lab.api('PUT', '/hosts', {})).status).toBe(405);
  });

  it('answers an unreadable or missing body with a usage message, another type with 415', async () => {
    for (const [headers, body] of [
      [XML, '<host'],
      [XML, undefined],
      [{ 'content-type': 'application/json' }, '['],
    ] as const) {
      const { status, body: text } = await lab.raw(
        'POST',
        '/ovirt-engine/api/hosts',
        { authorization: `Bearer ${lab.token}`, ...headers },
        body,
      );
      expect([status, text.includes('usage_message')]).toEqual([400, true]);
    }
    expect(
      (
        await lab.raw(
          'POST',
          '/ovirt-engine/api/hosts',
          { authorization: `Bearer ${lab.token}`, 'content-type': 'text/plain' },
          'x',
        )
      ).status,
    ).toBe(415);
  });

  it('names missing fields, bad numbers and bad flags with 400', async () => {
    const incomplete = await lab.api('POST', '/hosts', { comment: 'x' });
    expect([incomplete.status, incomplete.json]).toEqual([
      400,
      { reason: 'Incomplete parameters', detail: 'Host [name, address] required for add' },
    ]);
    const number = await xml('PUT', `/vms/${lab.fixture.vm.id}`, '<vm><memory>much</memory></vm>');
    expect([number.status, number.body]).toEqual([400, expect.stringContaining('<reason>Invalid value</reason>')]);
  });

  it('wraps the fault of an action, and only of an action', async () => {
    const action = await xml('POST', `/vms/${lab.fixture.vm.id}/stop`, '<action/>');
    expect(action.status).toBe(400);
    expect(action.body).toMatch(
      /<action><status>failed<\/status><fault><detail>\[.*not managed by the engine\.\]<\/detail><reason>Operation Failed<\/reason><\/fault><\/action>/,
    );
    expect((await xml('DELETE', `/vms/${lab.fixture.vm.id}`)).body).toMatch(/\?><fault><detail>/);
  });

  it('never gives a password back', async () => {
    const [host] = many(await lab.api('GET', '/hosts'), 'host');
    const { body } = await lab.api('POST', `/hosts/${String(host?.['id'])}/refresh`, {
      root_password: 'geheim',
      reason: 'why',
    });
    expect(body).toContain('why');
    expect(body).not.toContain('geheim');
  });
});

describe('parameters', () => {
  it('come as query, matrix or header; an empty flag is true, a bad one is no flag', async () => {
    const seen = async (path: string, headers?: Record<string, string>) =>
      'hosted_engine' in (many(await lab.api('GET', path, undefined, headers), 'host')[0] ?? {});
    await until('statistics', async () => await seen('/hosts?all_content'));
    expect(await seen('/hosts')).toBe(false);
    for (const yes of ['?all_content=true', '?all_content=Y', '?all_content=1', ';all_content', ';All-Content=t'])
      expect(await seen(`/hosts${yes}`)).toBe(true);
    for (const no of ['?all_content=false', '?all_content=no', '?all_content=perhaps'])
      expect(await seen(`/hosts${no}`)).toBe(false);
    expect(await seen('/hosts', { 'all-content': 'true' })).toBe(true);
  });

  it('search, limit and order lists', async () => {
    const names = async (query: string) =>
      many(await lab.api('GET', `/hosts${query}`), 'host').map((host) => host['name']);
    expect(await names('?search=name%3Dhost2')).toEqual(['host2']);
    expect(await names('?search=spm_id%3D3')).toEqual(['host3']);
    expect(await names(`?search=${encodeURIComponent('status=up and name=HOST* sortby name desc')}&max=2`)).toEqual([
      'host3',
      'host2',
    ]);
    expect(await names(`?search=${encodeURIComponent('sortby name page 2')}&max=2`)).toEqual(['host3']);
    expect(await names(`?search=${encodeURIComponent('vms.name=HostedEngine')}`)).toEqual(['host1']);
    expect(await names('?search=name%3DHOST2&case_sensitive=true')).toEqual([]);
    const bad = await lab.api('GET', '/hosts?search=nosuch%3D1');
    expect([bad.status, bad.json['reason']]).toEqual([400, 'Operation Failed']);
    expect((await lab.api('GET', '/hosts?search=name%3Dnone')).body).toBe('{}');
  });

  it('follow links, several levels deep', async () => {
    const { json } = await lab.api(
      'GET',
      `/vms/${lab.fixture.vm.id}?follow=DiskAttachments.disk,nics.vnic_profile.network`,
    );
    const [attachment] = at(json, 'disk_attachments', 'disk_attachment') as { disk: object }[];
    expect(attachment?.disk).toMatchObject({ name: 'he_virtio_disk', content_type: 'hosted_engine' });
    const [nic] = at(json, 'nics', 'nic') as object[];
    expect(at(nic as never, 'vnic_profile', 'network', 'name')).toBe('ovirtmgmt');
    expect((json['link'] as { rel: string }[]).map((one) => one.rel)).not.toContain('nics');
    expect((await xml('GET', '/vms?follow=nics')).body).toMatch(/<nics><nic id=/);
  });
});

describe('events', () => {
  it('are at least twenty, newest first, with numeric codes and some warnings', async () => {
    const events = many(await lab.api('GET', '/events'), 'event');
    expect(events.length).toBeGreaterThanOrEqual(20);
    const indexes = events.map((one) => Number(one['index']));
    expect(indexes).toEqual(indexes.toSorted((a, b) => b - a));
    expect(events.every((one) => /^\d+$/.test(String(one['code'])))).toBe(true);
    expect(events.some((one) => one['severity'] === 'warning')).toBe(true);
    const newer = many(await lab.api('GET', `/events?from=${indexes[3]}&max=2`), 'event').map((one) =>
      Number(one['index']),
    );
    expect(newer).toEqual([indexes[0], indexes[1]]);
  });

  it('are found by the correlation id of what caused them, and may be added from outside', async () => {
    const put = await lab.api(
      'PUT',
      `/vms/${lab.fixture.vm.id}`,
      { comment: 'by me' },
      { 'correlation-id': 'my-operation' },
    );
    expect(put.status).toBe(200);
    const mine = many(
      await lab.api('GET', `/events?search=${encodeURIComponent('correlation_id=my-operation')}`),
      'event',
    );
    expect(mine.map((one) => [one['code'], at(one, 'vm', 'name')])).toEqual([['35', 'HostedEngine']]);
    const own = { origin: 'bellwether', severity: 'warning', custom_id: 7, description: 'hello' };
    const added = await lab.api('POST', '/events', own);
    expect([added.status, added.headers.location]).toEqual([
      201,
      expect.stringMatching(/\/ovirt-engine\/api\/events\/\d+$/),
    ]);
    expect((await lab.api('POST', '/events', own)).status).toBe(409);
    expect((await lab.api('POST', '/events', { origin: 'x' })).json['reason']).toBe('Incomplete parameters');
  });
});

describe('jobs', () => {
  it('show what the engine does, and take external ones with steps', async () => {
    const job = await lab.api('POST', '/jobs', { description: 'Upgrade' }, { 'correlation-id': 'op-7' });
    const path = `/jobs/${String(job.json['id'])}`;
    expect(job.json).toMatchObject({ external: 'true', status: 'started' });
    const step = await lab.api('POST', `${path}/steps`, { description: 'first', type: 'executing' });
    await lab.api('POST', `${path}/steps/${String(step.json['id'])}/end`, { succeeded: true });
    expect(many(await lab.api('GET', `${path}/steps`), 'step')).toMatchObject([
      { status: 'finished', type: 'executing' },
    ]);
    await lab.api('POST', `${path}/end`, { succeeded: false });
    expect((await lab.api('GET', path)).json['status']).toBe('failed');
    expect(many(await lab.api('GET', '/jobs?search=correlation_id%3Dop-7'), 'job')).toHaveLength(1);
  });
});

describe('faults', () => {
  const inject = async (fault: object, key = LAB_KEY) =>
    await lab.raw('POST', '/lab/faults', { 'x-lab-key': key }, JSON.stringify(fault));
  const error = (match: string) => ({
    kind: 'engine-error',
    match,
    status: 409,
    reason: 'Operation Failed',
    detail: '[busy]',
    times: 1,
  });

  it('need the key and a known kind', async () => {
    expect((await inject(error('GET /hosts'), 'guess')).status).toBe(403);
    expect((await inject({ kind: 'nonsense' })).status).toBe(400);
  });

  it('answer as often as told, wrapped for actions, a star for any part', async () => {
    await inject(error('GET /hosts/*'));
    const [host] = many(await lab.api('GET', '/hosts'), 'host');
    const path = `/hosts/${String(host?.['id'])}`;
    expect((await lab.api('GET', path)).json).toEqual({ reason: 'Operation Failed', detail: '[busy]' });
    expect((await lab.api('GET', path)).status).toBe(200);
    await inject(error('POST /hosts/*/activate'));
    expect((await lab.api('POST', `${path}/activate`, {})).json).toEqual({
      status: 'failed',
      fault: { reason: 'Operation Failed', detail: '[busy]' },
    });
  });

  it('lose the answer after the command was carried out', async () => {
    await inject({ kind: 'engine-drop', match: 'POST /jobs', times: 1 });
    await expect(lab.api('POST', '/jobs', { description: 'lost' })).rejects.toThrow();
    expect(many(await lab.api('GET', '/jobs?search=description%3Dlost'), 'job')).toHaveLength(1);
  });

  it('slow answers down in lab time until cleared', async () => {
    await inject({ kind: 'engine-slow', match: 'GET /jobs', delayMs: 40_000 });
    const before = performance.now();
    await lab.api('GET', '/jobs');
    expect(performance.now() - before).toBeGreaterThan(190);
    await lab.raw('DELETE', '/lab/faults?kind=engine-slow', { 'x-lab-key': LAB_KEY });
    expect((await lab.raw('GET', '/lab/faults', { 'x-lab-key': LAB_KEY })).body).toBe('[]');
  });

  it('report another data center status, and refuse by it', async () => {
    await inject({ kind: 'data-center-status', status: 'problematic' });
    expect(at(many(await lab.api('GET', '/datacenters'), 'data_center')[0] ?? {}, 'status')).toBe('problematic');
    await lab.raw('DELETE', '/lab/faults', { 'x-lab-key': LAB_KEY });
    expect(at(many(await lab.api('GET', '/datacenters'), 'data_center')[0] ?? {}, 'status')).toBe('up');
  });
});
