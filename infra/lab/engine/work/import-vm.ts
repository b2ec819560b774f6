/** Importing an unregistered VM from its OVF (engine.md 8.3, 11.1, 12). */
import { randomUUID } from 'node:crypto';

import type { Cause, Context } from '../context.ts';
import type { VolumeFacts } from '../gateway.ts';
import { refused } from '../http/engine-fault.ts';
import { BIOS_TYPES, displayOf, MIGRATION, nameOf, NIC_MODELS, ORIGINS, VM_TYPES } from '../ovf/enums.ts';
import { OvfUnreadable, readOvf } from '../ovf/reader.ts';
import type { OvfNic, ReadOvf } from '../ovf/reader.ts';
import { writeOvf } from '../ovf/writer.ts';
import type { Cluster, Disk, Domain, Nic, UnregisteredVm, Vm } from '../state/model.ts';
import { diskOf, messageOf } from './domain-life.ts';
import { storageHost } from './host-door.ts';
import { triggerOvfUpdate } from './ovf-update.ts';

const IMPORT_MS = 2_000;
const NO_OVF = 'There is no OVF for the specific entity.';

export interface RegisterOptions {
  /** Name or id of the cluster; absent: the OVF's. */
  readonly cluster?: Cluster;
  readonly allowPartialImport: boolean;
  readonly reassignBadMacs: boolean;
  readonly clone: boolean;
  readonly name?: string;
}

/** A validated import: what will be stored, and the job to follow. */
export interface Registration {
  readonly jobId: string;
  readonly done: Promise<void>;
}

function refuse(why: string): never {
  throw refused(409, `Cannot import VM. ${why}`);
}

/**
 * Starts the import of an unregistered VM. Validation is immediate, the rest runs under a job.
 *
 * An unmanaged hosted-engine VM of the same id is the old record and is replaced, also while it runs.
 *
 * @throws 409 no OVF, unreadable OVF, VM or name exists, missing disk, duplicate MAC; 409 object locked
 */
export async function register(
  context: Context,
  domain: Domain,
  vmId: string,
  options: RegisterOptions,
  cause: Cause,
): Promise<Registration> {
  if (domain.attachment?.status !== 'active') {
    refuse(`The relevant Storage Domain's status is ${domain.attachment?.status ?? 'Unattached'}.`);
  }
  const entry =
    context.state.unregistered.find((one) => one.domainId === domain.id && one.id === vmId) ?? refuse(NO_OVF);
  const unlock = context.lock('import VM', vmId);
  try {
    const ovf = strictly(context, entry);
    const old = context.state.vms.find((vm) => vm.id === vmId);
    const id = options.clone ? randomUUID() : vmId;
    if (!options.clone && old !== undefined && old.origin !== 'hosted_engine') {
      refuse('VM already exists in the system. Either remove it or import it as a clone.');
    }
    const name = options.name ?? ovf.name;
    if (context.state.vms.some((vm) => vm.name === name && vm !== old)) {
      refuse('The VM name is already in use, please choose a unique name and try again.');
    }
    const cluster = options.cluster ?? clusterOf(context, ovf);
    const volumes = await volumesOf(context, domain);
    const disks = disksFor(context, ovf, volumes, domain, options.allowPartialImport);
    const vm = vmOf(context, { id, name, ovf, cluster, replaces: old, reassign: options.reassignBadMacs });
    const job = context.startJob(`Importing VM ${name} to Cluster ${cluster.name}`, cause);
    const done = store(context, { vm, disks, entry, old, cause, jobId: job.id, domain }).finally(unlock);
    context.inBackground(`import of ${name}`, async () => await done);
    return { jobId: job.id, done };
  } catch (error) {
    unlock();
    throw error;
  }
}

function strictly(context: Context, entry: UnregisteredVm): ReadOvf {
  try {
    return readOvf(entry.ovf);
  } catch (error) {
    if (!(error instanceof OvfUnreadable)) throw error;
    context.event(1195, 'error', `The OVF of VM ${entry.name} could not be read: ${error.message}.`, {
      domainId: entry.domainId,
    });
    // As an entity without an OVF: what cannot be read is not there (ACTION_TYPE_FAILED_UNSUPPORTED_OVF).
    refuse(NO_OVF);
  }
}

