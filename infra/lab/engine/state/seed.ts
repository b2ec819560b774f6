/** The database of a new lab: what the fixture says, and some history. */
import { randomUUID } from 'node:crypto';

import type { LabFixture } from '../../fixture.ts';
import type { Domain, EngineState, Host, Vm } from './model.ts';
import { seedEvents } from './seed-events.ts';
import { seedManaged } from './seed-managed.ts';
import { readVmConf } from './vm-conf.ts';

/** Fixed, as in every real engine: the id of `admin@internal` differs, this one need not. */
const ADMIN_ID = 'b5f1c0de-0000-4000-8000-0000000000ad';
const GIB = 1024 ** 3;

/**
 * Makes the database. Hosts start as `up` because the lab starts them first; the first poll corrects it where needed.
 *
 * @param fixture `managed` decides between the state before and after the upgrade
 */
export function seed(fixture: LabFixture): EngineState {
  if (fixture.bare === true) return seedFresh(fixture);
  const networkId = randomUUID();
  const masterConnection = randomUUID();
  const { dataCenter, masterDomain } = fixture;
  const state: EngineState = {
    version: 1,
    instanceId: randomUUID(),
    clock: 0,
    user: { id: ADMIN_ID, name: fixture.engine.user },
    ...seedCluster(fixture),
    networks: [
      {
        id: networkId,
        name: 'ovirtmgmt',
        description: 'Management Network',
        comment: '',
        dataCenterId: dataCenter.id,
        mtu: 0,
      },
    ],
    profiles: [{ id: randomUUID(), name: 'ovirtmgmt', networkId }],
    hosts: fixture.hosts.map((host) => seedHost(fixture, host)),
    connections: [{ id: masterConnection, type: 'nfs', address: masterDomain.server, path: masterDomain.path }],
    domains: [seedMaster(fixture, masterConnection)],
    disks: [],
    vms: [hostedEngineVm(fixture)],
    unregistered: [],
    jobs: [],
    events: [],
    timers: [],
    imaginary: [],
  };
  const [vm] = state.vms;
  const [profile] = state.profiles;
  if (vm !== undefined && profile !== undefined) for (const nic of vm.nics) nic.profileId = profile.id;
  if (fixture.managed) seedManaged(state, fixture);
  seedEvents(state);
  return state;
}

/** What engine-setup leaves: data center and cluster `Default`, and nobody in them. */
function seedFresh(fixture: LabFixture): EngineState {
  const { cluster, dataCenter } = fixture;
  const networkId = randomUUID();
  const { dataCenters, clusters } = seedCluster(fixture);
  return {
    version: 1,
    instanceId: randomUUID(),
    clock: 0,
    user: { id: ADMIN_ID, name: fixture.engine.user },
    dataCenters: dataCenters.map((one) => ({ ...one, status: 'uninitialized' as const })),
    clusters: clusters.map((one) => ({ ...one, id: cluster.id, name: 'Default', cpuType: '' })),
    networks: [
      {
        id: networkId,
        name: 'ovirtmgmt',
        description: 'Management Network',
        comment: '',
        dataCenterId: dataCenter.id,
        mtu: 0,
      },
    ],
    profiles: [{ id: randomUUID(), name: 'ovirtmgmt', networkId }],
    hosts: [],
    connections: [],
    domains: [],
    disks: [],
    vms: [],
    unregistered: [],
    jobs: [],
    events: [],
    timers: [],
    imaginary: [],
  };
}

function seedCluster({ dataCenter, cluster }: LabFixture): Pick<EngineState, 'dataCenters' | 'clusters'> {
  return {
    dataCenters: [
      {
        id: dataCenter.id,
        name: dataCenter.name,
        description: 'The default Data Center',
        comment: '',
        local: false,
        status: 'up',
        ...cluster.version,
      },
    ],
    clusters: [
      {
        id: cluster.id,
        name: cluster.name,
        description: 'The default server cluster',
        comment: '',
        dataCenterId: dataCenter.id,
        cpuType: cluster.cpuType,
        ...cluster.version,
        biosType: 'q35_sea_bios',
        virtService: true,
        glusterService: false,
      },
    ],
  };
}

function seedMaster({ masterDomain, dataCenter }: LabFixture, connectionId: string): Domain {
  return {
    id: masterDomain.id,
    name: masterDomain.name,
    description: '',
    comment: '',
    type: 'data',
    connectionId,
    format: 'v5',
    master: true,
    totalBytes: 500 * GIB,
    freeBytes: 420 * GIB,
    attachment: { dataCenterId: dataCenter.id, status: 'active', correlationId: '' },
  };
}

function seedHost(fixture: LabFixture, host: LabFixture['hosts'][number]): Host {
  const holds = host.spmId === 1;
  return {
    id: host.id,
    name: host.name,
    address: host.address,
    port: host.vdsmPort,
    comment: '',
    clusterId: fixture.cluster.id,
    status: 'up',
    statusDetail: '',
    since: 0,
    spmId: host.spmId,
    spm: holds,
    hardwareUuid: host.hardwareUuid,
    memoryBytes: 64 * GIB,
    vmIds: holds ? [fixture.vm.id] : [],
  };
}

/** As `AddUnmanagedVms` records a running engine VM nobody imported: no disks, origin `hosted_engine`. */
function hostedEngineVm(fixture: LabFixture): Vm {
  const conf = readVmConf(fixture.vmConf);
  const host = fixture.hosts.find((one) => one.spmId === 1);
  return {
    id: fixture.vm.id,
    name: fixture.vm.name,
    description: 'Hosted Engine VM',
    comment: '',
    status: 'up',
    origin: 'hosted_engine',
    deleteProtected: false,
    memoryMb: fixture.vm.memoryMb,
    maxMemoryMb: fixture.vm.memoryMb,
    guaranteedMb: fixture.vm.memoryMb,
    ballooning: false,
    sockets: conf.smp,
    cores: 1,
    threads: 1,
    maxVcpus: conf.maxVcpus,
    ioThreads: 0,
    clusterId: fixture.cluster.id,
    ...(host && { hostId: host.id }),
    biosType: conf.emulatedMachine.includes('q35') ? 'q35_sea_bios' : 'i440fx_sea_bios',
    osType: 'other_linux',
    display: conf.display === 'qxl' ? 'spice' : 'vnc',
    type: 'server',
    highlyAvailable: false,
    priority: 1,
    stateless: false,
    timeZone: 'Etc/GMT',
    cpuModel: conf.cpuType,
    emulatedMachine: conf.emulatedMachine,
    migration: 'user_migratable',
    createdAt: Date.now() - 400 * 86_400_000,
    startedAt: Date.now() - 86_400_000,
    generation: 1,
    attachments: [],
    nics: conf.nics.map((nic, index) => ({
      id: nic.id ?? randomUUID(),
      name: `vnet${index}`,
      network: nic.network,
      interface: 'virtio',
      mac: nic.mac,
      linked: true,
      plugged: true,
      address: '',
    })),
    ovfExtras: {},
    ovfItems: [],
    ovf: '',
  };
}
