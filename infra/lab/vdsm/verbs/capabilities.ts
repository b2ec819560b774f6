/** `Host.getCapabilities`, `Host.getHardwareInfo` and `Host.getStats` of a small lab host (vdsm.md 7). */
import { statfsSync } from 'node:fs';
import type { HostState } from '../host-state.ts';
import type { Json, JsonObject } from '../python.ts';
import { cpuCapabilities, cpuStats } from './cpu.ts';
import { networkCapabilities, networkStatistics } from './network.ts';
import { domainVitals } from './vitals.ts';

const MIB = 1024 * 1024;
/** A published block older than this is a dead agent's (ha-agent.md 1.6). */
const AGENT_ALIVE_MS = 60_000;
/** VDSM samples the host this often, first when it starts. */
const SAMPLE_INTERVAL_MS = 15_000;
const NO_SAMPLES: JsonObject = {
  cpuLoad: '0.00',
  cpuUser: '0.00',
  cpuSys: '0.00',
  cpuIdle: '100.00',
  cpuSysVdsmd: '0.00',
  cpuUserVdsmd: '0.00',
  memUsed: '0.00',
  anonHugePages: '0.00',
};

/** What libvirt and qemu of the host are good for: 4.8 asks for libvirt 10.10 and qemu 9.1. */
function clusterLevels(minor: number): string[] {
  const levels = ['4.2', '4.3', '4.4', '4.5', '4.6', '4.7'];
  return minor >= 8 ? [...levels, '4.8'] : levels;
}

function packages(minor: number): JsonObject {
  const newest = minor >= 8;
  return {
    vdsm: { version: '4.50.5.1', release: '1.el9' },
    'ovirt-hosted-engine-ha': { version: '2.5.1', release: '1.el9' },
    libvirt: { version: newest ? '10.10.0' : '9.0.0', release: '10.el9' },
    'qemu-kvm': { version: newest ? '9.1.0' : '7.2.0', release: '14.el9' },
    'qemu-img': { version: newest ? '9.1.0' : '7.2.0', release: '14.el9' },
    kernel: { version: '5.14.0', release: '284.el9' },
  };
}

/** Abilities that the engine asks for by name. */
const ABILITIES: JsonObject = {
  additionalFeatures: ['libgfapi_supported'],
  liveSnapshot: 'true',
  liveMerge: 'true',
  backupEnabled: true,
  coldBackupEnabled: true,
  clearBitmapsEnabled: true,
  deferred_preallocation: true,
  cd_change_pdiv: true,
  refresh_disk_supported: true,
  replicate_extend: true,
  measure_subchain: true,
  measure_active: true,
  mailbox_events: false,
  zerocopy_migrations: true,
  qemu_image_info_bitmaps: true,
  hostdevPassthrough: 'false',
  nestedVirtualization: false,
  realtimeKernel: false,
  vncEncrypted: false,
  fipsEnabled: false,
  ovnConfigured: false,
};

