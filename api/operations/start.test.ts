import { describe, expect, it } from 'vitest';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import type { StartReply } from '../ports.ts';
import { memoryPorts } from '../testing/ports.ts';
import { createGate } from './gate.ts';
import { requestDigest, startOperation } from './start.ts';

const request: UpgradeRequest = {
  version: 1,
  operation: 'upgrade',
  cluster: 'Default',
  key: 'CHG1',
  ticket: 'CHG1',
  requestedBy: 'webhook:servicedesk',
  source: 'auto',
  ifBusy: 'queue',
};
const delivery = { deliveryKey: 'webhook:servicedesk:msg_1' };

function setUp(reply?: () => Promise<StartReply>, startsMax = 32) {
  const memory = memoryPorts({}, {}, reply);
  return { ...memory, startPorts: { ...memory.ports, gate: createGate(startsMax) } };
}

describe('startOperation', () => {
  it('derives id, request id and digest from the request and the delivery alone', async () => {
    const { startPorts, orders } = setUp();
    for (const _ of [1, 2]) await startOperation(startPorts, request, delivery);
    await startOperation(startPorts, request, { deliveryKey: 'webhook:servicedesk:msg_2' });
    const [first, second, third] = orders;
    expect(first).toEqual(second);
    expect(first).toMatchObject({ id: 'upgrade/Default/CHG1', workflowType: 'upgradeHostedEngine' });
    expect(third?.requestId).not.toBe(first?.requestId);
    expect(third?.digest).toBe(first?.digest);
    expect(first?.input.timing.stepPatienceMs).toBe(600_000);
  });

  it('digests what is asked, not who asks', () => {
    const digest = requestDigest(request);
    expect(requestDigest({ ...request, requestedBy: 'cli:alice' })).toBe(digest);
    for (const change of [{ source: 'engine' }, { vmConf: 'x' }, { ifBusy: 'refuse' }] as const) {
      expect(requestDigest({ ...request, ...change })).not.toBe(digest);
    }
  });

  it('starts nothing for a cluster it does not know or a vm.conf that can’t be used', async () => {
    const { startPorts, orders } = setUp();
    expect(await startOperation(startPorts, { ...request, cluster: 'default' }, delivery)).toEqual({
      outcome: 'unknown-cluster',
      known: ['Default'],
    });
    const outcome = await startOperation(
      startPorts,
      { ...request, vmConf: 'vmId=not-a-uuid\nmemSize=lots\n' },
      delivery,
    );
    expect(outcome).toMatchObject({
      outcome: 'invalid-vm-conf',
      problems: [
        { line: 1, key: 'vmId' },
        { line: 2, key: 'memSize' },
      ],
    });
    expect(orders).toEqual([]);
  });

  it('tells repetition from conflict by the digest', async () => {
    const same = setUp(() => Promise.resolve({ outcome: 'exists', digest: requestDigest(request), state: 'parked' }));
    expect(await startOperation(same.startPorts, request, delivery)).toMatchObject({
      duplicate: true,
      state: 'parked',
    });
    const other = setUp(() => Promise.resolve({ outcome: 'exists', digest: 'other', state: 'done' }));
    expect(await startOperation(other.startPorts, request, delivery)).toMatchObject({
      outcome: 'conflict',
      state: 'done',
    });
    const unknown = setUp(() => Promise.resolve({ outcome: 'exists', state: 'running' }));
    expect((await startOperation(unknown.startPorts, request, delivery)).outcome).toBe('conflict');
  });

  it('turns away one start too many at once, and takes it when there is room again', async () => {
    const waiting: (() => void)[] = [];
    const reply = () => new Promise<StartReply>((resolve) => waiting.push(() => resolve({ outcome: 'started' })));
    const { startPorts } = setUp(reply, 2);
    const running = [startOperation(startPorts, request, delivery), startOperation(startPorts, request, delivery)];
    expect(await startOperation(startPorts, request, delivery)).toEqual({ outcome: 'too-many' });
    for (const go of waiting.splice(0)) go();
    expect((await Promise.all(running)).map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
    const next = startOperation(startPorts, request, delivery);
    for (const go of waiting.splice(0)) go();
    expect((await next).outcome).toBe('accepted');
  });

  it('frees its place when a start fails', async () => {
    const { startPorts } = setUp(() => Promise.reject(new Error('a defect')), 1);
    for (const _ of [1, 2, 3]) {
      await expect(startOperation(startPorts, request, delivery)).rejects.toThrow('a defect');
    }
  });
});
