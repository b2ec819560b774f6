import { randomUUID } from 'node:crypto';

import { flag, int, require, sub, text } from '../codec/body.ts';
import type { Body } from '../codec/body.ts';
import { labMachines } from '../../fixture.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { actionReply, byId, created, deleted, entity, list, listing, variable } from '../http/call.ts';
import { BUSY, EngineFault, refused } from '../http/engine-fault.ts';
import type { Cluster, Host, HostStatus, Vm } from '../state/model.ts';
import { hostFields, hostView } from '../views/host.ts';
import { isHostedEngine } from '../views/vm.ts';
import { messageOf } from '../work/domain-life.ts';
import { setLocalMaintenance } from '../work/host-door.ts';
import { hostFacts, setHostStatus, startInstall } from '../work/host-life.ts';
import { startUpgrade, startUpgradeCheck } from '../work/host-upgrade.ts';
import { named } from './data-centers.ts';

type Deployment = 'deploy' | 'undeploy' | undefined;

const UNMANAGED =
  'You are using an unmanaged hosted engine VM. Please upgrade the cluster level and add the first storage domain in order to start the hosted engine import process.';
const FOREIGN = 'The hosted engine host and the hosted engine VM are in different Data Centers.';
const MAX_SPM_ID = 250;

const REMOVABLE: readonly HostStatus[] = [
  'non_responsive',
  'maintenance',
  'down',
  'unassigned',
  'install_failed',
  'non_operational',
];
const INSTALLABLE: readonly HostStatus[] = ['maintenance', 'install_failed', 'down', 'non_operational'];
/** Where "confirm host has been rebooted" is taken: anywhere but where the host may be alive and well. */
const FENCEABLE: readonly HostStatus[] = [
  'down',
  'install_failed',
  'maintenance',
  'non_operational',
  'non_responsive',
  'reboot',
  'installing',
  'connecting',
];
const FENCE_STATUS = 'Host is not in a status in which its reboot may be confirmed.';
const UPGRADABLE: readonly HostStatus[] = ['up', 'maintenance', 'non_operational'];
const UPGRADE_STATUS = 'Valid Host statuses for upgrade are Up, Maintenance or Non-Operational.';
const ACTIVATABLE: readonly HostStatus[] = [
  'maintenance',
  'non_operational',
  'install_failed',
  'preparing_for_maintenance',
  'non_responsive',
  'down',
];

const hostOf = (call: Call): Host => byId(call.context.state.hosts, variable(call, 'id'));

function hostedEngineVm(context: Context): Vm | undefined {
  return context.state.vms.find(isHostedEngine);
}

/** Deploying needs a managed engine VM in the same data center (engine.md 8.2). */
function checkDeployment(context: Context, deployment: Deployment, cluster: Cluster, verb: string): void {
  if (deployment !== 'deploy') return;
  const vm = hostedEngineVm(context);
  if (vm?.origin !== 'managed_hosted_engine') throw refused(409, `Cannot ${verb} Host. ${UNMANAGED}`);
  const home = context.state.clusters.find((one) => one.id === vm.clusterId);
  if (home?.dataCenterId !== cluster.dataCenterId) throw refused(409, `Cannot ${verb} Host. ${FOREIGN}`);
}

/** Deploy wins when both are set. */
function deploymentOf(deploy: boolean | undefined, undeploy: boolean | undefined): Deployment {
  if (deploy === true) return 'deploy';
  return undeploy === true ? 'undeploy' : undefined;
}

/** The password of root must be the lab's; a key is taken as good. */
function checkAccess(context: Context, body: Body, verb: string): void {
  const password = text(body, 'root_password') ?? text(body, 'ssh', 'user', 'password');
  const publicKey = /^publickey$/i.test(text(body, 'ssh', 'authentication_method') ?? '');
  if (publicKey) return;
  if (password === undefined || password === '')
    throw refused(400, `Cannot ${verb} Host. Cannot install Host with empty password.`);
  if (password !== context.fixture.hostRootPassword) {
    throw refused(
      409,
      `Cannot ${verb} Host. SSH authentication failed, verify authentication parameters are correct (Username/Password, public-key etc.) You may refer to the engine.log file for further details.`,
    );
  }
}

function freeSpmId(context: Context): number {
  const used = new Set(context.state.hosts.map((host) => host.spmId));
  for (let id = 1; id <= MAX_SPM_ID; id += 1) if (!used.has(id)) return id;
  throw refused(409, `Cannot add Host. The maximum number of ${MAX_SPM_ID} Hosts in the Data Center is reached.`);
}