export function capabilities(host: HostState): JsonObject {
  const { minor } = host.fixture.cluster.version;
  return {
    ...cpuCapabilities(host),
    ...networkCapabilities(host),
    ...ABILITIES,
    hostedEngineDeployed: host.deployed,
    software_version: '4.50.5.1',
    software_revision: '1',
    version_name: 'Snow Man',
    supportedENGINEs: ['4.2', '4.3', '4.4', '4.5'],
    clusterLevels: clusterLevels(minor),
    uuid: host.config.hardwareUuid,
    memSize: '65536',
    reservedMem: '321',
    guestOverhead: '65',
    kvmEnabled: 'true',
    emulatedMachines: ['pc-q35-rhel8.6.0', 'pc-q35-rhel9.0.0', 'pc-i440fx-rhel7.6.0', 'q35', 'pc'],
    vmTypes: ['kvm'],
    rngSources: ['hwrng', 'random'],
    lastClientIface: 'ovirtmgmt',
    operatingSystem: { name: 'RHEL', version: '9.2', release: '1.el9', pretty_name: 'Bellwether lab host' },
    packages2: packages(minor),
    kernelArgs: 'BOOT_IMAGE=/vmlinuz root=/dev/mapper/rhel-root ro',
    kernelFeatures: { MELTDOWN: 'Not affected', SPECTRE_V2: 'Mitigation: Enhanced IBRS' },
    selinux: { mode: '1' },
    domain_versions: [0, 2, 3, 4, 5],
    supported_block_size: { NFS: [512], FCP: [512], ISCSI: [512], LOCALFS: [0, 512, 4096], GLUSTERFS: [0, 512, 4096] },
    boot_uuid: host.config.hardwareUuid,
    HBAInventory: { iSCSI: [{ InitiatorName: `iqn.1994-05.com.redhat:${host.name}` }], FC: [] },
    ISCSIInitiatorName: `iqn.1994-05.com.redhat:${host.name}`,
    hooks: {},
    kdumpStatus: 0,
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
  const services = host.haServices();
  if (!host.deployed || services === 'none')
    return { configured: false, active: false, score: 0, globalMaintenance: false, localMaintenance: false };
  // The client module fails where the broker has no storage: configured, and all else nothing (vdsm.md 7).
  if (!host.storage.haReachable())
    return { configured: true, active: false, score: 0, globalMaintenance: false, localMaintenance: false };
  const globalMaintenance = host.storage.globalMaintenance();
  const block = host.storage.hostBlock(host.hostId);
  return {
    configured: true,
    active: block !== undefined && (services === 'bellwether' || host.clock.now() - host.agentSeen <= AGENT_ALIVE_MS),
    score: block?.score ?? 0,
    globalMaintenance,
    localMaintenance: block?.localMaintenance ?? false,
  };
}

/** What VDSM computes from two samples of the host; before the second there is little of it, and no network at all. */
function sampled(host: HostState): JsonObject {
  const ageMs = host.clock.now() - host.daemonStarted;
  const elapsedTime = (ageMs / 1000).toFixed(2);
  if (ageMs < SAMPLE_INTERVAL_MS) return { ...NO_SAMPLES, elapsedTime };
  const { network, rxDropped, txDropped } = networkStatistics(host);
  const { bavail, bsize } = statfsSync(host.dir);
  const free = String(Math.floor((bavail * bsize) / MIB));
  return {
    ...cpuStats(),
    elapsedTime,
    network,
    rxDropped: String(rxDropped),
    txDropped: String(txDropped),
    memUsed: '27',
    anonHugePages: '0',
    thpState: 'always',
    diskStats: { '/tmp': { free }, '/var/log': { free }, '/var/run/vdsm/': { free } },
    bootTime: String(Math.floor(host.bootDate.getTime() / 1000)),
    v2vJobs: {},
  };
}

export function hostStats(host: HostState): JsonObject {
  const statuses = [...host.vms.values()].map((vm) => vm.status);
  const count = (status: string) => statuses.filter((one) => one === status).length;
  const incoming = count('Migration Destination');
  const outgoing = count('Migration Source');
  const ha = haStats(host);
  const vitals: Record<string, Json> = {};
  for (const [id, one] of Object.entries(domainVitals(host))) vitals[id] = one;
  return {
    ...sampled(host),
    memFree: 48_000,
    memShared: 0,
    swapTotal: 8191,
    swapFree: 8191,
    ksmState: false,
    ksmPages: 100,
    ksmCpu: 0,
    ksmMergeAcrossNodes: true,
    vmCount: statuses.length,
    vmActive: count('Up'),
    vmMigrating: incoming + outgoing,
    incomingVmMigrations: incoming,
    outgoingVmMigrations: outgoing,
    storageDomains: vitals,
    multipathHealth: {},
    dateTime: `${host.clock.wallDate().toISOString().slice(0, 19)} GMT`,
    momStatus: 'active',
    netConfigDirty: 'False',
    haStats: ha,
    haScore: ha['score'] ?? 0,
  };
}
