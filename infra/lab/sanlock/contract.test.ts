/** What the real sanlock and the model do alike, seen through the worker's client and by VM processes. */
import { describe, expect, it } from 'vitest';
import { requests } from '../../../workers/host/env-linux/sanlock/codec.ts';
import { openConnection } from '../../../workers/host/env-linux/sanlock/connection.ts';
import { findRealSanlock } from './real.ts';
import { LOCKSPACE, TestHosts, until } from './testing.ts';
import type { SanlockKind } from './types.ts';

const real = findRealSanlock();
const missing = !real.available ? real.why : real.faketime === undefined ? 'libfaketime is not installed' : undefined;
if (missing !== undefined) process.stdout.write(`sanlock: only the model is tested: ${missing}\n`);

const kinds: readonly SanlockKind[] = missing === undefined ? ['model', 'real'] : ['model'];

/** Most of them wait: side by side they take a third of the time. */
describe.concurrent.each(kinds)('%s sanlock', (kind) => {
  const start = (onTestFinished: (end: () => Promise<void>) => void) => {
    const hosts = new TestHosts(kind);
    onTestFinished(() => hosts.end());
    return hosts;
  };

  it('lets a host in after 2 io, and tells it apart from one that is not in', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const daemon = await hosts.daemon(1);
    const view = hosts.view(daemon);
    await until('the first look', () => view.fact() !== undefined);
    expect(view.fact()).toMatchObject({ connected: true, joined: false, owner: undefined });
    const beginMs = performance.now();
    await daemon.join(hosts.domain);
    expect(performance.now() - beginMs).toBeGreaterThan(hosts.ms(2 * hosts.ioSeconds) - 5);
    await until('joined', () => view.fact()?.joined === true);
    expect(view.fact()).toMatchObject({ connected: true, owner: undefined, ioSeconds: 2 });
    expect(view.trouble()).toBeUndefined();
  });

  it('gives the lease to one VM, refuses the second at once, and frees it when the first is killed', async ({
    onTestFinished,
  }) => {
    const hosts = start(onTestFinished);
    const [one, two] = await hosts.joined(2);
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const views = [hosts.view(one), hosts.view(two)];
    const first = await hosts.runningVm(one);
    for (const view of views) await until('owner 1', () => view.fact()?.owner === 1);
    // Host 2 has to see host 1 renew once, to know that it lives.
    await until('its renewals are seen', () => (views[1]?.fact()?.ownerSilentMs ?? 1e9) < 1000);
    const second = hosts.vm(two);
    await until('the second has ended', () => second.ended);
    expect(second.code).toBe(43);
    expect(second.output).toContain('Lease is held by another host');
    const beginMs = performance.now();
    await first.kill();
    for (const view of views) await until('free', () => view.fact()?.owner === undefined);
    expect(performance.now() - beginMs).toBeLessThan(1000);
    await hosts.runningVm(two);
    await until('owner 2', () => views[0]?.fact()?.owner === 2);
  });

  it('gives a dead host’s lease away after 8 io + watchdog, and makes those wait who ask before', async ({
    onTestFinished,
  }) => {
    const hosts = start(onTestFinished);
    const [one, two] = await hosts.joined(2);
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const [mine, other] = [hosts.view(one), hosts.view(two)];
    await hosts.runningVm(one);
    await until('owner 1 is seen to live', () => (other.fact()?.ownerSilentMs ?? 1e9) < 1000);
    const { ioSeconds: io, watchdogSeconds: watchdog } = one;
    await one.kill();
    const killedMs = performance.now();
    await until('the owner’s worker knows', () => mine.fact()?.connected === false, 200);
    await until('the owner is silent for long', () => (other.fact()?.ownerSilentMs ?? 0) > 4000 * io);
    const next = hosts.vm(two);
    await until('it runs', () => next.running || next.ended, hosts.ms(12 * io + watchdog) + 3000);
    expect(next.ended).toBe(false);
    const tookMs = performance.now() - killedMs;
    expect(tookMs).toBeGreaterThan(hosts.ms(6 * io + watchdog) - 20);
    expect(tookMs).toBeLessThan(hosts.ms(10 * io + watchdog + 1) + 1500);
    await until('owner 2', () => other.fact()?.owner === 2);
  });

  it('frees the lease of a VM that still runs when its daemon comes back; the worker was told before', async ({
    onTestFinished,
  }) => {
    const hosts = start(onTestFinished);
    const [one, two] = await hosts.joined(2);
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const [mine, other] = [hosts.view(one), hosts.view(two)];
    const vm = await hosts.runningVm(one);
    await until('owner 1', () => mine.fact()?.owner === 1 && other.fact()?.owner === 1);
    const told: (boolean | undefined)[] = [];
    mine.onChange(() => told.push(mine.fact()?.connected));
    await one.kill();
    await until('the worker is told', () => told.length > 0, 500);
    const again = await hosts.daemon(1);
    await until('the new daemon is looked at', () => mine.trouble() === undefined);
    // It is there, but knows nothing of the VM: still not connected for the worker.
    expect(mine.fact()).toMatchObject({ connected: false, joined: false });
    await again.join(hosts.domain);
    await until('joined', () => mine.fact()?.joined === true);
    expect(told[0]).toBe(false);
    expect(mine.fact()).toMatchObject({ connected: true, owner: undefined });
    await until('host 2 sees the new generation', () => other.fact()?.owner === undefined);
    await hosts.runningVm(two);
    // Nobody told the old VM: without the worker there would be two.
    expect(vm.ended).toBe(false);
  });

  it('binds the lease to the connection, not to the process', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    if (one === undefined) throw new Error('one host');
    const view = hosts.view(one);
    const lease = { ...hosts.lease, lockspace: LOCKSPACE };
    const connection = await openConnection(one.socketPath, 1000);
    connection.tell(requests.register(process.pid));
    expect((await connection.ask(requests.acquire(lease), 'acquire', 8000)).result).toBe(0);
    await until('owner 1', () => view.fact()?.owner === 1);
    connection.close();
    await until('free', () => view.fact()?.owner === undefined, 1000);
  });

  it('makes a frozen daemon’s fact old, and nothing else', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    if (one === undefined) throw new Error('one host');
    const view = hosts.view(one);
    await until('joined', () => view.fact()?.joined === true);
    one.freeze(true);
    const frozenMs = performance.now() * hosts.speed;
    await until('old', () => performance.now() * hosts.speed - (view.fact()?.atMs ?? 0) > 4000);
    expect(view.fact()?.atMs).toBeLessThan(frozenMs + 1000);
    expect(view.fact()).toMatchObject({ connected: true, joined: true });
    one.freeze(false);
    await until('young again', () => (view.fact()?.atMs ?? 0) > frozenMs + 4000);
    expect(view.fact()).toMatchObject({ connected: true, joined: true });
  });

  it('hands the lease over in a live migration, and takes it back when the target can’t have it', async ({
    onTestFinished,
  }) => {
    const hosts = start(onTestFinished);
    const [one, two] = await hosts.joined(2);
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const view = hosts.view(one);
    const vm = hosts.vm(one, 'tsx');
    await until('it runs', () => vm.running);
    vm.child.send({ moveTo: two.socketPath });
    await until('answered', () => vm.messages.length === 1);
    expect(vm.messages[0]).toEqual({ moved: true });
    await until('owner 2', () => view.fact()?.owner === 2);
    const three = await hosts.daemon(3);
    vm.child.send({ moveTo: three.socketPath });
    await until('answered again', () => vm.messages.length === 2);
    expect(vm.messages[1]).toMatchObject({ moved: false, why: expect.stringContaining('not in the lockspace') });
    await until('owner 2 again', () => view.fact()?.owner === 2);
    expect(vm.running).toBe(true);
  });

  it('joins and leaves the board’s lockspace for the worker', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const daemon = await hosts.daemon(1);
    const view = hosts.view(daemon);
    const changes: boolean[] = [];
    view.onChange(() => changes.push(view.boardJoined()));
    await Promise.all([view.joinBoard(), view.joinBoard()]);
    expect(view.boardJoined()).toBe(true);
    await view.joinBoard();
    await view.leaveBoard();
    expect(view.boardJoined()).toBe(false);
    await view.leaveBoard();
    expect(changes).toContain(true);
    await view.joinBoard();
    await daemon.kill();
    await until('lost', () => !view.boardJoined(), 500);
  });

  it('writes the board’s lockspace anew: a busy id is free again', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    if (one === undefined) throw new Error('one host');
    const view = hosts.view(one);
    await view.joinBoard();
    await view.reinitialiseBoard();
    expect(view.boardJoined()).toBe(true);
  });

  it('refuses an id that a living host has, after it has watched it for long enough', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    const stranger = await hosts.daemon(1, 'stranger');
    const view = hosts.view(stranger);
    if (one === undefined) throw new Error('one host');
    await one.join(hosts.board);
    await expect(view.joinBoard()).rejects.toMatchObject({ facts: { type: 'sanlock/host-id-busy', code: -262 } });
    expect(view.boardJoined()).toBe(false);
  });

  it('kills the owner and leaves when it is stopped', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one, two] = await hosts.joined(2);
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const vm = await hosts.runningVm(one);
    const stopping = one.stop();
    await until('the VM has ended', () => vm.ended);
    await stopping;
    expect(vm.signal).toBe('SIGKILL');
    // Nobody waits for a host that has left.
    const beginMs = performance.now();
    await hosts.runningVm(two);
    expect(performance.now() - beginMs).toBeLessThan(2500);
  });
});
