/** `Host.getCapabilities`, `Host.getHardwareInfo` and `Host.getStats` of a small lab host (vdsm.md 7). */
import { statfsSync } from 'node:fs';
import type { HostState } from '../host-state.ts';
import type { Json, JsonObject } from '../python.ts';
import { domainVitals } from './vitals.ts';

const MIB = 1024 * 1024;
/** A published block older than this is a dead agent's (ha-agent.md 1.6). */
const AGENT_ALIVE_MS = 60_000;

function network(host: HostState): JsonObject {
  const { address } = host.config;
  return {
    addr: address,
    netmask: '255.0.0.0',
    ipv4addrs: [`${address}/8`],
    ipv6addrs: [],
    gateway: '127.0.0.1',
    iface: 'ovirtmgmt',
    bridged: true,
    ports: ['eth0'],
    mtu: 1500,
    dhcpv4: false,
    dhcpv6: false,
    ipv6autoconf: false,
    ipv4defaultroute: true,
    stp: 'off',
    switch: 'legacy',
    southbound: 'eth0',
    nameservers: [],
  };
}

export function capabilities(host: HostState): JsonObject {
  const { major, minor } = host.fixture.cluster.version;
  const { cpuType } = host.fixture.cluster;
  const bridge = network(host);
  return {
    hostedEngineDeployed: true,
    software_version: '4.50.5.1',
    software_revision: '1',
    version_name: 'Snow Man',
    supportedENGINEs: ['4.2', '4.3', '4.4', '4.5'],
    clusterLevels: ['4.2', '4.3', '4.4', '4.5', '4.6', `${major}.${minor}`],
    uuid: host.config.hardwareUuid,
    cpuModel: cpuType,
    cpuFlags: 'fpu,vme,de,pse,tsc,msr,pae,nx,lm,vmx,model_Nehalem,model_Westmere,model_SandyBridge',
    cpuCores: '8',
    cpuThreads: '16',
    cpuSockets: '1',
    cpuSpeed: '2400.000',
    onlineCpus: Array.from({ length: 16 }, (_, i) => i).join(','),
    memSize: '65536',
    reservedMem: '321',
    guestOverhead: '65',
    kvmEnabled: 'true',
    emulatedMachines: ['pc-q35-rhel8.6.0', 'pc-q35-rhel9.0.0', 'pc-i440fx-rhel7.6.0', 'q35', 'pc'],
    vmTypes: ['kvm'],
    rngSources: ['hwrng', 'random'],
    networks: { ovirtmgmt: bridge },
    bridges: { ovirtmgmt: { ...bridge, opts: {} } },
    nics: { eth0: { addr: '', ipv4addrs: [], ipv6addrs: [], mtu: 1500, speed: 1000, hwaddr: '00:16:3e:00:00:01' } },
    bondings: {},
    vlans: {},
    nameservers: [],
    lastClientIface: 'ovirtmgmt',
    operatingSystem: { name: 'RHEL', version: '9.2', release: '1.el9', pretty_name: 'Bellwether lab host' },
    packages2: {
      vdsm: { version: '4.50.5.1', release: '1.el9' },
      'ovirt-hosted-engine-ha': { version: '2.5.1', release: '1.el9' },
      libvirt: { version: '9.0.0', release: '10.el9' },
      'qemu-kvm': { version: '7.2.0', release: '14.el9' },
      kernel: { version: '5.14.0', release: '284.el9' },
    },
    selinux: { mode: '1' },
    domain_versions: [0, 2, 3, 4, 5],
    supported_block_size: { NFS: [512], FCP: [512], ISCSI: [512], LOCALFS: [0, 512, 4096], GLUSTERFS: [0, 512, 4096] },
    boot_uuid: host.config.hardwareUuid,
    netConfigDirty: 'False',
    numaNodes: { '0': { cpus: [0, 1, 2, 3, 4, 5, 6, 7], totalMemory: '65536' } },
    numaNodeDistance: { '0': [10] },
    autoNumaBalancing: 1,
    HBAInventory: { iSCSI: [{ InitiatorName: `iqn.1994-05.com.redhat:${host.name}` }], FC: [] },
    ISCSIInitiatorName: `iqn.1994-05.com.redhat:${host.name}`,
    hooks: {},
    kdumpStatus: 0,
    additionalFeatures: ['libgfapi_supported'],
    liveSnapshot: 'true',
    liveMerge: 'true',
    backupEnabled: true,
    hostdevPassthrough: 'false',
    nestedVirtualization: false,
    vncEncrypted: false,
    fipsEnabled: false,
    ovnConfigured: false,
  };
}

