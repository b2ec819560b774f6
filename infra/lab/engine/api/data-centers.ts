import { randomUUID } from 'node:crypto';

import type { Body } from '../codec/body.ts';
import { flag, int, require, sub, text } from '../codec/body.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { byId, created, deleted, entity, list, listing, variable } from '../http/call.ts';
import { entityNotFound, refused } from '../http/engine-fault.ts';
import type { Cluster, DataCenter, Network } from '../state/model.ts';
import {
  clusterFields,
  clusterView,
  dataCenterFields,
  dataCenterView,
  networkFields,
  networkView,
  vnicProfileView,
} from '../views/data-center.ts';

const NAME_TAKEN = 'name is already in use, please choose a unique name and try again.';

/** An object named in a body by id or name; 404 when it does not exist. */
export function named<T extends { readonly id: string; readonly name: string }>(
  all: readonly T[],
  body: Body | undefined,
  what: string,
): T | undefined {
  if (body === undefined) return undefined;
  const id = text(body, 'id');
  const name = text(body, 'name');
  const found = all.find((one) => (id !== undefined ? one.id === id : one.name === name));
  if (found === undefined) throw entityNotFound(`${what}: ${id === undefined ? 'name' : 'id'}=${id ?? name ?? ''}`);
  return found;
}

function describe(target: { name: string; description: string; comment: string }, body: Body): void {
  target.name = text(body, 'name') ?? target.name;
  target.description = text(body, 'description') ?? target.description;
  target.comment = text(body, 'comment') ?? target.comment;
}

function addDataCenter(call: Call): Reply {
  const { context, body } = call;
  require(body, 'DataCenter', 'add', 'name');
  const name = text(body, 'name') ?? '';
  if (context.state.dataCenters.some((one) => one.name === name))
    throw refused(409, `Cannot add Data Center. The Data Center ${NAME_TAKEN}`);
  const one: DataCenter = {
    id: randomUUID(),
    name,
    description: text(body, 'description') ?? '',
    comment: text(body, 'comment') ?? '',
    local: flag(body, 'local') ?? false,
    status: 'uninitialized',
    major: int(body, 'version', 'major') ?? 4,
    minor: int(body, 'version', 'minor') ?? 7,
  };
  const network: Network = {
    id: randomUUID(),
    name: 'ovirtmgmt',
    description: 'Management Network',
    comment: '',
    dataCenterId: one.id,
    mtu: 0,
  };
  context.state.dataCenters.push(one);
  context.state.networks.push(network);
  context.state.profiles.push({ id: randomUUID(), name: 'ovirtmgmt', networkId: network.id });
  context.event(950, 'normal', `Data Center ${name}, Compatibility Version ${one.major}.${one.minor} was added.`, {
    dataCenterId: one.id,
    ...call.cause,
  });
  return created('data_center', dataCenterView(context, one));
}

function removeDataCenter(call: Call): Reply {
  const { context } = call;
  const one = byId(context.state.dataCenters, variable(call, 'id'));
  const attached = context.state.domains.some((domain) => domain.attachment?.dataCenterId === one.id);
  if (attached && call.parameters.flag('force') !== true)
    throw refused(409, 'Cannot remove Data Center. There are Storage Domains attached to it.');
  context.state.dataCenters = context.state.dataCenters.filter((other) => other !== one);
  const networks = new Set(
    context.state.networks.filter((network) => network.dataCenterId === one.id).map((network) => network.id),
  );
  context.state.networks = context.state.networks.filter((network) => !networks.has(network.id));
  context.state.profiles = context.state.profiles.filter((profile) => !networks.has(profile.networkId));
  context.changed();
  return deleted();
}

function addCluster(call: Call): Reply {
  const { context, body } = call;
  require(body, 'Cluster', 'add', 'name', 'data_center.id|name');
  const name = text(body, 'name') ?? '';
  const dataCenter = named(context.state.dataCenters, sub(body, 'data_center'), 'DataCenter');
  if (context.state.clusters.some((one) => one.name === name))
    throw refused(409, `Cannot add Cluster. The Cluster ${NAME_TAKEN}`);
  const one: Cluster = {
    id: randomUUID(),
    name,
    description: text(body, 'description') ?? '',
    comment: text(body, 'comment') ?? '',
    dataCenterId: dataCenter?.id ?? '',
    cpuType: text(body, 'cpu', 'type') ?? '',
    major: int(body, 'version', 'major') ?? dataCenter?.major ?? 4,
    minor: int(body, 'version', 'minor') ?? dataCenter?.minor ?? 7,
    biosType: text(body, 'bios_type') ?? 'q35_sea_bios',
    virtService: flag(body, 'virt_service') ?? true,
    glusterService: flag(body, 'gluster_service') ?? false,
  };
  context.state.clusters.push(one);
  context.event(809, 'normal', `Cluster ${name} was added by ${context.state.user.name}.`, {
    clusterId: one.id,
    ...call.cause,
  });
  return created('cluster', clusterView(one));
}

function updateCluster(call: Call): Reply {
  const { context, body } = call;
  const one = byId(context.state.clusters, variable(call, 'id'));
  describe(one, body);
  one.cpuType = text(body, 'cpu', 'type') ?? one.cpuType;
  one.biosType = text(body, 'bios_type') ?? one.biosType;
  one.virtService = flag(body, 'virt_service') ?? one.virtService;
  one.glusterService = flag(body, 'gluster_service') ?? one.glusterService;
  context.changed();
  return entity('cluster', clusterView(one));
}

