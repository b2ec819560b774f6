/** What only the model can do: its storage can fail. And what the worker's client never asks for. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { COMMANDS, HEAD_BYTES, requests } from '../../../workers/host/env-linux/sanlock/codec.ts';
import { openConnection } from '../../../workers/host/env-linux/sanlock/connection.ts';
import { initLeases, startLabSanlock } from './index.ts';
import { LOCKSPACE, TestHosts, until } from './testing.ts';
import { OWNER_NOWAIT } from './wire.ts';

describe.concurrent('the model of sanlock', () => {
  const start = (onTestFinished: (end: () => Promise<void>) => void) => {
    const hosts = new TestHosts('model');
    onTestFinished(() => hosts.end());
    return hosts;
  };

  it.each(['hang', 'error'] as const)(
    'ends the VM 8 io after its storage went (%s), gives the lease away after the watchdog, and comes back',
    async (state) => {
      const hosts = new TestHosts('model');
      try {
        const [one, two] = await hosts.joined(2);
        if (one === undefined || two === undefined) throw new Error('two hosts');
        const [mine, other] = [hosts.view(one), hosts.view(two)];
        const vm = await hosts.runningVm(one);
        await until('owner 1 lives', () => (other.fact()?.ownerSilentMs ?? 1e9) < 1000);
        one.storage(state);
        const beginMs = performance.now();
        await until('the VM is ended', () => vm.ended);
        // The last renewal may have been 2 io before. With so short a watchdog there is no time for a SIGTERM.
        expect(performance.now() - beginMs).toBeGreaterThan(hosts.ms(6 * 2) - 20);
        expect(vm.signal).toBe('SIGKILL');
        await until('not joined', () => mine.fact()?.joined === false);
        expect(mine.fact()?.connected).toBe(true);
        await hosts.runningVm(two);
        expect(performance.now() - beginMs).toBeGreaterThan(hosts.ms(6 * 2 + 10) - 20);
        one.storage('ok');
        await one.join(hosts.domain);
        await until('joined again', () => mine.fact()?.joined === true);
        await until('owner 2', () => mine.fact()?.owner === 2);
      } finally {
        await hosts.end();
      }
    },
  );

  it('ends a frozen host’s VM when it thaws too late, and not when it thaws in time', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    if (one === undefined) throw new Error('one host');
    const vm = await hosts.runningVm(one);
    const frozen = async (seconds: number) => {
      const endMs = performance.now() + hosts.ms(seconds);
      one.freeze(true);
      await until('the time is over', () => performance.now() > endMs);
      one.freeze(false);
    };
    await frozen(4);
    const view = hosts.view(one);
    await until('owner 1', () => view.fact()?.owner === 1);
    expect(vm.running).toBe(true);
    await frozen(20);
    await until('the VM is ended', () => vm.ended, 1000);
  });

  it('keeps another name from a dead host’s id for 8 io + watchdog, and lets the same name in at once', async ({
    onTestFinished,
  }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    await one?.kill();
    const again = await hosts.daemon(1);
    let beginMs = performance.now();
    await again.join(hosts.domain);
    expect(performance.now() - beginMs).toBeLessThan(hosts.ms(8 * 2));
    await again.kill();
    const stranger = await hosts.daemon(1, 'stranger');
    beginMs = performance.now();
    await stranger.join(hosts.domain);
    expect(performance.now() - beginMs).toBeGreaterThan(hosts.ms(8 * 2 + 10 + 2 * 2) - 20);
  });

  it('refuses a VM on a host that is in no lockspace, and says so', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const vm = hosts.vm(await hosts.daemon(1));
    await until('ended', () => vm.ended);
    expect(vm.code).toBe(44);
    expect(vm.output).toContain('this host is not in the lockspace');
  });

  it('answers at once with the flag for it, where it would wait', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one, two] = await hosts.joined(2);
    if (one === undefined || two === undefined) throw new Error('two hosts');
    const view = hosts.view(two);
    await hosts.runningVm(one);
    await until('owner 1 lives', () => (view.fact()?.ownerSilentMs ?? 1e9) < 1000);
    await one.kill();
    await until('silent', () => (view.fact()?.ownerSilentMs ?? 0) > 4000 * 2);
    const connection = await openConnection(two.socketPath, 1000);
    connection.tell(requests.register(process.pid));
    const bytes = requests.acquire({ ...hosts.lease, lockspace: LOCKSPACE });
    bytes.writeUInt32LE(OWNER_NOWAIT, 12);
    expect((await connection.ask(bytes, 'acquire', 1000)).result).toBe(-247);
    connection.close();
  });

  it('survives rubbish, and a request in pieces', async ({ onTestFinished }) => {
    const hosts = start(onTestFinished);
    const [one] = await hosts.joined(1);
    if (one === undefined) throw new Error('one host');
    const rubbish = connect(one.socketPath);
    rubbish.write('GET / HTTP/1.1\r\nHost: sanlock.example.test\r\n\r\n');
    await until('closed', () => rubbish.destroyed);
    const pieces = connect(one.socketPath);
    let heard = 0;
    pieces.on('data', (chunk) => (heard += chunk.length));
    for (const byte of requests.getLockspaces()) pieces.write(Buffer.from([byte]));
    await until('answered', () => heard === HEAD_BYTES + 1104);
    const unknown = requests.getLockspaces();
    unknown.writeUInt32LE(COMMANDS.version + 60, 8);
    const silent = await openConnection(one.socketPath, 1000);
    await expect(silent.ask(unknown, 'unknown', 50)).rejects.toMatchObject({ facts: { type: 'sanlock/hung' } });
  });
});

describe('initLeases', () => {
  it('formats again: nobody holds anything afterwards', async () => {
    const hosts = new TestHosts('model');
    try {
      const [one] = await hosts.joined(1);
      if (one === undefined) throw new Error('one host');
      const vm = await hosts.runningVm(one);
      await vm.kill();
      await one.kill();
      const layout = { kind: 'model', ioSeconds: 2, lockspace: hosts.domain, leases: [hosts.lease] } as const;
      initLeases(layout);
      const two = await hosts.daemon(2);
      await two.join(hosts.domain);
      const view = hosts.view(two);
      await until('looked', () => view.fact() !== undefined);
      expect(view.fact()?.owner).toBeUndefined();
    } finally {
      await hosts.end();
    }
  });

  it('refuses a place that is too deep for a socket', async () => {
    const dir = `/tmp/${'deep/'.repeat(20)}`;
    const options = {
      dir,
      host: 'host1',
      hostId: 1,
      ioSeconds: 2,
      watchdogSeconds: 10,
      speed: 1,
      kind: 'model',
    } as const;
    await expect(startLabSanlock(options)).rejects.toThrow('too long for a socket');
  });
});