export function hardwareInfo(host: HostState): JsonObject {
  return {
    systemUUID: host.config.hardwareUuid,
    systemManufacturer: 'Bellwether',
    systemProductName: 'Lab host',
    systemVersion: '1',
    systemFamily: 'Simulated',
    systemSerialNumber: host.config.hardwareUuid.slice(0, 8),
  };
}

/** As the HA client module reports it: from the host's own block, live while the agent writes (vdsm.md 7). */
export function haStats(host: HostState): JsonObject {
  const block = host.storage.hostBlock(host.config.spmId);
  return {
    configured: true,
    active: block !== undefined && host.clock.now() - host.agentSeen <= AGENT_ALIVE_MS,
    score: block?.score ?? 0,
    globalMaintenance: host.storage.globalMaintenance(),
    localMaintenance: block?.localMaintenance ?? false,
  };
}

function interfaceStats(name: string, sampleTime: number): JsonObject {
  const zero = { rx: '1000', tx: '1000', rxErrors: '0', txErrors: '0', rxDropped: '0', txDropped: '0' };
  return { name, state: 'up', speed: '1000', ...zero, sampleTime };
}

export function hostStats(host: HostState): JsonObject {
  const now = host.clock.wallDate();
  const sampleTime = now.getTime() / 1000;
  const statuses = [...host.vms.values()].map((vm) => vm.status);
  const count = (status: string) => statuses.filter((one) => one === status).length;
  const incoming = count('Migration Destination');
  const outgoing = count('Migration Source');
  const ha = haStats(host);
  const freeMib = String(Math.floor((statfsSync(host.dir).bavail * statfsSync(host.dir).bsize) / MIB));
  const vitals: Record<string, Json> = {};
  for (const [id, one] of Object.entries(domainVitals(host))) vitals[id] = one;
  return {
    cpuLoad: '0.10',
    cpuUser: '2.00',
    cpuSys: '1.00',
    cpuIdle: '97.00',
    cpuUserVdsmd: '0.20',
    cpuSysVdsmd: '0.10',
    cpuStatistics: { '0': { cpuUser: '2.00', cpuSys: '1.00', cpuIdle: '97.00', nodeIndex: 0 } },
    memUsed: '20',
    memFree: 48_000,
    memShared: 0,
    swapTotal: 8191,
    swapFree: 8191,
    anonHugePages: '0',
    thpState: 'always',
    ksmState: false,
    ksmPages: 100,
    ksmCpu: 0,
    ksmMergeAcrossNodes: true,
    numaNodeMemFree: { '0': { memFree: '48000', memPercent: 20 } },
    vmCount: statuses.length,
    vmActive: count('Up'),
    vmMigrating: incoming + outgoing,
    incomingVmMigrations: incoming,
    outgoingVmMigrations: outgoing,
    network: { ovirtmgmt: interfaceStats('ovirtmgmt', sampleTime), eth0: interfaceStats('eth0', sampleTime) },
    rxDropped: '0',
    txDropped: '0',
    storageDomains: vitals,
    diskStats: { '/tmp': { free: freeMib }, '/var/log': { free: freeMib }, '/var/run/vdsm/': { free: freeMib } },
    multipathHealth: {},
    dateTime: `${now.toISOString().slice(0, 19)} GMT`,
    bootTime: String(Math.floor(sampleTime) - 3600),
    elapsedTime: '3600',
    momStatus: 'active',
    netConfigDirty: 'False',
    v2vJobs: {},
    haStats: ha,
    haScore: ha['score'] ?? 0,
  };
}