function removeCluster(call: Call): Reply {
  const { context } = call;
  const one = byId(context.state.clusters, variable(call, 'id'));
  if (context.state.hosts.some((host) => host.clusterId === one.id))
    throw refused(409, 'Cannot remove Cluster. One or more Hosts are still associated with it.');
  if (context.state.vms.some((vm) => vm.clusterId === one.id))
    throw refused(409, 'Cannot remove Cluster. One or more VMs are still associated with it.');
  context.state.clusters = context.state.clusters.filter((other) => other !== one);
  context.changed();
  return deleted();
}

function updateNetwork(call: Call): Reply {
  const { context, body } = call;
  const one = byId(context.state.networks, variable(call, 'id'));
  describe(one, body);
  const vlan = int(body, 'vlan', 'id');
  if (vlan !== undefined) one.vlan = vlan;
  one.mtu = int(body, 'mtu') ?? one.mtu;
  context.changed();
  return entity('network', networkView(one));
}

const networksOf = (context: Context, dataCenterId: string) =>
  context.state.networks.filter((one) => one.dataCenterId === dataCenterId);

function profileList(call: Call, networkId?: string): Reply {
  const all = call.context.state.profiles.filter((one) => networkId === undefined || one.networkId === networkId);
  return listing(call, {
    root: 'vnic_profiles',
    item: 'vnic_profile',
    all,
    fields: (one) => ({ name: one.name, id: one.id }),
    view: vnicProfileView,
  });
}

function networkList(call: Call, all: readonly Network[]): Reply {
  return listing(call, {
    root: 'networks',
    item: 'network',
    all,
    fields: (one) => networkFields(call.context, one),
    view: networkView,
  });
}

function clusterList(call: Call, all: readonly Cluster[]): Reply {
  return listing(call, {
    root: 'clusters',
    item: 'cluster',
    all,
    fields: (one) => clusterFields(call.context, one),
    view: clusterView,
  });
}

const dataCenterOf = (call: Call) => byId(call.context.state.dataCenters, variable(call, 'id'));
const clusterOf = (call: Call) => byId(call.context.state.clusters, variable(call, 'id'));
const networkOf = (call: Call) => byId(call.context.state.networks, variable(call, 'id'));

export const dataCenterRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'datacenters',
    handler: (call) =>
      listing(call, {
        root: 'data_centers',
        item: 'data_center',
        all: call.context.state.dataCenters,
        fields: (one) => dataCenterFields(call.context, one),
        view: (one) => dataCenterView(call.context, one),
      }),
  },
  { method: 'POST', path: 'datacenters', handler: addDataCenter },
  {
    method: 'GET',
    path: 'datacenters/:id',
    handler: (call) => entity('data_center', dataCenterView(call.context, dataCenterOf(call))),
  },
  {
    method: 'PUT',
    path: 'datacenters/:id',
    handler: (call) => {
      const one = dataCenterOf(call);
      describe(one, call.body);
      call.context.changed();
      return entity('data_center', dataCenterView(call.context, one));
    },
  },
  { method: 'DELETE', path: 'datacenters/:id', handler: removeDataCenter },
  {
    method: 'GET',
    path: 'datacenters/:id/clusters',
    handler: (call) =>
      clusterList(
        call,
        call.context.state.clusters.filter((one) => one.dataCenterId === dataCenterOf(call).id),
      ),
  },
  {
    method: 'GET',
    path: 'datacenters/:id/networks',
    handler: (call) => networkList(call, networksOf(call.context, dataCenterOf(call).id)),
  },
  { method: 'GET', path: 'clusters', handler: (call) => clusterList(call, call.context.state.clusters) },
  { method: 'POST', path: 'clusters', handler: addCluster },
  { method: 'GET', path: 'clusters/:id', handler: (call) => entity('cluster', clusterView(clusterOf(call))) },
  { method: 'PUT', path: 'clusters/:id', handler: updateCluster },
  { method: 'DELETE', path: 'clusters/:id', handler: removeCluster },
  {
    method: 'GET',
    path: 'clusters/:id/networks',
    handler: (call) => networkList(call, networksOf(call.context, clusterOf(call).dataCenterId)),
  },
  { method: 'GET', path: 'networks', handler: (call) => networkList(call, call.context.state.networks) },
  { method: 'GET', path: 'networks/:id', handler: (call) => entity('network', networkView(networkOf(call))) },
  { method: 'PUT', path: 'networks/:id', handler: updateNetwork },
  { method: 'GET', path: 'networks/:id/vnicprofiles', handler: (call) => profileList(call, networkOf(call).id) },
  { method: 'GET', path: 'vnicprofiles', handler: (call) => profileList(call) },
  {
    method: 'GET',
    path: 'vnicprofiles/:id',
    handler: (call) => entity('vnic_profile', vnicProfileView(byId(call.context.state.profiles, variable(call, 'id')))),
  },
  ...['quotas', 'permissions'].map((name): Route => ({
    method: 'GET',
    path: `datacenters/:id/${name}`,
    handler: () => list(name, name.slice(0, -1), []),
  })),
];
