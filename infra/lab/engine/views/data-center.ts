import type { Node } from '../codec/tree.ts';
import type { Context } from '../context.ts';
import type { SearchRecord } from '../search/match.ts';
import type { Cluster, DataCenter, Network, VnicProfile } from '../state/model.ts';
import { actions, links, ref } from './links.ts';

/** `data_center`. The status may be forced by the fault `data-center-status`. */
export function dataCenterView(context: Context, one: DataCenter): Node {
  const base = `/datacenters/${one.id}`;
  const version = { major: one.major, minor: one.minor };
  return {
    ...ref('datacenters', one.id),
    name: one.name,
    description: one.description,
    comment: one.comment,
    local: one.local,
    status: dataCenterStatus(context, one),
    quota_mode: 'disabled',
    storage_format: 'v5',
    version,
    supported_versions: { version: [version] },
    mac_pool: { id: one.id },
    actions: actions(base, 'cleanfinishedtasks', 'setmaster'),
    link: links(base, 'clusters', 'storagedomains', 'networks', 'permissions', 'quotas', 'qoss', 'iscsibonds'),
  };
}

export function dataCenterStatus(context: Context, one: DataCenter): string {
  return context.faults.dataCenterStatus() ?? one.status;
}

export function dataCenterFields(context: Context, one: DataCenter): SearchRecord {
  return {
    name: one.name,
    description: one.description,
    comment: one.comment,
    status: dataCenterStatus(context, one),
    compatibility_version: `${one.major}.${one.minor}`,
    local: String(one.local),
    id: one.id,
    'clusters.name': context.state.clusters
      .filter((cluster) => cluster.dataCenterId === one.id)
      .map((cluster) => cluster.name),
  };
}

/** `cluster`. */
export function clusterView(one: Cluster): Node {
  const base = `/clusters/${one.id}`;
  return {
    ...ref('clusters', one.id),
    name: one.name,
    description: one.description,
    comment: one.comment,
    data_center: ref('datacenters', one.dataCenterId),
    cpu: { type: one.cpuType, architecture: 'x86_64' },
    version: { major: one.major, minor: one.minor },
    bios_type: one.biosType,
    virt_service: one.virtService,
    gluster_service: one.glusterService,
    ballooning_enabled: true,
    ha_reservation: false,
    threads_as_cores: false,
    trusted_service: false,
    tunnel_migration: false,
    switch_type: 'legacy',
    firewall_type: 'firewalld',
    log_max_memory_used_threshold: 95,
    log_max_memory_used_threshold_type: 'percentage',
    memory_policy: { over_commit: { percent: 100 }, transparent_hugepages: { enabled: true } },
    error_handling: { on_error: 'migrate' },
    migration: {
      auto_converge: 'inherit',
      compressed: 'inherit',
      encrypted: 'inherit',
      bandwidth: { assignment_method: 'auto' },
    },
    ksm: { enabled: true, merge_across_nodes: true },
    required_rng_sources: { required_rng_source: ['urandom'] },
    supported_versions: { version: [{ major: one.major, minor: one.minor }] },
    actions: actions(base, 'resetemulatedmachine', 'syncallnetworks'),
    link: links(base, 'networks', 'permissions', 'affinitygroups', 'cpuprofiles', 'networkfilters', 'enabledfeatures'),
  };
}

export function clusterFields(context: Context, one: Cluster): SearchRecord {
  return {
    name: one.name,
    description: one.description,
    comment: one.comment,
    id: one.id,
    architecture: 'x86_64',
    datacenter: context.state.dataCenters.find((dc) => dc.id === one.dataCenterId)?.name,
    'datacenter.name': context.state.dataCenters.find((dc) => dc.id === one.dataCenterId)?.name,
  };
}

/** `network`. */
export function networkView(one: Network): Node {
  const base = `/networks/${one.id}`;
  return {
    ...ref('networks', one.id),
    name: one.name,
    description: one.description,
    comment: one.comment,
    data_center: ref('datacenters', one.dataCenterId),
    mtu: one.mtu,
    stp: false,
    usages: {
      usage: one.name === 'ovirtmgmt' ? ['vm', 'management', 'display', 'migration', 'default_route'] : ['vm'],
    },
    vdsm_name: one.name,
    ...(one.vlan !== undefined && { vlan: { id: String(one.vlan) } }),
    link: links(base, 'vnicprofiles', 'permissions', 'networklabels'),
  };
}

export function networkFields(context: Context, one: Network): SearchRecord {
  const dataCenter = context.state.dataCenters.find((dc) => dc.id === one.dataCenterId)?.name;
  return {
    name: one.name,
    description: one.description,
    comment: one.comment,
    id: one.id,
    vlanid: one.vlan,
    datacenter: dataCenter,
  };
}

/** `vnic_profile`. */
export function vnicProfileView(one: VnicProfile): Node {
  const base = `/vnicprofiles/${one.id}`;
  return {
    ...ref('vnicprofiles', one.id),
    name: one.name,
    description: '',
    network: ref('networks', one.networkId),
    pass_through: { mode: 'disabled' },
    port_mirroring: false,
    link: links(base, 'permissions'),
  };
}
