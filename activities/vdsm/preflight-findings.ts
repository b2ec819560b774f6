/** What speaks against an install, from what was seen: pure, and everything at once (engine.md 16, and what it lacks). */
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { cpuModelOf, machineOf } from './guest-hardware.ts';

export interface Finding {
  readonly what: string;
  readonly remedy: string;
}

/** What host, worker and storage show. Undefined: it could not be seen, and `unseen` says why. */
export interface Seen {
  readonly host: {
    readonly cpuThreads: number;
    readonly memFreeMiB: number;
    readonly virtualisation: boolean;
    readonly cpuFlags: readonly string[];
    readonly machines: readonly string[];
    /** Ports of the bridge `ovirtmgmt`; undefined: there is no such bridge. */
    readonly bridgePorts: readonly string[] | undefined;
    readonly interfaces: readonly string[];
    /** Mode of each bond by name. */
    readonly bondModes: Readonly<Record<string, string>>;
    readonly addresses: readonly string[];
    readonly gateway: string;
    readonly deployed: boolean;
    readonly pools: readonly string[];
    readonly vms: readonly string[];
    /** Host's clock minus worker's. */
    readonly skewMs: number | undefined;
  };
  readonly engineAddresses: readonly string[];
  /** Host part of the engine's URL in the worker's configuration. */
  readonly configuredEngineHost: string;
  /** What answers under the engine's address already; undefined: nobody. */
  readonly answering: string | undefined;
  readonly unreadableSecrets: readonly Finding[];
  readonly storage: readonly { readonly at: string; readonly fault?: Finding; readonly domains: readonly string[] }[];
  readonly networkTestFault: string | undefined;
  readonly appliance: { readonly fault?: Finding; readonly sha256?: string | undefined; readonly bytes: number };
}

const RESERVED_MIB = 512;
const GRACE_MIB = 200;
const SKEW_MAX_MS = 60_000;
const GIB = 2 ** 30;
const BOND_MODES = new Map([
  ['1', 'active-backup'],
  ['2', 'balance-xor'],
  ['3', 'broadcast'],
  ['4', '802.3ad'],
]);
const finding = (what: string, remedy: string): Finding => ({ what, remedy });
const when = (condition: boolean, what: string, remedy: string): Finding[] =>
  condition ? [finding(what, remedy)] : [];

function capacity({ vm, host: { name } }: InstallAnswers, { host }: Seen): Finding[] {
  const memory = host.memFreeMiB - RESERVED_MIB + GRACE_MIB;
  return [
    ...when(!host.virtualisation, `${name} can’t run VMs (no KVM)`, 'Switch virtualisation on in its firmware'),
    ...when(
      vm.vcpus > host.cpuThreads,
      `${vm.vcpus} virtual CPUs were asked for, ${name} has ${host.cpuThreads}`,
      'Ask for fewer, or use a larger host',
    ),
    ...when(
      vm.memoryMiB > memory,
      `${vm.memoryMiB} MiB were asked for, ${name} has ${memory} MiB to give`,
      'Free memory on the host, or ask for less (the engine needs 4096 MiB at least)',
    ),
    ...when(
      cpuModelOf(host.cpuFlags) === undefined,
      `${name} shows no CPU model that an engine knows`,
      'Use a host with an x86-64 CPU of Nehalem’s age or younger',
    ),
    ...when(
      machineOf(host.machines) === undefined,
      `the qemu of ${name} has no machine type q35`,
      'Install qemu-kvm of oVirt 4.4 or later on it',
    ),
  ];
}

function unused({ host: { name } }: InstallAnswers, { host }: Seen): Finding[] {
  const files = '/etc/ovirt-hosted-engine/hosted-engine.conf';
  return [
    ...when(
      host.deployed,
      `${name} has a hosted engine already`,
      `Use another host; or, if that one is given up: systemctl disable --now ovirt-ha-agent ovirt-ha-broker; rm ${files} /var/lib/ovirt-hosted-engine-ha/installed-*`,
    ),
    ...when(
      host.pools.length > 0,
      `${name} belongs to the data center ${host.pools.join(', ')}`,
      'Remove it from the engine that it belongs to, or use another host',
    ),
    ...when(
      host.vms.length > 0,
      `${name} runs VMs already: ${host.vms.join(', ')}`,
      'Move or stop them, or use another host',
    ),
  ];
}