function addHost(call: Call): Reply {
  const { context, body, parameters } = call;
  require(body, 'Host', 'add', 'name', 'address');
  const name = text(body, 'name') ?? '';
  const address = text(body, 'address') ?? '';
  const port = int(body, 'port');
  const sshPort = int(body, 'ssh', 'port');
  const cluster = named(context.state.clusters, sub(body, 'cluster') ?? { name: 'Default' }, 'Cluster');
  if (cluster === undefined) throw refused(400, 'Cannot add Host. A Cluster must be specified.');
  if (context.state.hosts.some((one) => one.name === name)) {
    throw refused(409, 'Cannot add Host. The Host name is already in use, please choose a unique name and try again.');
  }
  if (context.state.hosts.some((one) => one.address === address && (port === undefined || one.port === port))) {
    throw refused(409, 'Cannot add Host. Host with the same address already exists.');
  }
  const deployment = deploymentOf(parameters.flag('deploy_hosted_engine'), parameters.flag('undeploy_hosted_engine'));
  checkDeployment(context, deployment, cluster, 'add');
  checkAccess(context, body, 'add');
  const known = labMachines(context.fixture).find(
    (one) =>
      one.address === address &&
      (port === undefined || one.vdsmPort === port) &&
      !context.state.hosts.some((other) => other.port === one.vdsmPort && other.address === one.address),
  );
  const host: Host = {
    id: randomUUID(),
    name,
    address,
    port: port ?? known?.vdsmPort ?? 54_321,
    ...(sshPort === undefined ? {} : { sshPort }),
    comment: text(body, 'comment') ?? '',
    clusterId: cluster.id,
    status: 'installing',
    statusDetail: '',
    since: context.now(),
    spmId: freeSpmId(context),
    spm: false,
    hardwareUuid: known?.hardwareUuid ?? randomUUID(),
    memoryBytes: 64 * 1024 ** 3,
    vmIds: [],
  };
  context.state.hosts.push(host);
  if (known === undefined)
    context.state.imaginary.push({ hostId: host.id, configured: false, activeFrom: 0, localMaintenance: false });
  context.event(42, 'normal', `Host ${name} was added by ${context.state.user.name}.`, hostFacts(host, call.cause));
  startInstall(
    context,
    host,
    {
      activate: parameters.flag('activate') ?? true,
      reboot: parameters.flag('reboot') ?? true,
      ...(deployment && { hostedEngine: deployment }),
    },
    call.cause,
  );
  return created('host', hostView(context, host, true));
}

function install(call: Call): Reply {
  const { context, body } = call;
  const host = hostOf(call);
  const deployment = deploymentOf(flag(body, 'deploy_hosted_engine'), flag(body, 'undeploy_hosted_engine'));
  if (!INSTALLABLE.includes(host.status)) {
    if (host.status === 'installing' || host.status === 'reboot') throw refused(409, `Cannot install Host. ${BUSY}`);
    throw refused(
      409,
      'Cannot install Host. Host status is illegal for installation, please switch the Host to Maintenance mode first.',
    );
  }
  const cluster = byId(context.state.clusters, host.clusterId);
  checkDeployment(context, deployment, cluster, 'install');
  checkAccess(context, body, 'install');
  const jobId = startInstall(
    context,
    host,
    {
      activate: flag(body, 'activate') ?? false,
      reboot: flag(body, 'reboot') ?? true,
      ...(deployment && { hostedEngine: deployment }),
    },
    call.cause,
  );
  return actionReply(call, jobId);
}

function activate(call: Call): Reply {
  const { context } = call;
  const host = hostOf(call);
  if (host.status === 'up') throw refused(409, 'Cannot activate Host. Host is already up.');
  if (!ACTIVATABLE.includes(host.status))
    throw refused(409, `Cannot activate Host. Host in ${host.status} status can't be activated.`);
  const job = context.startJob(`Activating Host ${host.name}`, call.cause);
  delete host.maintenanceReason;
  setHostStatus(context, host, 'unassigned');
  context.event(
    16,
    'normal',
    `Activation of host ${host.name} initiated by ${context.state.user.name}.`,
    hostFacts(host, call.cause),
  );
  context.endJob(job.id, 'finished');
  return actionReply(call, job.id);
}

/** Another host can take the engine VM: up, score above zero, not in local maintenance. */
function hasAlternative(context: Context, host: Host): boolean {
  return context.state.hosts.some(
    (other) =>
      other !== host &&
      other.status === 'up' &&
      other.ha !== undefined &&
      other.ha.score > 0 &&
      !other.ha.localMaintenance,
  );
}

