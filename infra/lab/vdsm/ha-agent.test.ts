import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labPaths } from '../fixture.ts';
import { RawStomp, startTestLab, type TestLab, until } from './lab-for-tests.ts';

let lab: TestLab;
beforeEach(async () => {
  lab = await startTestLab(3, { speed: 1000 });
  lab.world.startEngineVm('host1');
  await until('engine up', () => lab.host(1).state.vms.get(lab.fixture.vm.id)?.status === 'Up');
});
afterEach(() => lab.close());

const haStats = async (n: number) => {
  const client = await RawStomp.open(lab, lab.host(n));
  const stats = (await client.call('Host.getStats')) as { haStats: Record<string, unknown>; haScore: number };
  client.close();
  return stats;
};
const setMode = async (n: number, mode: string, enabled: boolean) => {
  const client = await RawStomp.open(lab, lab.host(n));
  const answer = await client.call('Host.setHaMaintenanceMode', { mode, enabled });
  client.close();
  return answer;
};
const runsOn = (n: number) => lab.host(n).state.vms.get(lab.fixture.vm.id)?.status === 'Up';

describe('HA agents', () => {
  it('publish blocks that change, with the engine up on one host', async () => {
    await until('published', () => lab.storage.hostBlock(1)?.engineStatus.health === 'good');
    const before = lab.storage.hostBlock(2)?.timestamp ?? 0;
    await until('a newer block', () => (lab.storage.hostBlock(2)?.timestamp ?? 0) > before);
    expect(lab.storage.hostBlock(1)).toMatchObject({ score: 3400, hostname: 'host1', state: 'EngineUp' });
    expect(lab.storage.hostBlock(2)).toMatchObject({ score: 3400, engineStatus: { vm: 'down' }, state: 'EngineDown' });
    expect(await haStats(3)).toMatchObject({
      haScore: 3400,
      haStats: { configured: true, active: true, score: 3400, globalMaintenance: false, localMaintenance: false },
    });
  });

  it('global maintenance is on storage at once and seen by every host', async () => {
    expect(await setMode(2, 'GLOBAL', true)).toEqual({ code: 0, message: 'Done' });
    expect(lab.storage.globalMaintenance()).toBe(true);
    expect((await haStats(3)).haStats['globalMaintenance']).toBe(true);
    await setMode(1, 'global', false);
    expect((await haStats(3)).haStats['globalMaintenance']).toBe(false);
  });

  it('local maintenance takes the score of that host only; another mode is 61', async () => {
    await setMode(3, 'Local', true);
    expect(await haStats(3)).toMatchObject({ haStats: { localMaintenance: true, score: 0 } });
    expect((await haStats(2)).haStats).toMatchObject({ localMaintenance: false, score: 3400 });
    await expect(setMode(1, 'MOON', true)).rejects.toMatchObject({ code: 61 });
  });

  it("the administrator's own flag counts too, and survives the engine's", async () => {
    const file = `${labPaths(lab.fixture.dir).hostDir('host3')}/ha.conf`;
    expect(readFileSync(file, 'utf8')).toBe('local_maintenance=False\nlocal_maintenance_manual=False\n');
    writeFileSync(file, 'local_maintenance=True\nlocal_maintenance_manual=True\n');
    await setMode(3, 'LOCAL', false);
    expect(readFileSync(file, 'utf8')).toBe('local_maintenance=False\nlocal_maintenance_manual=True\n');
    await until('score 0', () => lab.storage.hostBlock(3)?.score === 0);
    expect((await haStats(3)).haStats).toMatchObject({ localMaintenance: true, score: 0 });
  });

  it('start the engine VM again when it died, on the best host', async () => {
    await setMode(1, 'LOCAL', true);
    lab.host(1).state.vms.get(lab.fixture.vm.id)?.shutdown(1, true);
    await until('engine on host2', () => runsOn(2));
    expect(runsOn(3)).toBe(false);
  });

  it('leave it down under global maintenance', async () => {
    await setMode(1, 'GLOBAL', true);
    const vm = lab.host(1).state.vms.get(lab.fixture.vm.id);
    vm?.shutdown(1, true);
    await until('down', () => vm?.status === 'Down');
    const beats = lab.storage.hostBlock(2)?.timestamp ?? 0;
    await until('five more beats', () => (lab.storage.hostBlock(2)?.timestamp ?? 0) > beats + 50);
    expect(lab.world.engineVmAlive()).toBe(false);
  });
});

describe('host-down', () => {
  it('closes the port, moves SPM and, when the lease is free, the engine VM; the host comes back when cleared', async () => {
    const pid = lab.host(1).state.vms.get(lab.fixture.vm.id)?.pid ?? 0;
    const client = await RawStomp.open(lab, lab.host(1));
    lab.faults.inject({ kind: 'host-down', host: 'host1' });
    await until('connection lost', () => client.closed);
    await expect(RawStomp.open(lab, lab.host(1))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await until('process gone', () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    await until('another SPM', () => lab.world.spm === 'host2');
    await until('engine on host2', () => runsOn(2), 10_000);
    lab.faults.clear('host-down');
    const again = await until('back', () => RawStomp.open(lab, lab.host(1)).catch(() => undefined));
    expect(await again.call('StoragePool.getSpmStatus', { storagepoolID: lab.fixture.dataCenter.id })).toMatchObject({
      spmStatus: 'Free',
      spmId: 2,
    });
    expect(await again.call('Host.getVMList')).toEqual([]);
    again.close();
  });

  it('kicked connections are lost, the host goes on', async () => {
    const client = await RawStomp.open(lab, lab.host(2));
    lab.host(2).kickConnections();
    await until('lost', () => client.closed);
    const again = await RawStomp.open(lab, lab.host(2));
    expect(await again.call('Host.ping2')).toBe(true);
    again.close();
  });
});

describe('Host verbs', () => {
  it('answer with the fields the engine wants', async () => {
    const client = await RawStomp.open(lab, lab.host(1));
    expect(await client.call('Host.getCapabilities')).toMatchObject({
      hostedEngineDeployed: true,
      uuid: lab.fixture.hosts[0]?.hardwareUuid,
      networks: { ovirtmgmt: { bridged: true } },
    });
    expect(await client.call('Host.getStats')).toMatchObject({
      vmCount: 1,
      network: { ovirtmgmt: { state: 'up' } },
      momStatus: 'active',
    });
    expect(await client.call('Host.getHardwareInfo')).toHaveProperty('systemUUID');
    expect(await client.call('Host.getConnectedStoragePools')).toEqual([lab.fixture.dataCenter.id]);
    expect(await client.call('Host.dumpxmls', { vmList: [lab.fixture.vm.id] })).toEqual({
      [lab.fixture.vm.id]: lab.world.engineXml(),
    });
    const lease = { sd_id: lab.fixture.heDomain.id, lease_id: lab.fixture.vm.id };
    expect(await client.call('Lease.status', { lease })).toMatchObject({ owners: [1] });
    client.close();
  });
});
