import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type HostHandle } from './host.ts';
import { RawStomp, startTestLab, type TestLab, until } from './lab-for-tests.ts';
import { asciiJson, type Json, repr } from './python.ts';

let lab: TestLab;
let host: HostHandle;
let client: RawStomp;
beforeAll(async () => {
  lab = await startTestLab(1);
  host = lab.host(1);
  client = await RawStomp.open(lab, host);
  client.send('SUBSCRIBE', { id: 'default', destination: 'jms.topic.vdsm_responses' });
});
afterEach(() => lab.faults.clear());
afterAll(async () => {
  client.close();
  await lab.close();
});

describe('JSON-RPC of a lab host (vdsm.md 4)', () => {
  it('answers an array of one with a bare object, on the reply-to', async () => {
    client.request('[{"jsonrpc":"2.0","method":"Host.ping2","params":[],"id":"one"}]');
    const frame = await client.frame('MESSAGE');
    expect(frame.headers['destination']).toBe(client.replies);
    expect(JSON.parse(frame.body.toString())).toEqual({ jsonrpc: '2.0', id: 'one', result: true });
  });

  it('takes positional parameters in the order of the schema', async () => {
    client.request('{"jsonrpc":"2.0","method":"Host.echo","params":["häé"],"id":"x"}');
    const { body } = await client.frame('MESSAGE');
    expect(body.toString()).toBe('{"jsonrpc": "2.0", "id": "x", "result": "h\\u00e4\\u00e9"}');
  });

  it('sends bad JSON to the default destination, once', async () => {
    client.request('{"jsonrpc"');
    const frame = await client.frame('MESSAGE');
    expect(frame.headers['destination']).toBe('jms.topic.vdsm_responses');
    expect(JSON.parse(frame.body.toString())).toMatchObject({ id: null, error: { code: -32700 } });
    await client.call('Host.ping2');
    expect(client.frames).toEqual([]);
  });

  it.each([
    ['no method', '{"jsonrpc":"2.0","id":"1"}'],
    ['another version', '{"jsonrpc":"1.0","method":"Host.ping2","id":"1"}'],
    ['params of another type', '{"jsonrpc":"2.0","method":"Host.ping2","params":"x","id":"1"}'],
  ])('answers an invalid request (%s) twice, with id null, to the default destination', async (_, body) => {
    client.request(body);
    for (const frame of [await client.frame('MESSAGE'), await client.frame('MESSAGE')]) {
      expect(frame.headers['destination']).toBe('jms.topic.vdsm_responses');
      expect(JSON.parse(frame.body.toString())).toMatchObject({ id: null, error: { code: -32600 } });
    }
  });

  it('survives an empty batch, a batch, a notification and garbage; batch and notification get no answer', async () => {
    client.request('[]');
    expect(await client.json()).toMatchObject({ id: null, error: { code: -32600 } });
    client.request(
      '[{"jsonrpc":"2.0","method":"Host.ping2","id":"1"},{"jsonrpc":"2.0","method":"Host.ping2","id":"2"}]',
    );
    client.request('{"jsonrpc":"2.0","method":"Host.ping2"}');
    expect(await client.call('Host.ping2')).toBe(true);
    expect(client.frames).toEqual([]);
  });

  it('names an unknown method and a missing parameter', async () => {
    await expect(client.call('Host.nothing')).rejects.toMatchObject({ code: -32601 });
    await expect(client.call('nodot')).rejects.toMatchObject({ code: -32601 });
    await expect(client.call('VM.getStats')).rejects.toMatchObject({ code: -32603 });
    await expect(client.call('VM.getStats', { vmID: 'x' })).rejects.toMatchObject({
      code: 1,
      message: "Virtual machine does not exist: {'vmId': 'x'}",
    });
  });

  it('drops the answer to a request without reply-to', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'Host.ping2', id: 'lost' });
    client.send('SEND', { destination: 'jms.topic.vdsm_requests' }, body);
    await client.call('Host.ping2');
    expect(client.frames).toEqual([]);
  });

  it('answers 99 to every verb while recovering, unknown ones too, and counts', async () => {
    lab.faults.inject({ kind: 'vdsm-recovering', host: 'host1', calls: 2 });
    await expect(client.call('Host.ping2')).rejects.toMatchObject({ code: 99 });
    await expect(client.call('No.such')).rejects.toMatchObject({ code: 99 });
    expect(await client.call('Host.ping2')).toBe(true);
  });

  it('answers the injected error, once, on that verb of that host only', async () => {
    lab.faults.inject({ kind: 'vdsm-error', host: 'host1', verb: 'Host.echo', code: 16, message: 'boom', times: 1 });
    expect(await client.call('Host.ping2')).toBe(true);
    await expect(client.call('Host.echo', { message: 'a' })).rejects.toMatchObject({ code: 16, message: 'boom' });
    expect(await client.call('Host.echo', { message: 'a' })).toBe('a');
  });

  it('a cut connection: the call was carried out, the answer is lost', async () => {
    lab.faults.inject({ kind: 'vdsm-cut', verb: 'Host.setHaMaintenanceMode', times: 1 });
    const other = await RawStomp.open(lab, host);
    await expect(other.call('Host.setHaMaintenanceMode', { mode: 'GLOBAL', enabled: true })).rejects.toThrow('lost');
    expect(lab.storage.globalMaintenance()).toBe(true);
    await client.call('Host.setHaMaintenanceMode', { mode: 'GLOBAL', enabled: false });
  });

  it('slow verbs hold the 8 workers; beyond the queue of 80 calls are refused with 1100', async () => {
    lab.faults.inject({ kind: 'vdsm-slow', verb: 'Host.echo', delayMs: 20_000 });
    const ids = Array.from({ length: 100 }, () => randomUUID());
    for (const id of ids) {
      client.request(JSON.stringify({ jsonrpc: '2.0', method: 'Host.echo', params: ['x'], id }));
    }
    await until('refusals', () => client.frames.length >= 12);
    const refused = client.frames.map(
      (frame) => JSON.parse(frame.body.toString()) as { error?: { code: number; message: string } },
    );
    expect(refused).toHaveLength(12);
    expect(refused.every((one) => one.error?.code === 1100)).toBe(true);
    expect(refused[0]?.error?.message).toBe(
      "Not enough resources: {'resource': 'jsonrpc', 'current_tasks': 80, 'reason': 'Too many tasks'}",
    );
    lab.faults.clear();
    await until('the rest', () => client.frames.length === 100);
    client.frames.splice(0);
  });

  it('events reach subscribers, with a time above 2^31 and no id', async () => {
    const other = await RawStomp.open(lab, host);
    other.send('SUBSCRIBE', { id: 'ev', destination: 'jms.queue.events' });
    await other.call('Host.ping2');
    host.state.emitVm('v', { status: 'Up' });
    const event = await other.json();
    expect(event).toMatchObject({ method: '|virt|VM_status|v', params: { v: { status: 'Up' } } });
    expect(event['id']).toBeUndefined();
    expect((event['params'] as { notify_time: number }).notify_time).toBeGreaterThan(2 ** 31);
    other.close();
  });
});

describe('python texts', () => {
  it('prints as Python does', () => {
    const value = { a: [1, true, null], b: "it's", c: 'x"y\'z', d: 'tab\t' };
    expect(repr(value)).toBe(`{'a': [1, True, None], 'b': "it's", 'c': 'x"y\\'z', 'd': 'tab\\t'}`);
  });

  it('asciiJson is ASCII and says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = asciiJson(value as Json);
        expect(/^[\u0020-\u007e]*$/.test(text)).toBe(true);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
