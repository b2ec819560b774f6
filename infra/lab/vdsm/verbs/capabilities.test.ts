import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawStomp, startTestLab, type TestLab, until } from '../lab-for-tests.ts';

/** Fields that VDSM 4.5 always sends (its `host/caps.py` and `network/netinfo`), by the names on the wire. */
const CAPABILITIES = `additionalFeatures autoNumaBalancing backupEnabled bondings boot_uuid bridges cd_change_pdiv
  clearBitmapsEnabled clusterLevels coldBackupEnabled cpuCores cpuFlags cpuModel cpuSockets cpuSpeed cpuThreads
  cpuTopology deferred_preallocation domain_versions emulatedMachines fipsEnabled guestOverhead HBAInventory hooks
  hostdevPassthrough hostedEngineDeployed hugepages ISCSIInitiatorName kdumpStatus kernelArgs kernelFeatures kvmEnabled
  lastClientIface liveMerge liveSnapshot mailbox_events measure_active measure_subchain memSize nameservers
  nestedVirtualization netConfigDirty networks nics numaNodeDistance numaNodes onlineCpus operatingSystem ovnConfigured
  packages2 qemu_image_info_bitmaps realtimeKernel refresh_disk_supported replicate_extend reservedMem rngSources
  selinux software_revision software_version supported_block_size supportedENGINEs supportsIPv6 tscFrequency tscScaling
  uuid vdsmToCpusAffinity version_name vlans vmTypes vncEncrypted zerocopy_migrations`.split(/\s+/);
const DEVICE =
  `addr netmask ipv4addrs ipv6addrs gateway ipv6gateway ipv4defaultroute mtu dhcpv4 dhcpv6 ipv6autoconf`.split(' ');

type Fields = Record<string, unknown>;

let lab: TestLab;
let client: RawStomp;
const start = async (minor: number) => {
  lab = await startTestLab(1, { cluster: { id: 'c', name: 'Default', cpuType: 'X', version: { major: 4, minor } } });
  client = await RawStomp.open(lab, lab.host(1));
};
const ask = (verb: string) => client.call(`Host.${verb}`) as Promise<Fields>;
beforeEach(() => start(7));
afterEach(async () => {
  client.close();
  await lab.close();
});

describe('Host.getCapabilities', () => {
  it('has every field of VDSM 4.5 and no other', async () => {
    expect(Object.keys(await ask('getCapabilities')).sort()).toEqual([...CAPABILITIES].sort());
  });

  it('describes devices and networks alike, with VDSM types', async () => {
    const { networks, nics, bridges } = (await ask('getCapabilities')) as Record<string, Record<string, Fields>>;
    const { ovirtmgmt } = networks ?? {};
    expect(Object.keys(ovirtmgmt ?? {}).sort()).toEqual(
      [...DEVICE, 'ports', 'stp', 'iface', 'bridged', 'switch', 'southbound'].sort(),
    );
    expect(ovirtmgmt).toMatchObject({ mtu: 1500, ipv6gateway: '::', southbound: 'eth0', ports: ['eth0'] });
    expect(Object.keys(bridges?.['ovirtmgmt'] ?? {}).sort()).toEqual([...DEVICE, 'ports', 'stp'].sort());
    expect(Object.keys(nics?.['eth0'] ?? {}).sort()).toEqual([...DEVICE, 'hwaddr'].sort());
    expect(await ask('getNetworkCapabilities')).toMatchObject({ networks, nics, supportsIPv6: true });
  });

  it('counts the same CPUs everywhere', async () => {
    const caps = await ask('getCapabilities');
    const stats = await ask('getStats');
    const cpus = String(caps['onlineCpus']).split(',');
    expect(cpus.length).toBe(Number(caps['cpuThreads']));
    expect((caps['cpuTopology'] as Fields[]).map((one) => String(one['cpu_id']))).toEqual(cpus);
    expect(Object.keys(stats['cpuStatistics'] as Fields)).toEqual(cpus);
    expect(caps['numaNodes']).toMatchObject({ '0': { cpus: cpus.map(Number) } });
    expect(Object.keys(stats['hugepages'] as Fields).map(Number)).toEqual(caps['hugepages']);
  });

  it('names each cluster level once; 4.8 only with its packages', async () => {
    const levels = ['4.2', '4.3', '4.4', '4.5', '4.6', '4.7'];
    expect((await ask('getCapabilities'))['clusterLevels']).toEqual(levels);
    client.close();
    await lab.close();
    await start(8);
    const caps = await ask('getCapabilities');
    expect(caps['clusterLevels']).toEqual([...levels, '4.8']);
    expect(caps['packages2']).toMatchObject({ libvirt: { version: '10.10.0' }, 'qemu-kvm': { version: '9.1.0' } });
  });
});

describe('Host.getStats', () => {
  it('shows a fixed boot time and interface times with a fraction', async () => {
    const first = await ask('getStats');
    await until('a second later', async () => (await ask('getStats'))['dateTime'] !== first['dateTime']);
    const later = await ask('getStats');
    expect(later['bootTime']).toBe(first['bootTime']);
    const { ovirtmgmt } = later['network'] as Record<string, Fields>;
    expect(Number.isInteger(ovirtmgmt?.['sampleTime'])).toBe(false);
    expect(await ask('getNetworkStatistics')).toMatchObject({ rxDropped: 0, network: { ovirtmgmt: { state: 'up' } } });
  });

  it('has no network and no load until the second sample after a restart', async () => {
    await lab.host(1).restart();
    lab.host(1).state.recovering = false;
    client = await RawStomp.open(lab, lab.host(1));
    const first = await ask('getStats');
    expect(first).toMatchObject({ cpuIdle: '100.00', cpuUser: '0.00' });
    expect(first).not.toHaveProperty('network');
    expect(first['haStats']).toMatchObject({ configured: true });
    await until('samples', async () => (await ask('getStats'))['network'] !== undefined);
  });
});