async function deactivate(call: Call): Promise<Reply> {
  const { context, parameters, body } = call;
  const host = hostOf(call);
  if (
    !['up', 'non_operational', 'non_responsive', 'connecting', 'install_failed', 'down', 'maintenance'].includes(
      host.status,
    )
  ) {
    throw refused(409, 'Cannot switch Host to Maintenance mode. Host is not operational.');
  }
  if (host.status === 'maintenance')
    throw refused(409, 'Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.');
  const vm = hostedEngineVm(context);
  const holdsEngine = vm !== undefined && vm.hostId === host.id;
  if (holdsEngine && !hasAlternative(context, host)) {
    throw refused(
      409,
      'Cannot switch Host to Maintenance mode. None of the hosts capable of running the engine VM has score more than 0 and is in Up state.',
    );
  }
  const before = host.status;
  const job = context.startJob(`Moving Host ${host.name} to Maintenance`, call.cause);
  const reason = parameters.text('reason') ?? text(body, 'reason');
  if (reason !== undefined) host.maintenanceReason = reason;
  setHostStatus(context, host, 'preparing_for_maintenance', reason ?? '');
  if (host.ha?.configured === true && ['up', 'non_operational'].includes(before)) {
    try {
      await setLocalMaintenance(context, host, true);
      context.event(
        10450,
        'normal',
        `Hosted Engine maintenance mode was updated on host ${host.name}.`,
        hostFacts(host, call.cause),
      );
    } catch (error) {
      if (holdsEngine) {
        setHostStatus(context, host, before);
        context.event(
          17,
          'error',
          `Failed to switch Host ${host.name} to Maintenance mode.`,
          hostFacts(host, call.cause),
        );
        context.endJob(job.id, 'failed');
        throw new EngineFault(400, 'Operation Failed', `[${messageOf(error)}]`);
      }
      context.event(
        10453,
        'warning',
        `Host ${host.name} was moved to Maintenance mode, but Hosted Engine HA maintenance mode could not be enabled. Please enable it manually.`,
        hostFacts(host, call.cause),
      );
    }
  }
  // A host nobody can ask has no VMs to wait for as far as the engine can tell.
  if (['non_responsive', 'connecting', 'install_failed', 'down'].includes(before))
    setHostStatus(context, host, 'maintenance', reason ?? '');
  context.event(15, 'normal', `Host ${host.name} is being switched to Maintenance mode.`, hostFacts(host, call.cause));
  context.endJob(job.id, 'finished');
  return actionReply(call, job.id);
}

function upgradeCheck(call: Call): Reply {
  const host = hostOf(call);
  if (!UPGRADABLE.includes(host.status)) throw refused(409, `Cannot check for upgrade of Host. ${UPGRADE_STATUS}`);
  startUpgradeCheck(call.context, host, call.cause);
  return actionReply(call);
}

/** From up the engine takes the host to maintenance first, and activates it afterwards. */
async function upgrade(call: Call): Promise<Reply> {
  const { context, body } = call;
  const host = hostOf(call);
  if (host.status === 'installing' || host.status === 'reboot') throw refused(409, `Cannot upgrade Host. ${BUSY}`);
  if (!UPGRADABLE.includes(host.status)) throw refused(409, `Cannot upgrade Host. ${UPGRADE_STATUS}`);
  if (host.updateAvailable !== true)
    throw refused(409, 'Cannot upgrade Host. There are no available updates for the host.');
  const plan = { activate: host.status !== 'maintenance', reboot: flag(body, 'reboot') ?? true };
  if (plan.activate) await deactivate(call);
  return actionReply(call, startUpgrade(context, host, plan, call.cause));
}

/** "Confirm host has been rebooted": the engine's word for a host that nobody will hear of again. */
function fence(call: Call): Reply {
  const { context, body } = call;
  const host = hostOf(call);
  if (text(body, 'fence_type') !== 'manual')
    throw refused(
      409,
      'Cannot perform the power management action. There is no power management configured for the Host.',
    );
  if (!FENCEABLE.includes(host.status)) throw refused(409, `Cannot manually fence Host. ${FENCE_STATUS}`);
  host.vmIds = [];
  for (const vm of context.state.vms.filter((one) => one.hostId === host.id)) {
    vm.status = 'down';
    delete vm.hostId;
  }
  context.changed();
  return actionReply(call);
}

