import { labMachines } from '../../fixture.ts';
import { hostKeyFingerprint } from '../../machine/keys.ts';
import type { Node } from '../codec/tree.ts';
import { Decimal } from '../codec/tree.ts';
import type { Context } from '../context.ts';
import type { SearchRecord } from '../search/match.ts';
import type { Host } from '../state/model.ts';
import { actions, ENGINE_VERSION, links, ref } from './links.ts';

const ACTIONS = [
  'activate',
  'approve',
  'commitnetconfig',
  'copyhostnetworks',
  'deactivate',
  'discoveriscsi',
  'enrollcertificate',
  'fence',
  'forceselectspm',
  'install',
  'iscsidiscover',
  'iscsilogin',
  'refresh',
  'setupnetworks',
  'unregisteredstoragedomainsdiscover',
  'upgrade',
  'upgradecheck',
] as const;
const LINKS = [
  'hooks',
  'networkattachments',
  'nics',
  'permissions',
  'statistics',
  'storage',
  'storageconnectionextensions',
  'tags',
  'devices',
] as const;

/** `host`. `hosted_engine` only with all_content, and only while the host says it is configured (engine.md 8.2). */
export function hostView(context: Context, one: Host, allContent: boolean): Node {
  const base = `/hosts/${one.id}`;
  const vms = context.state.vms.filter((vm) => vm.hostId === one.id);
  return {
    ...ref('hosts', one.id),
    name: one.name,
    comment: one.comment,
    address: one.address,
    port: one.port,
    protocol: 'stomp',
    status: one.status,
    ...(one.statusDetail !== '' && { status_detail: one.statusDetail }),
    external_status: 'ok',
    type: 'rhel',
    cluster: ref('clusters', one.clusterId),
    memory: one.memoryBytes,
    max_scheduling_memory: Math.max(0, one.memoryBytes - vms.reduce((sum, vm) => sum + vm.memoryMb * 1024 * 1024, 0)),
    cpu: {
      name: 'Intel(R) Xeon(R) Gold',
      speed: new Decimal(2400),
      type: 'Secure Intel Cascadelake Server Family',
      topology: { sockets: 2, cores: 4, threads: 1 },
    },
    os: {
      type: 'RHEL',
      version: { full_version: '9.4', major: 9, minor: 4 },
      custom_kernel_cmdline: '',
      reported_kernel_cmdline: '',
    },
    version: { ...ENGINE_VERSION, full_version: 'vdsm-4.50.5-1.el9' },
    summary: { active: vms.length, migrating: vms.filter((vm) => vm.status === 'migrating').length, total: vms.length },
    spm: { priority: 5, status: one.spm && one.status === 'up' ? 'spm' : 'none' },
    hardware_information: {
      uuid: one.hardwareUuid,
      manufacturer: 'Bellwether',
      product_name: 'Lab host',
      serial_number: one.hardwareUuid,
      family: 'lab',
      version: '1',
    },
    iscsi: { initiator: `iqn.1994-05.com.redhat:${one.hardwareUuid.slice(0, 12).replaceAll('-', '')}` },
    ssh: sshOf(context, one),
    certificate: { organization: 'Bellwether lab', subject: `O=Bellwether lab,CN=${one.address}` },
    power_management: { enabled: false, automatic_pm_enabled: true, kdump_detection: true, pm_proxies: {} },
    se_linux: { mode: 'enforcing' },
    ksm: { enabled: false },
    transparent_huge_pages: { enabled: true },
    kdump_status: 'enabled',
    auto_numa_status: 'disable',
    numa_supported: false,
    live_snapshot_support: true,
    override_iptables: false,
    update_available: one.updateAvailable === true,
    reinstallation_required: false,
    ovn_configured: false,
    device_passthrough: { enabled: false },
    vgpu_placement: 'consolidated',
    ...(allContent && { network_operation_in_progress: false, ...hostedEngine(one) }),
    actions: actions(base, ...ACTIONS),
    link: links(base, ...LINKS),
  };
}

/** What the engine saw when it was there; nobody ever was at an imaginary host. */
function sshOf({ fixture }: Context, one: Host): Node {
  const machine = labMachines(fixture).find(
    ({ address, vdsmPort }) => address === one.address && vdsmPort === one.port,
  );
  const fingerprint = machine === undefined ? undefined : hostKeyFingerprint(fixture, machine.name);
  return { port: one.sshPort ?? machine?.sshPort ?? 22, fingerprint: fingerprint ?? 'SHA256:lab', thumbprint: '' };
}

function hostedEngine(one: Host): Node {
  if (one.ha?.configured !== true) return {};
  const { active, score, globalMaintenance, localMaintenance } = one.ha;
  return {
    hosted_engine: {
      configured: true,
      active,
      score,
      global_maintenance: globalMaintenance,
      local_maintenance: localMaintenance,
    },
  };
}

export function hostFields(context: Context, one: Host): SearchRecord {
  const cluster = context.state.clusters.find((candidate) => candidate.id === one.clusterId);
  const vms = context.state.vms.filter((vm) => vm.hostId === one.id);
  return {
    name: one.name,
    address: one.address,
    cluster: cluster?.name,
    'cluster.name': cluster?.name,
    datacenter: context.state.dataCenters.find((dc) => dc.id === cluster?.dataCenterId)?.name,
    status: one.status,
    active_vms: vms.length,
    memory: Math.floor(one.memoryBytes / 1024 / 1024),
    cpus: 8,
    type: 'rhel',
    architecture: 'x86_64',
    version: '4.50.5',
    ha_score: one.ha?.score ?? 0,
    spm_id: one.spmId,
    hw_id: one.hardwareUuid,
    update_available: String(one.updateAvailable === true),
    id: one.id,
    comment: one.comment,
    'vms.name': vms.map((vm) => vm.name),
    vm: vms.map((vm) => vm.name),
  };
}
