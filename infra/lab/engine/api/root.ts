import type { Call, Route } from '../http/call.ts';
import { entity, list, variable } from '../http/call.ts';
import { EngineFault, notFound } from '../http/engine-fault.ts';
import type { Node } from '../codec/tree.ts';
import { BLANK_TEMPLATE, ENGINE_VERSION, ref } from '../views/links.ts';

const COLLECTIONS = [
  'clusters',
  'datacenters',
  'disks',
  'events',
  'hosts',
  'jobs',
  'networks',
  'options',
  'storageconnections',
  'storagedomains',
  'templates',
  'users',
  'vms',
  'vnicprofiles',
] as const;

/** Configuration values by name; only some are readable through the API, these among them (engine.md 7). */
const OPTIONS: Readonly<Record<string, string>> = {
  ServerCPUList: [
    '1:Intel Nehalem Family:vmx,nx,model_Nehalem:Nehalem:x86_64',
    '2:Intel Westmere Family:aes,vmx,nx,model_Westmere:Westmere:x86_64',
    '3:Intel SandyBridge Family:vmx,nx,model_SandyBridge:SandyBridge:x86_64',
    '4:Intel IvyBridge Family:vmx,nx,model_IvyBridge:IvyBridge:x86_64',
    '5:Intel Haswell Family:vmx,nx,model_Haswell:Haswell:x86_64',
    '6:Intel Broadwell Family:vmx,nx,model_Broadwell:Broadwell:x86_64',
    '7:Intel Skylake Client Family:vmx,nx,model_Skylake-Client:Skylake-Client:x86_64',
    '8:Intel Cascadelake Server Family:vmx,model_Cascadelake-Server:Cascadelake-Server:x86_64',
    '9:Secure Intel Cascadelake Server Family:vmx,md-clear,mds-no,model_Cascadelake-Server:Cascadelake-Server,-hle,-rtm,+arch-capabilities:x86_64',
    '10:AMD EPYC:svm,nx,model_EPYC:EPYC:x86_64',
  ].join('; '),
  ClusterEmulatedMachines: '[pc-q35-rhel8.6.0, pc-q35-4.1, pc-i440fx-rhel7.6.0, pc-i440fx-2.12]',
  HostedEngineVmName: 'HostedEngine',
  AutoImportHostedEngine: 'false',
  AllowEditingHostedEngine: 'true',
  OvfUpdateIntervalInMinutes: '60',
  StorageDomainOvfStoreCount: '2',
  UserSessionTimeOutInterval: '30',
  SearchResultsLimit: '100',
};

function root({ context }: Call): Node {
  const { state } = context;
  const active = (all: readonly { status: string }[]) => ({
    active: all.filter((one) => one.status === 'up').length,
    total: all.length,
  });
  return {
    product_info: { name: 'oVirt Engine', vendor: 'ovirt.org', version: ENGINE_VERSION, instance_id: state.instanceId },
    special_objects: { blank_template: ref('templates', BLANK_TEMPLATE), root_tag: ref('tags', BLANK_TEMPLATE) },
    summary: {
      hosts: active(state.hosts),
      storage_domains: {
        active: state.domains.filter((one) => one.attachment?.status === 'active').length,
        total: state.domains.length,
      },
      users: { active: 1, total: 1 },
      vms: active(state.vms),
    },
    time: new Date(),
    authenticated_user: ref('users', state.user.id),
    effective_user: ref('users', state.user.id),
    link: COLLECTIONS.map((name) => ({ href: `/${name}`, rel: name })),
  };
}

function option(call: Call): Node {
  const name = variable(call, 'name');
  const value = OPTIONS[name];
  if (value === undefined) throw notFound();
  const wanted = call.parameters.text('version');
  const versions = ['4.2', '4.3', '4.4', '4.5', '4.6', '4.7', '4.8', 'general'].filter(
    (one) => wanted === undefined || wanted === one,
  );
  if (versions.length === 0) throw new EngineFault(400, 'Operation Failed', `[Unknown version ${wanted ?? ''}]`);
  return {
    ...ref('options', name),
    name,
    values: { system_option_value: versions.map((version) => ({ value, version })) },
  };
}

function user(call: Call): Node {
  const { id, name } = call.context.state.user;
  const at = name.lastIndexOf('@');
  const [login, domain] = [name.slice(0, at), name.slice(at + 1)];
  return {
    ...ref('users', id),
    name: login,
    last_name: '',
    email: `${login}@localhost`,
    department: '',
    namespace: '*',
    principal: login,
    user_name: `${login}@${domain}-authz`,
    domain: { id: id.replace('b5', 'd0'), href: `/domains/${id.replace('b5', 'd0')}`, name: `${domain}-authz` },
  };
}

function blankTemplate(call: Call): Node {
  const [cluster] = call.context.state.clusters;
  return {
    ...ref('templates', BLANK_TEMPLATE),
    name: 'Blank',
    description: 'Blank template',
    comment: '',
    status: 'ok',
    origin: 'ovirt',
    type: 'server',
    memory: 1024 ** 3,
    memory_policy: { guaranteed: 1024 ** 3, max: 4 * 1024 ** 3, ballooning: true },
    cpu: { architecture: 'undefined', topology: { cores: 1, sockets: 1, threads: 1 } },
    os: { type: 'other', boot: { devices: { device: ['hd'] } } },
    version: { version_number: 1, version_name: 'base version', base_template: ref('templates', BLANK_TEMPLATE) },
    ...(cluster && { cluster: ref('clusters', cluster.id) }),
    link: ['diskattachments', 'nics', 'permissions', 'tags'].map((rel) => ({
      href: `/templates/${BLANK_TEMPLATE}/${rel}`,
      rel,
    })),
  };
}

export const rootRoutes: readonly Route[] = [
  { method: 'GET', path: '', handler: (call) => entity('api', root(call)) },
  {
    method: 'GET',
    path: 'options',
    handler: (call) =>
      list(
        'system_options',
        'system_option',
        Object.keys(OPTIONS).map((name) => option({ ...call, path: { name } })),
      ),
  },
  { method: 'GET', path: 'options/*name', handler: (call) => entity('system_option', option(call)) },
  { method: 'GET', path: 'users', handler: (call) => list('users', 'user', [user(call)]) },
  {
    method: 'GET',
    path: 'users/:id',
    handler: (call) => {
      if (variable(call, 'id') !== call.context.state.user.id) throw notFound();
      return entity('user', user(call));
    },
  },
  { method: 'GET', path: 'templates', handler: (call) => list('templates', 'template', [blankTemplate(call)]) },
  {
    method: 'GET',
    path: 'templates/:id',
    handler: (call) => {
      if (variable(call, 'id') !== BLANK_TEMPLATE) throw notFound();
      return entity('template', blankTemplate(call));
    },
  },
  ...['tags', 'roles', 'bookmarks', 'groups', 'domains'].map((name): Route => ({
    method: 'GET',
    path: name,
    handler: () => list(name, name.slice(0, -1), []),
  })),
];
