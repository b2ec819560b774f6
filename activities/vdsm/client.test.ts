import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { VdsmClient, type VdsmClientOptions } from './client.ts';
import { isCode } from './errors.ts';
import type { VdsmEvent } from './events.ts';
import { encodeFrame } from './stomp.ts';
import { factsOf, FakeVdsm, latch, makePki, type Pki } from './testing.ts';

let pki: Pki;
let vdsm: FakeVdsm;
const clients: VdsmClient[] = [];
const VM = '11111111-1111-4111-8111-111111111111';

function client(options: Partial<VdsmClientOptions> = {}): VdsmClient {
  const quick = { backOffMs: { first: 5, max: 20 }, recoveryPollMs: 5, callTimeoutMs: 5_000 };
  const made = new VdsmClient({ ...vdsm.peer(), ...quick, ...options });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  pki = await makePki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  vdsm = await new FakeVdsm(pki).listen();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((one) => one.close()));
  await vdsm.close();
});

describe('calls', () => {
  it('sends what VDSM wants to see, and nothing before CONNECT', async () => {
    vdsm.handlers.set('VM.getStats', () => ({
      result: [{ vmId: VM, status: 'Up', statusTime: '2147483900', new: 1 }],
    }));
    const stats = await client().call('VM.getStats', { vmID: VM }, { correlationId: 'upgrade-7' });
    expect(stats).toEqual({ vmId: VM, status: 'Up', statusTime: 2147483900, new: 1 });
    const [session] = vdsm.sessions;
    expect(session?.first.toString('latin1', 0, 8)).toBe('CONNECT\n');
    const [connect, subscribe] = session?.frames ?? [];
    expect({ ...connect?.headers }).toEqual({
      'accept-version': '1.2',
      'heart-beat': '10000,10000',
      host: '127.0.0.1',
    });
    expect(session?.frames.map((frame) => frame.command)).toEqual(['CONNECT', 'SUBSCRIBE', 'SEND', 'SEND']);
    const sent = vdsm.received.find((one) => one.verb === 'VM.getStats');
    expect(sent?.headers).toMatchObject({
      destination: 'jms.topic.vdsm_requests',
      'reply-to': subscribe?.headers['destination'],
      ovirtCorrelationId: 'upgrade-7',
    });
    expect(sent?.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(sent?.headers['reply-to']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([false, true])('matches answers in any order (in lists: %s)', async (inLists) => {
    vdsm.answersInLists = inLists;
    const first = latch();
    vdsm.handlers.set('VM.getStats', async ({ params }) => {
      if (params['vmID'] === 'a') await first.opened;
      return { result: [{ vmId: params['vmID'], status: 'Up' }] };
    });
    const host = client();
    const a = host.call('VM.getStats', { vmID: 'a' });
    expect((await host.call('VM.getStats', { vmID: 'b' })).vmId).toBe('b');
    first.open();
    expect((await a).vmId).toBe('a');
  });

  it('shares the host with at most callsInFlightMax calls, in order', async () => {
    const gates = Array.from({ length: 7 }, latch);
    vdsm.handlers.set('VM.getStats', async ({ params }) => {
      await gates[Number(params['vmID'])]?.opened;
      return { result: [{ vmId: params['vmID'], status: 'Up' }] };
    });
    const host = client({ callsInFlightMax: 2 });
    const calls = gates.map((_gate, i) => host.call('VM.getStats', { vmID: String(i) }));
    const seen = () => vdsm.received.filter((one) => one.verb === 'VM.getStats').map((one) => one.params['vmID']);
    for (const [i, gate] of gates.entries()) {
      await vi.waitFor(() => expect(seen()).toHaveLength(Math.min(i + 2, 7)));
      gate.open();
      await calls[i];
    }
    expect(seen()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  it('times out with an unknown outcome, keeps the place until the late answer, and drops that quietly', async () => {
    const late = latch();
    vdsm.handlers.set('VM.destroy', async () => {
      await late.opened;
      return { result: true };
    });
    const debug = vi.fn<(facts: object, message: string) => void>();
    const host = client({ callsInFlightMax: 1, logger: { debug, info: () => {}, warn: () => {} } });
    await host.call('Host.ping2', {});
    const facts = await factsOf(host.call('VM.destroy', { vmID: VM }, { timeoutMs: 1_000 }));
    expect(facts).toMatchObject({
      type: 'vdsm/call-timeout',
      outcomeUnknown: true,
      kind: 'retryable',
      subject: 'host1',
    });
    // The host's worker is still busy: the next call is not even sent.
    const next = await factsOf(host.call('Host.ping2', {}, { timeoutMs: 50 }));
    expect(next).toMatchObject({ type: 'vdsm/queue-timeout', outcomeUnknown: false });
    late.open();
    await expect(host.call('Host.ping2', {})).resolves.toBe(true);
    expect(debug).toHaveBeenCalledWith(expect.objectContaining({ verb: 'VM.destroy' }), 'late answer dropped');
    expect(vdsm.sessions).toHaveLength(1);
  });

  it("rejects with the signal's reason, before and after sending", async () => {
    vdsm.handlers.set('Host.getStats', () => 'silent');
    const host = client();
    const reason = new Error('cancelled by the operator');
    await expect(host.call('Host.ping2', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(vdsm.received).toEqual([]);
    const controller = new AbortController();
    const call = host.call('Host.getStats', {}, { signal: controller.signal });
    const rejected = expect(call).rejects.toBe(reason);
    await vi.waitFor(() => expect(vdsm.verbs()).toContain('Host.getStats'));
    controller.abort(reason);
    await rejected;
  });

  it('types errors by code and says what was unexpected', async () => {
    vdsm.handlers.set('VM.getStats', () => ({ code: 1, message: "Virtual machine does not exist: {'vmId': 'x'}" }));
    vdsm.handlers.set('VM.create', () => ({ code: -32603, message: 'Internal JSON-RPC error: boom.' }));
    vdsm.handlers.set('Volume.getSize', () => ({ result: { apparentsize: 'many', truesize: '1' } }));
    const host = client();
    const gone = await host.call('VM.getStats', { vmID: VM }).catch((error: unknown) => error);
    expect(isCode(gone, 1)).toBe(true);
    const boom = await factsOf(host.call('VM.create', { vmID: VM, vmParams: { xml: '<domain/>' } }));
    expect(boom).toMatchObject({ type: 'vdsm/internal', code: -32603, outcomeUnknown: true, kind: 'retryable' });
    const ids = { volumeID: VM, imageID: VM, storagepoolID: VM, storagedomainID: VM };
    const odd = await factsOf(host.call('Volume.getSize', ids));
    expect(odd.type).toBe('vdsm/unexpected-answer');
    expect(odd.why).toContain('apparentsize');
  });

  it('refuses to send more than the host can take', async () => {
    const call = client().call('VM.create', { vmID: VM, vmParams: { xml: 'x'.repeat(1024 * 1024) } });
    expect(await factsOf(call)).toMatchObject({ type: 'vdsm/request-too-large', kind: 'fatal' });
    expect(vdsm.sessions).toHaveLength(0);
  });
});

describe('a connection that breaks', () => {
  it('after the request was written: unknown outcome, not sent again, and the next call reconnects', async () => {
    vdsm.handlers.set('Volume.delete', () => 'cut');
    const host = client();
    const ids = { volumeID: VM, imageID: VM, storagepoolID: VM, storagedomainID: VM };
    const facts = await factsOf(host.call('Volume.delete', ids));
    expect(facts).toMatchObject({ type: 'vdsm/answer-lost', outcomeUnknown: true, kind: 'retryable' });
    await expect(host.call('Host.ping2', {})).resolves.toBe(true);
    expect(vdsm.verbs().filter((verb) => verb === 'Volume.delete')).toHaveLength(1);
    expect(vdsm.sessions).toHaveLength(2);
    expect(new Set(vdsm.sessions.flatMap((one) => [...one.subscriptions.keys()])).size).toBe(2);
  });

  it('before the request was written: carried over to the next connection within the call', async () => {
    await vdsm.close();
    const host = client();
    const call = host.call('Host.ping2', {});
    await vdsm.listen();
    await expect(call).resolves.toBe(true);
  });

  it('says at the deadline why there was no connection', async () => {
    await vdsm.close();
    const facts = await factsOf(client().call('Host.ping2', {}, { timeoutMs: 1_000 }));
    expect(facts).toMatchObject({ type: 'vdsm/connection-refused', kind: 'retryable', subject: 'host1' });
    expect(facts.outcomeUnknown).not.toBe(true);
    expect(facts.remedy).toContain('vdsmd');
  });

  it('by silence: dead at twice the agreed interval, while our own beats keep coming', async () => {
    vdsm.heartBeat = '60,60';
    vdsm.beatMs = 30;
    vdsm.handlers.set('VM.destroy', () => 'silent');
    const host = client({ heartBeatMs: 60, awaitRecovery: false });
    const call = factsOf(host.call('VM.destroy', { vmID: VM }));
    await vi.waitFor(() => expect(vdsm.sessions[0]?.beats).toBeGreaterThan(4));
    expect(vdsm.sessions).toHaveLength(1);
    vdsm.beatMs = 0;
    const facts = await call;
    expect(facts).toMatchObject({ type: 'vdsm/answer-lost', outcomeUnknown: true });
    expect(facts.why).toMatch(/nothing heard for \d+ ms/);
  });

  it('by an ERROR frame: its text reaches the caller', async () => {
    vdsm.handlers.set('VM.destroy', () => {
      vdsm.sessions[0]?.socket.write(encodeFrame('ERROR', {}, 'Subscription not available'));
      return 'silent';
    });
    const facts = await factsOf(client().call('VM.destroy', { vmID: VM }));
    expect(facts).toMatchObject({ type: 'vdsm/answer-lost', outcomeUnknown: true });
    expect(facts.why).toContain('Subscription not available');
  });

  it('by bytes that are no STOMP: good frames before them still count', async () => {
    vdsm.handlers.set('Host.getStats', ({ id, headers }) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id, result: { memFree: 7 } });
      const good = encodeFrame('MESSAGE', { destination: headers['reply-to'] ?? '' }, body);
      vdsm.sessions[0]?.socket.write(Buffer.concat([good, Buffer.from('garbage')]));
      return 'silent';
    });
    const host = client();
    await expect(host.call('Host.getStats', {})).resolves.toEqual({ memFree: 7 });
    await expect(host.call('Host.ping2', {})).resolves.toBe(true);
    expect(vdsm.sessions).toHaveLength(2);
  });
});

describe('a host that refuses for now', () => {
  it('99 after a connect: calls wait until ping2 has passed', async () => {
    let recovering = 3;
    vdsm.handlers.set('Host.ping2', () => {
      recovering -= 1;
      return recovering >= 0 ? { code: 99, message: 'Recovering from crash or Initializing' } : { result: true };
    });
    vdsm.handlers.set('Host.getStats', () => ({ result: {} }));
    await client().call('Host.getStats', {});
    expect(vdsm.verbs()).toEqual(['Host.ping2', 'Host.ping2', 'Host.ping2', 'Host.ping2', 'Host.getStats']);
  });

  it('99 for longer than the call may take: the error says recovering', async () => {
    vdsm.handlers.set('Host.ping2', () => ({ code: 99, message: 'Recovering' }));
    const facts = await factsOf(client().call('Host.getStats', {}, { timeoutMs: 1_000 }));
    expect(facts).toMatchObject({ type: 'vdsm/recovering', code: 99, kind: 'retryable', outcomeUnknown: false });
    expect(vdsm.verbs()).not.toContain('Host.getStats');
  });

  it.each([99, 1100])('%i to a call: asked again, for nothing ran', async (code) => {
    let refusals = 2;
    vdsm.handlers.set('Host.getStats', () => {
      refusals -= 1;
      return refusals >= 0 ? { code, message: 'not now' } : { result: { vmCount: '3' } };
    });
    expect(await client().call('Host.getStats', {})).toEqual({ vmCount: 3 });
    const ids = vdsm.received.map((one) => one.id);
    expect(new Set(ids).size).toBe(4);
  });

  it.each([
    [99, 'vdsm/recovering'],
    [1100, 'vdsm/busy'],
  ])('%i is an error without awaitRecovery', async (code, type) => {
    vdsm.handlers.set('Host.ping2', () => ({ code, message: 'not now' }));
    const facts = await factsOf(client({ awaitRecovery: false }).call('Host.ping2', {}));
    expect(facts).toMatchObject({ type, code, kind: 'retryable', outcomeUnknown: false });
    expect(vdsm.received).toHaveLength(1);
  });

  it('1100 up to the deadline: the error says busy', async () => {
    vdsm.handlers.set('Host.getStats', () => ({ code: 1100, message: 'Not enough resources' }));
    const facts = await factsOf(client().call('Host.getStats', {}, { timeoutMs: 1_000 }));
    expect(facts).toMatchObject({ type: 'vdsm/busy', code: 1100 });
    expect(vdsm.received.length).toBeGreaterThan(2);
  });
});

describe('events', () => {
  it('come typed, and after a lost connection begin again with `connected`', async () => {
    const host = client();
    const seen: VdsmEvent[] = [];
    const stop = host.onEvent((event) => seen.push(event));
    await vi.waitFor(() => expect(seen).toEqual([{ kind: 'connected' }]));
    vdsm.event(`|virt|VM_status|${VM}`, { [VM]: { status: 'Down', exitCode: 1 }, notify_time: 4297000000 });
    vdsm.event('|net|host_conn|no_id', { notify_time: 4297000001 });
    vdsm.event('|jobs|status|j1', { id: 'j1', status: 'done', notify_time: 4297000002 });
    await vi.waitFor(() => expect(seen).toHaveLength(4));
    expect(seen.slice(1)).toEqual([
      { kind: 'vm-status', vmId: VM, fields: { status: 'Down', exitCode: 1 }, notifyTime: 4297000000 },
      { kind: 'host-connectivity', notifyTime: 4297000001 },
      expect.objectContaining({ kind: 'job-status', jobId: 'j1' }),
    ]);
    vdsm.kick();
    await vi.waitFor(() => expect(seen.at(-1)).toEqual({ kind: 'connected' }));
    vdsm.event(`|virt|VM_migration_status|${VM}`, { [VM]: { progress: 40 }, notify_time: 1 });
    await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ kind: 'vm-migration', fields: { progress: 40 } }));
    stop();
    const before = seen.length;
    vdsm.event('|net|host_conn|no_id', { notify_time: 5 });
    await host.call('Host.ping2', {});
    expect(seen).toHaveLength(before);
  });

  it('can be asked for on a connection that is already there; a listener that throws disturbs nobody', async () => {
    const host = client();
    await host.call('Host.ping2', {});
    host.onEvent(() => {
      throw new Error('listener');
    });
    const seen: VdsmEvent[] = [];
    host.onEvent((event) => seen.push(event));
    await host.call('Host.ping2', {});
    for (const session of vdsm.sessions) session.message('jms.queue.events', 'nonsense');
    vdsm.event('|x|y|z', { a: 1 });
    await vi.waitFor(() => expect(seen.at(-1)).toEqual({ kind: 'other', name: '|x|y|z', fields: { a: 1 } }));
    expect(vdsm.sessions).toHaveLength(1);
  });
});

describe('close', () => {
  it('ends calls, says DISCONNECT with a receipt, and takes no more calls', async () => {
    vdsm.handlers.set('VM.destroy', () => 'silent');
    const host = client({ callsInFlightMax: 1 });
    const sent = factsOf(host.call('VM.destroy', { vmID: VM }));
    await vi.waitFor(() => expect(vdsm.verbs()).toContain('VM.destroy'));
    const queued = factsOf(host.call('Host.ping2', {}));
    await host.close();
    expect(await sent).toMatchObject({ type: 'vdsm/answer-lost', outcomeUnknown: true });
    expect(await queued).toMatchObject({ type: 'vdsm/closed' });
    expect(await factsOf(host.call('Host.ping2', {}))).toMatchObject({ type: 'vdsm/closed' });
    const last = vdsm.sessions[0]?.frames.at(-1);
    expect(last?.command).toBe('DISCONNECT');
    expect(last?.headers['receipt']).toBeTruthy();
    await vi.waitFor(() => expect(vdsm.sessions[0]?.socket.destroyed).toBe(true));
  });
});
