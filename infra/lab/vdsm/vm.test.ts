import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HostHandle } from './host.ts';
import { RawStomp, startTestLab, type TestLab, until } from './lab-for-tests.ts';

let lab: TestLab;
let client: RawStomp;
let vmId: string;
beforeEach(async () => {
  lab = await startTestLab(2, { speed: 100 }, { recoveryMs: 40_000 });
  // Else the agents would start a VM that went down before a slow machine has looked.
  lab.storage.setGlobalMaintenance(true);
  vmId = lab.fixture.vm.id;
  client = await RawStomp.open(lab, lab.host(1));
});
afterEach(async () => {
  client.close();
  await lab.close();
});

const xml = () => lab.world.engineXml();
const stats = async (one = client) =>
  ((await one.call('VM.getStats', { vmID: vmId })) as Record<string, unknown>[])[0] ?? {};
const reaches = (status: string, one = client) =>
  until(`VM ${status}`, async () => {
    const now = await stats(one);
    return now['status'] === status ? now : undefined;
  });
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const pidOf = (host: HostHandle) => until('process', () => host.state.vms.get(vmId)?.pid);

describe('VM.create', () => {
  it('answers WaitForLaunch with the UUID of the XML; boots with events; the VM is a process', async () => {
    client.send('SUBSCRIBE', { id: 'ev', destination: 'jms.queue.events' });
    const created = await client.call('VM.create', { vmID: 'ignored', vmParams: { xml: xml() } });
    expect(created).toMatchObject({ vmId, status: 'WaitForLaunch', xml: xml() });
    expect(await reaches('Up')).toMatchObject({ vmName: 'HostedEngine', monitorResponse: '0', clientIp: '' });
    const seen = await until('events', () => {
      const all = client.frames.map(
        (frame) => JSON.parse(frame.body.toString()) as { params: Record<string, { status: string }> },
      );
      const statuses = all.map((event) => event.params[vmId]?.status);
      return statuses.includes('Up') && statuses;
    });
    expect(seen).toEqual(['WaitForLaunch', 'Powering up', 'Up']);
    expect(alive(await pidOf(lab.host(1)))).toBe(true);
    expect(await client.call('Host.getVMList')).toMatchObject([{ vmId, status: 'Up' }]);
  });

  it('refuses vm.conf parameters without XML, XML without UUID, and a VM that is there already', async () => {
    await expect(client.call('VM.create', { vmID: vmId, vmParams: { vmId, memSize: 4096 } })).rejects.toMatchObject({
      code: 100,
    });
    await expect(
      client.call('VM.create', { vmParams: { xml: '<domain><name>x</name></domain>' } }),
    ).rejects.toMatchObject({ code: 100 });
    await expect(client.call('VM.create', { vmParams: { xml: '<domain' } })).rejects.toMatchObject({ code: 100 });
    await client.call('VM.create', { vmParams: { xml: xml() } });
    await expect(client.call('VM.create', { vmParams: { xml: xml() } })).rejects.toMatchObject({ code: 4 });
  });

  it('on a second host ends as Down/1/1 with the lease text, and blocks a create until destroyed', async () => {
    await client.call('VM.create', { vmParams: { xml: xml() } });
    await reaches('Up');
    const second = await RawStomp.open(lab, lab.host(2));
    await second.call('VM.create', { vmParams: { xml: xml() } });
    const down = await reaches('Down', second);
    expect(down).toMatchObject({ exitCode: 1, exitReason: 1 });
    expect(down['exitMessage']).toMatch(/Failed to acquire lock: Lease is held by another host$/);
    await expect(second.call('VM.create', { vmParams: { xml: xml() } })).rejects.toMatchObject({ code: 4 });
    expect(await second.call('VM.destroy', { vmID: vmId })).toBe(true);
    await expect(second.call('VM.getStats', { vmID: vmId })).rejects.toMatchObject({ code: 1 });
    expect((await stats())['status']).toBe('Up');
    second.close();
  });
});