function clusterOf(context: Context, ovf: ReadOvf): Cluster {
  const name = ovf.content['ClusterName'];
  return (
    context.state.clusters.find((one) => one.name === name) ??
    context.state.clusters[0] ??
    refuse('A Cluster must be specified.')
  );
}

async function volumesOf(context: Context, domain: Domain): Promise<readonly VolumeFacts[]> {
  const host = storageHost(context);
  if (host === undefined) refuse('There is no active Host in the Data Center.');
  try {
    return await context.gateway.listVolumes(host, domain.attachment?.dataCenterId ?? '', domain.id);
  } catch (error) {
    context.log(`volumes of ${domain.name}: ${messageOf(error)}`);
    return refuse(`Failed to retrieve existing storage domain information of ${domain.name}.`);
  }
}

function disksFor(
  context: Context,
  ovf: ReadOvf,
  volumes: readonly VolumeFacts[],
  domain: Domain,
  partial: boolean,
): readonly Disk[] {
  const found = ovf.disks.flatMap((disk) => {
    const volume = volumes.find((one) => one.image === disk.image && one.volume === disk.volume);
    if (volume !== undefined) return [diskOf(volume, domain.id, disk.alias || `${ovf.name}_Disk1`)];
    if (!partial) refuse(`The following disk images are missing on the storage domain: ${disk.image}.`);
    return [];
  });
  for (const disk of found) {
    const user = context.state.vms.find(
      (vm) => vm.id !== ovf.id && vm.attachments.some((one) => one.diskId === disk.id),
    );
    if (user !== undefined) refuse(`Disk ${disk.id} is already attached to VM ${user.name}.`);
  }
  return found;
}

export interface VmParts {
  readonly id: string;
  readonly name: string;
  readonly ovf: ReadOvf;
  readonly cluster: Cluster;
  readonly replaces: Vm | undefined;
  readonly reassign: boolean;
}

/** Members of Content which the writer sets itself. */
const RULED = new Set([
  'Name',
  'Description',
  'Comment',
  'Origin',
  'Generation',
  'ClusterName',
  'ExportDate',
  'CreationDate',
  'ClusterCompatibilityVersion',
]);