function remove(call: Call): Reply {
  const { context } = call;
  const host = hostOf(call);
  if (!REMOVABLE.includes(host.status)) {
    throw refused(409, 'Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first.');
  }
  if (context.state.vms.some((vm) => vm.hostId === host.id)) {
    throw refused(409, 'Cannot remove Host. One or more VMs are still running on this Host.');
  }
  context.state.hosts = context.state.hosts.filter((one) => one !== host);
  context.state.imaginary = context.state.imaginary.filter((one) => one.hostId !== host.id);
  context.event(44, 'normal', `Host ${host.name} was removed by ${context.state.user.name}.`, {
    clusterId: host.clusterId,
    ...call.cause,
  });
  return deleted();
}

function update(call: Call): Reply {
  const { context, body } = call;
  const host = hostOf(call);
  const cluster = named(context.state.clusters, sub(body, 'cluster'), 'Cluster');
  if (cluster !== undefined && cluster.id !== host.clusterId) {
    if (host.status !== 'maintenance')
      throw refused(409, 'Cannot edit Host. Host must be in Maintenance mode to change its Cluster.');
    if (host.ha?.configured === true) checkDeployment(context, 'deploy', cluster, 'edit');
    host.clusterId = cluster.id;
  }
  const name = text(body, 'name');
  if (name !== undefined && context.state.hosts.some((one) => one !== host && one.name === name)) {
    throw refused(409, 'Cannot edit Host. The Host name is already in use, please choose a unique name and try again.');
  }
  host.name = name ?? host.name;
  host.comment = text(body, 'comment') ?? host.comment;
  context.changed();
  return entity('host', hostView(context, host, call.allContent));
}

function nics(call: Call): Reply {
  const host = hostOf(call);
  const id = host.hardwareUuid;
  return list('host_nics', 'host_nic', [
    {
      id,
      href: `/hosts/${host.id}/nics/${id}`,
      name: 'eth0',
      status: 'up',
      mac: { address: `52:54:00:00:00:${host.spmId.toString(16).padStart(2, '0')}` },
      mtu: 1500,
      bridged: true,
      ip: { address: host.address, netmask: '255.0.0.0', version: 'v4' },
      boot_protocol: 'dhcp',
      host: { id: host.id, href: `/hosts/${host.id}` },
    },
  ]);
}

export const hostRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'hosts',
    handler: (call) =>
      listing(call, {
        root: 'hosts',
        item: 'host',
        all: call.context.state.hosts,
        fields: (one) => hostFields(call.context, one),
        view: (one) => hostView(call.context, one, call.allContent),
      }),
  },
  { method: 'POST', path: 'hosts', handler: addHost },
  {
    method: 'GET',
    path: 'hosts/:id',
    handler: (call) => entity('host', hostView(call.context, hostOf(call), call.allContent)),
  },
  { method: 'PUT', path: 'hosts/:id', handler: update },
  { method: 'DELETE', path: 'hosts/:id', handler: remove },
  { method: 'POST', path: 'hosts/:id/install', action: true, handler: install },
  { method: 'POST', path: 'hosts/:id/activate', action: true, handler: activate },
  { method: 'POST', path: 'hosts/:id/deactivate', action: true, handler: deactivate },
  { method: 'POST', path: 'hosts/:id/fence', action: true, handler: fence },
  { method: 'POST', path: 'hosts/:id/upgradecheck', action: true, handler: upgradeCheck },
  { method: 'POST', path: 'hosts/:id/upgrade', action: true, handler: upgrade },
  ...['refresh', 'commitnetconfig'].map((verb): Route => ({
    method: 'POST',
    path: `hosts/:id/${verb}`,
    action: true,
    handler: (call) => {
      hostOf(call);
      return actionReply(call);
    },
  })),
  { method: 'GET', path: 'hosts/:id/nics', handler: nics },
  ...(
    [
      ['statistics', 'statistic'],
      ['permissions', 'permission'],
      ['networkattachments', 'network_attachment'],
      ['storage', 'host_storage'],
      ['tags', 'tag'],
      ['hooks', 'hook'],
      ['devices', 'host_device'],
    ] as const
  ).map(([path, item]): Route => ({
    method: 'GET',
    path: `hosts/:id/${path}`,
    handler: (call) => {
      hostOf(call);
      return list(
        path === 'storage'
          ? 'host_storages'
          : path === 'devices'
            ? 'host_devices'
            : path === 'networkattachments'
              ? 'network_attachments'
              : path,
        item,
        [],
      );
    },
  })),
];
