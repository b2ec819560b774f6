import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { VdsmClient } from './client.ts';
import { isCode } from './errors.ts';
import { runTask, type TaskStatus } from './tasks.ts';
import { factsOf, FakeVdsm, makePki, type Pki, type Reply } from './testing.ts';

let pki: Pki;
let vdsm: FakeVdsm;
let host: VdsmClient;
const TASK = 'c3a2d9b4-0000-4000-8000-000000000001';

beforeAll(async () => {
  pki = await makePki();
});
afterAll(() => pki.remove());
beforeEach(async () => {
  vdsm = await new FakeVdsm(pki).listen();
  host = new VdsmClient({ ...vdsm.peer(), backOffMs: { first: 5, max: 20 }, recoveryPollMs: 5 });
  vdsm.handlers.set('Task.clear', () => ({ result: true }));
});
afterEach(async () => {
  await host.close();
  await vdsm.close();
});

function status(taskState: string, taskResult = '', code = 0, message = ''): Reply {
  return { result: { taskID: TASK, taskState, taskResult, code, message } };
}

/** Task.getStatus gives these in turn, then the last for ever. */
function replies(...list: readonly [Reply, ...Reply[]]): void {
  let at = 0;
  vdsm.handlers.set('Task.getStatus', () => {
    const reply = list[Math.min(at, list.length - 1)] ?? list[0];
    at += 1;
    return reply;
  });
}

const cleared = () => vdsm.received.filter((one) => one.verb === 'Task.clear').map((one) => one.params);

describe('runTask', () => {
  it('polls to the end, tells each state, and clears its own task', async () => {
    replies(status('init'), status('running'), status('finished', 'success'));
    const heartbeat = vi.fn<(status: TaskStatus) => void>();
    await runTask(host, TASK, { pollMs: 1, heartbeat });
    expect(heartbeat.mock.calls.map(([one]) => one.taskState)).toEqual(['init', 'running', 'finished']);
    expect(cleared()).toEqual([{ taskID: TASK }]);
  });

  it.each([
    ['cleanSuccess', 212, 'rolled back'],
    ['cleanFailure', 397, 'left something behind'],
  ])('finished with %s is a failure with its code', async (result, code, text) => {
    replies(status('finished', result, code, 'rolled back'));
    const error = await runTask(host, TASK, { pollMs: 1, verb: 'Volume.create' }).catch((caught: unknown) => caught);
    expect(isCode(error, code)).toBe(true);
    expect(String(error)).toContain(text);
    expect(cleared()).toHaveLength(1);
  });

  it('finished without success and with code 0 is a failure all the same', async () => {
    replies(status('finished', 'cleanSuccess', 0));
    expect(await factsOf(runTask(host, TASK, { pollMs: 1 }))).toMatchObject({ type: 'vdsm/task-aborted', code: 411 });
  });

  it('outlives a lost connection and a restart of VDSM', async () => {
    replies('cut', { code: 99, message: 'Recovering' }, status('running'), status('finished', 'success'));
    await runTask(host, TASK, { pollMs: 1 });
    expect(vdsm.sessions).toHaveLength(2);
  });

  it('does not mind that the task is cleared already, or can not be', async () => {
    replies(status('finished', 'success'));
    vdsm.handlers.set('Task.clear', () => ({ code: 401, message: 'Task id unknown' }));
    await runTask(host, TASK, { pollMs: 1 });
    expect(cleared()).toHaveLength(1);
    vdsm.handlers.set('Task.clear', () => ({ code: 403, message: 'not in a valid state' }));
    await runTask(host, TASK, { pollMs: 1 });
    expect(cleared()).toHaveLength(4);
  });

  it('a task that the host forgot, or that takes too long, has an unknown outcome', async () => {
    replies({ code: 401, message: 'Task id unknown' });
    expect(await factsOf(runTask(host, TASK, { pollMs: 1 }))).toMatchObject({
      type: 'vdsm/task-lost',
      outcomeUnknown: true,
    });
    replies(status('running'));
    const late = await factsOf(runTask(host, TASK, { pollMs: 1, timeoutMs: 80, verb: 'Volume.create' }));
    expect(late).toMatchObject({ type: 'vdsm/task-timeout', outcomeUnknown: true, what: 'no answer to Volume.create' });
    expect(late.why).toContain('state running');
    expect(cleared()).toEqual([]);
  });

  it("stops with the signal's reason and leaves the task alone", async () => {
    replies(status('running'));
    const reason = new Error('cancelled');
    const controller = new AbortController();
    const heartbeat = () => controller.abort(reason);
    await expect(runTask(host, TASK, { pollMs: 1, signal: controller.signal, heartbeat })).rejects.toBe(reason);
    expect(cleared()).toEqual([]);
  });
});