/** The record of an imported VM, not yet stored. */
export function vmOf(context: Context, parts: VmParts): Vm {
  const { ovf, replaces, cluster } = parts;
  const { content } = ovf;
  const maxMemoryMb = Math.max(positive(content['MaxMemorySizeMb']) ?? ovf.memoryMb * 4, ovf.memoryMb);
  const vm: Vm = {
    id: parts.id,
    name: parts.name,
    description: content['Description'] ?? '',
    comment: content['Comment'] ?? '',
    status: 'image_locked',
    origin: replaces === undefined ? nameOf(ORIGINS, content['Origin'], 'ovirt') : 'managed_hosted_engine',
    deleteProtected: content['DeleteProtected'] === 'true',
    memoryMb: ovf.memoryMb,
    maxMemoryMb,
    guaranteedMb: Math.min(positive(content['MinAllocatedMem']) ?? ovf.memoryMb, ovf.memoryMb),
    ballooning: content['BalloonEnabled'] !== 'false',
    sockets: ovf.sockets,
    cores: ovf.cores,
    threads: ovf.threads,
    maxVcpus: ovf.maxVcpus ?? ovf.sockets * ovf.cores * ovf.threads,
    ioThreads: positive(content['NumOfIoThreads']) ?? 0,
    clusterId: cluster.id,
    biosType: nameOf(BIOS_TYPES, content['BiosType'], 'i440fx_sea_bios'),
    // The importer gives the hosted engine the first Linux id whatever the OVF says (engine.md 11.1).
    osType: replaces === undefined ? ovf.os : 'other_linux',
    display: displayOf(content['DefaultDisplayType']),
    type: nameOf(VM_TYPES, content['VmType'], 'desktop'),
    highlyAvailable: content['AutoStartup'] === 'true',
    priority: positive(content['Priority']) ?? 1,
    stateless: content['IsStateless'] === 'true',
    timeZone: content['TimeZone'] || 'Etc/GMT',
    cpuModel: content['CustomCpuName'] ?? '',
    emulatedMachine: content['CustomEmulatedMachine'] ?? '',
    migration:
      replaces === undefined ? nameOf(MIGRATION, content['MigrationSupport'], 'migratable') : 'user_migratable',
    createdAt: Date.now(),
    generation: positive(content['Generation']) ?? 1,
    attachments: ovf.disks.map((disk) => ({
      diskId: disk.image,
      interface: disk.interface,
      bootable: disk.boot,
      active: disk.plugged,
      readOnly: disk.readOnly,
      address: disk.address,
    })),
    nics: ovf.nics.map((nic, index) => nicOf(context, nic, index, parts)),
    ovfExtras: Object.fromEntries(Object.entries(content).filter(([name]) => !RULED.has(name))),
    ovfItems: [...ovf.items],
    ovf: '',
  };
  const [first] = vm.attachments;
  // A hosted engine boots from its first disk, also where old OVFs say boot=false (order comes from vm.conf then).
  if (replaces !== undefined && first !== undefined && !vm.attachments.some((one) => one.bootable))
    first.bootable = true;
  if (replaces?.startedAt !== undefined) vm.startedAt = replaces.startedAt;
  return vm;
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function nicOf(context: Context, nic: OvfNic, index: number, parts: VmParts): Nic {
  const networks = context.state.networks.filter(
    (one) => one.dataCenterId === parts.cluster.dataCenterId && one.name === nic.network,
  );
  const profiles = context.state.profiles.filter((one) => networks.some((network) => network.id === one.networkId));
  const profile = profiles.find((one) => one.name === nic.profile) ?? profiles[0];
  const taken = context.state.vms.some((vm) => vm.id !== parts.id && vm.nics.some((one) => one.mac === nic.mac));
  if (taken && !parts.reassign)
    refuse(`The MAC addresses ${nic.mac} are already in use, reassign bad MACs to import the VM.`);
  return {
    id: nic.id || randomUUID(),
    name: nic.name || `nic${index + 1}`,
    ...(profile && { profileId: profile.id }),
    network: nic.network,
    interface: NIC_MODELS[nic.model] ?? 'virtio',
    mac: taken ? freeMac(context) : nic.mac,
    linked: nic.linked,
    plugged: nic.plugged,
    address: nic.address,
  };
}

/** Next address of the pool 56:6f:... that no VM uses. */
export function freeMac(context: Context): string {
  const used = new Set(context.state.vms.flatMap((vm) => vm.nics.map((nic) => nic.mac)));
  for (let number = 0; ; number += 1) {
    const tail = number.toString(16).padStart(4, '0');
    const mac = `56:6f:1a:00:${tail.slice(0, 2)}:${tail.slice(2)}`;
    if (!used.has(mac)) return mac;
  }
}

interface StoreParts {
  readonly vm: Vm;
  readonly disks: readonly Disk[];
  readonly entry: UnregisteredVm;
  readonly old: Vm | undefined;
  readonly cause: Cause;
  readonly jobId: string;
  readonly domain: Domain;
}

async function store(context: Context, parts: StoreParts): Promise<void> {
  const { vm, disks, entry, old, cause, jobId, domain } = parts;
  const ids = new Set(disks.map((disk) => disk.id));
  vm.attachments = vm.attachments.filter((one) => ids.has(one.diskId));
  context.state.disks = [...context.state.disks.filter((disk) => !ids.has(disk.id)), ...disks];
  context.state.vms = [...context.state.vms.filter((one) => one.id !== vm.id), vm];
  context.changed();
  context.flush();
  await context.sleep(IMPORT_MS);
  vm.ovf = writeOvf(context, vm);
  const running = context.state.hosts.find((host) => host.vmIds.includes(vm.id));
  vm.status = running === undefined ? 'down' : old !== undefined && old.status !== 'down' ? old.status : 'up';
  if (running !== undefined) vm.hostId = running.id;
  context.state.unregistered = context.state.unregistered.filter((one) => one !== entry);
  const facts = {
    vmId: vm.id,
    domainId: domain.id,
    clusterId: vm.clusterId,
    correlationId: cause.correlationId,
    userId: cause.userId,
  };
  if (vm.origin === 'managed_hosted_engine')
    context.event(10456, 'normal', 'Hosted Engine VM was imported successfully.', facts);
  else
    context.event(
      1152,
      'normal',
      `VM ${vm.name} was successfully registered from Storage Domain ${domain.name}.`,
      facts,
    );
  context.endJob(jobId, 'finished');
  context.changed();
  if (vm.origin === 'managed_hosted_engine') triggerOvfUpdate(context, vm);
}