describe('a running VM', () => {
  let pid: number;
  beforeEach(async () => {
    await client.call('VM.create', { vmParams: { xml: xml() } });
    await reaches('Up');
    pid = await pidOf(lab.host(1));
  });

  it('shutdown: SIGTERM, then Down/0/6, listed until destroyed', async () => {
    expect(await client.call('VM.shutdown', { vmID: vmId, timeout: 120 })).toBe(true);
    expect(await reaches('Down')).toMatchObject({ exitCode: 0, exitReason: 6 });
    expect(alive(pid)).toBe(false);
    await expect(client.call('VM.shutdown', { vmID: vmId })).rejects.toMatchObject({ code: 1 });
  });

  it('shows figures: real ones after two samples, a disk, memory, no empty maps', async () => {
    const now = await until('samples', async () => {
      const one = await stats();
      return one['cpuActual'] === true && one;
    });
    expect(now).toMatchObject({
      username: 'Unknown',
      cpuUser: '2.00',
      disks: { vda: { imageID: lab.fixture.heDisks.vm.image, readRate: '0.0' } },
      memoryStats: { mem_total: String(lab.fixture.vm.memoryMb * 1024) },
      balloonInfo: { ballooning_enabled: true },
    });
    expect(now).not.toHaveProperty('network');
  });

  it('destroy kills and forgets it', async () => {
    expect(await client.call('VM.destroy', { vmID: vmId })).toBe(true);
    expect(alive(pid)).toBe(false);
    expect(await client.call('Host.getVMList')).toEqual([]);
    await expect(client.call('VM.destroy', { vmID: vmId })).rejects.toMatchObject({ code: 1 });
  });

  it('a killed process is noticed: Down/1/2', async () => {
    process.kill(pid, 'SIGKILL');
    expect(await reaches('Down')).toMatchObject({ exitCode: 1, exitReason: 2 });
  });

  it('migrates without a stop: Down/0/4 at the source, Up at the destination, same process', async () => {
    const target = `127.0.0.1:${lab.host(2).port}`;
    expect(await client.call('VM.migrate', { vmID: vmId, params: { dst: target, method: 'online' } })).toBe(true);
    expect((await stats())['status']).toBe('Migration Source');
    expect(await reaches('Down')).toMatchObject({ exitCode: 0, exitReason: 4 });
    const second = await RawStomp.open(lab, lab.host(2));
    await reaches('Up', second);
    expect(lab.host(2).state.vms.get(vmId)?.pid).toBe(pid);
    expect(alive(pid)).toBe(true);
    const [source, target2] = [1, 2].map((n) => lab.host(n).state.vms.get(vmId)?.started);
    expect(target2).toBe(source);
    second.close();
  });

  it('a migration to nowhere ends Up with an error; a cancelled one as well', async () => {
    await client.call('VM.migrate', { vmID: vmId, params: { dst: '127.0.0.1:1' } });
    await reaches('Up');
    expect(await client.call('VM.getMigrationStatus', { vmID: vmId })).toMatchObject({ status: { code: 10 } });
    await expect(client.call('VM.migrateCancel', { vmID: vmId })).rejects.toMatchObject({ code: 47 });
    await client.call('VM.migrate', { vmID: vmId, params: { dst: `127.0.0.1:${lab.host(2).port}` } });
    await client.call('VM.migrateCancel', { vmID: vmId });
    expect((await stats())['status']).toBe('Up');
    await until('destination forgets it', () => lab.host(2).state.vms.size === 0);
  });

  it('pauses and goes on', async () => {
    expect(await client.call('VM.pause', { vmID: vmId })).toEqual({ vmList: {} });
    expect(await stats()).toMatchObject({ status: 'Paused', pauseCode: 'NOERR' });
    await client.call('VM.cont', { vmID: vmId });
    expect((await stats())['status']).toBe('Up');
  });

  it('survives a restart of the daemon: 99 meanwhile, connections lost, VM kept', async () => {
    await lab.host(1).restart();
    await until('close', () => client.closed);
    client = await RawStomp.open(lab, lab.host(1));
    await expect(client.call('Host.ping2')).rejects.toMatchObject({ code: 99 });
    await until('recovery', () =>
      client.call('Host.ping2').then(
        () => true,
        () => false,
      ),
    );
    expect((await stats())['status']).toBe('Up');
    expect(alive(pid)).toBe(true);
  });
});