function bridge({ host: { name, bridgeInterface: nic } }: InstallAnswers, { host }: Seen): Finding[] {
  const [base] = nic.split('.');
  const mode = host.bondModes[base ?? nic];
  const known = [...BOND_MODES].flat();
  const make = `vdsm-client Host setupNetworks networks='{"ovirtmgmt":{"nic":"${nic}","bridged":true,"bootproto":"dhcp","defaultRoute":true}}' bondings='{}' options='{"connectivityCheck":false}' && vdsm-client Host setSafeNetworkConfig`;
  if (!host.interfaces.includes(nic))
    return [finding(`${name} has no interface ${nic}`, `Name one of ${host.interfaces.join(', ')}`)];
  return [
    ...when(
      mode !== undefined && mode !== '' && !known.includes(mode),
      `${base} is a bond of mode ${mode}, which bridges can’t use`,
      `Use ${[...BOND_MODES.values()].join(', ')}`,
    ),
    ...when(
      host.bridgePorts?.includes(nic) !== true,
      `${name} has no bridge ovirtmgmt over ${nic}`,
      `Make it on the host: ${make}`,
    ),
  ];
}

const loopback = (address: string) => address === '::1' || address.startsWith('127.');

function names({ fqdn, vm, host: { name } }: InstallAnswers, seen: Seen): Finding[] {
  const found = seen.engineAddresses;
  if (found.length === 0)
    return [finding(`${fqdn} resolves to no address`, 'Enter it into the name service, on the hosts too')];
  const taken = found.find((address) => !loopback(address) && seen.host.addresses.includes(address));
  const fixed = vm.staticIp?.address;
  const { configuredEngineHost: url, answering } = seen;
  return [
    ...when(
      answering !== undefined,
      `somebody answers as ${url} already: ${answering}`,
      'Give the new engine a name and an address that nobody has',
    ),
    ...when(
      taken !== undefined,
      `${fqdn} leads to ${taken}, which is ${name}`,
      'Give the engine an address of its own',
    ),
    ...when(
      fixed !== undefined && !found.includes(fixed),
      `${fqdn} resolves to ${found.join(', ')}, its VM is to have ${fixed}`,
      'Make the two the same',
    ),
    ...when(
      url !== fqdn && !found.includes(url),
      `the worker is configured for an engine at ${url}, not at ${fqdn}`,
      'Correct engine.url of the cluster in the file that BELLWETHER_CLUSTERS_FILE names, and restart the worker',
    ),
  ];
}

function clock({ host: { name } }: InstallAnswers, { host: { skewMs } }: Seen): Finding[] {
  if (skewMs === undefined) return [finding(`${name} does not tell its time`, 'Update VDSM on it')];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const side = skewMs > 0 ? 'ahead of' : 'behind';
  return when(
    Math.abs(skewMs) > SKEW_MAX_MS,
    `the clock of ${name} is ${seconds} s ${side} the worker’s`,
    'Let both follow one time server (chronyc makestep)',
  );
}

function storage(seen: Seen): Finding[] {
  return seen.storage.flatMap(({ at, fault, domains }) => [
    ...(fault === undefined ? [] : [fault]),
    ...when(
      domains.length > 0,
      `a storage domain lies on ${at} already: ${domains.join(', ')}`,
      'Use an empty export. Nothing on it was touched',
    ),
  ]);
}

function image({ appliance: wanted, vm }: InstallAnswers, { appliance }: Seen): Finding[] {
  if (appliance.fault !== undefined) return [appliance.fault];
  return [
    ...when(
      appliance.sha256 !== undefined && appliance.sha256 !== wanted.sha256,
      `the appliance ${wanted.source} has SHA-256 ${appliance.sha256}, not the one that was asked for`,
      'Correct the checksum, or put the right image there',
    ),
    ...when(
      appliance.bytes > vm.diskGiB * GIB,
      `the appliance has ${Math.ceil(appliance.bytes / GIB)} GiB, the disk is to have ${vm.diskGiB}`,
      'Ask for a larger disk',
    ),
  ];
}

/** In the order in which a person would put them right. */
export function findingsOf(answers: InstallAnswers, seen: Seen): Finding[] {
  const { kind } = answers.networkTest;
  return [
    ...unused(answers, seen),
    ...capacity(answers, seen),
    ...bridge(answers, seen),
    ...clock(answers, seen),
    ...names(answers, seen),
    ...when(
      seen.networkTestFault !== undefined,
      `the network test ${kind} fails: ${seen.networkTestFault}`,
      'Repair the network or the name service, or choose another test',
    ),
    ...when(seen.host.gateway === '', `${answers.host.name} has no gateway`, 'Give ovirtmgmt a default route'),
    ...storage(seen),
    ...image(answers, seen),
    ...seen.unreadableSecrets,
  ];
}
