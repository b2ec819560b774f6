/** `Host.*` (vdsm.md 7). */
import { fail } from '../errors.ts';
import type { HostState } from '../host-state.ts';
import type { Params } from '../params.ts';
import type { Json, JsonObject } from '../python.ts';
import { capabilities, hardwareInfo, hostStats } from './capabilities.ts';
import { networkCapabilities, networkStatistics } from './network.ts';
import { type VerbTable, verb } from './verb.ts';
import { domainVitals } from './vitals.ts';

function setHaMaintenanceMode(host: HostState, params: Params): Json {
  const enabled = params.flag('enabled');
  switch (params.text('mode').toLowerCase()) {
    case 'global':
      try {
        host.storage.setGlobalMaintenance(enabled);
      } catch {
        throw fail.haPolicy();
      }
      break;
    case 'local':
      host.localMaintenance = enabled;
      break;
    default:
      throw fail.haPolicy();
  }
  return { code: 0, message: 'Done' };
}

/** The flags of the schema are ignored nowadays: always the short records (vdsm.md 7). */
function vmList(host: HostState, params: Params): Json {
  const wanted = params.texts('vmList');
  return [...host.vms.values()].filter((vm) => wanted.length === 0 || wanted.includes(vm.id)).map((vm) => vm.short());
}

function storageDomains(host: HostState, params: Params): Json {
  const pool = params.optionalText('storagepoolID', '');
  const remote = params.optionalText('remotePath', '');
  if (pool !== '' && !/^[0-]+$/.test(pool)) {
    host.requirePool(pool);
    return [...host.world.poolDomains().keys()];
  }
  const domains = host.visibleDomains().filter((domain) => remote === '' || domain.metadata.remotePath === remote);
  return domains.map((domain) => domain.id);
}

function stopMonitoring(host: HostState, params: Params): Json {
  const domain = params.text('sdUUID');
  if (host.poolConnected && host.world.poolDomains().has(domain)) throw fail.memberOfPool(domain);
  host.monitored.delete(domain);
  return true;
}

function dumpXmls(host: HostState, params: Params): JsonObject {
  const xmls: Record<string, Json> = {};
  for (const id of params.texts('vmList')) {
    const vm = host.vms.get(id);
    if (vm === undefined) throw fail.internal({ reason: `'${id}'` });
    xmls[id] = vm.xml;
  }
  return xmls;
}

/** VDSM hands the ticket on to the host's imageio daemon. @throws VdsmError 100 for a URL that is no file's */
function addImageTicket(host: HostState, params: Params): Json {
  const ticket = params.object('ticket');
  const { uuid, size, url, timeout, ops } = ticket;
  const path = typeof url === 'string' ? /^file:\/\/(\/.+)$/.exec(url)?.[1] : undefined;
  if (typeof uuid !== 'string' || path === undefined || typeof size !== 'number' || typeof timeout !== 'number')
    throw fail.general('Image daemon request failed: Invalid ticket');
  const writable = Array.isArray(ops) && ops.includes('write');
  host.imageTickets.set(uuid, { uuid, size, path, writable, expires: host.clock.now() + timeout * 1000 });
  return true;
}

/** @throws VdsmError 654 on any host but the SPM */
function spmOnly(host: HostState): HostState {
  if (!host.isSpm) throw fail.notSpm();
  return host;
}

export const hostVerbs: VerbTable = {
  'Host.ping': verb('', () => true),
  'Host.ping2': verb('', () => true),
  'Host.confirmConnectivity': verb('', () => true),
  'Host.echo': verb('message', (_, params) => params.required('message')),
  'Host.getCapabilities': verb('', (host) => capabilities(host)),
  'Host.getHardwareInfo': verb('', (host) => hardwareInfo(host)),
  'Host.getNetworkCapabilities': verb('', (host) => networkCapabilities(host)),
  'Host.getNetworkStatistics': verb('', (host) => networkStatistics(host)),
  'Host.hostdevListByCaps': verb('caps', () => ({})),
  'Host.getAllVmIoTunePolicies': verb('', () => ({})),
  'Host.getStats': verb('', (host) => hostStats(host)),
  'Host.setHaMaintenanceMode': verb('mode enabled', setHaMaintenanceMode),
  'Host.getVMList': verb('fullStatus vmList onlyUUID', vmList),
  'Host.getVMFullList': verb('vmList', vmList),
  'Host.getAllVmStats': verb('', (host) => [...host.vms.values()].map((vm) => vm.stats())),
  'Host.dumpxmls': verb('vmList', dumpXmls),
  'Host.getStorageRepoStats': verb('domains', (host, params) => domainVitals(host, params.texts('domains'))),
  'Host.startMonitoringDomain': verb('sdUUID hostID', (host, params) => {
    const domain = params.text('sdUUID');
    params.integer('hostID');
    if (!host.monitored.has(domain)) host.monitored.set(domain, host.clock.now() + host.world.timings.hostIdMs);
    return true;
  }),
  'Host.stopMonitoringDomain': verb('sdUUID', stopMonitoring),
  'Host.getStorageDomains': verb('storagepoolID domainClass storageType remotePath', storageDomains),
  'Host.getDeviceList': verb('storageType guids checkStatus refresh', () => []),
  'Host.getConnectedStoragePools': verb('', (host) => (host.poolConnected ? [host.world.poolId] : [])),
  'Host.getAllTasks': verb('', (host) => host.tasks.details()),
  'Host.getAllTasksInfo': verb('', (host) => spmOnly(host).tasks.infos()),
  'Host.getAllTasksStatuses': verb('', (host) => spmOnly(host).tasks.statuses()),
  'Host.add_image_ticket': verb('ticket', addImageTicket),
  'Host.remove_image_ticket': verb('uuid', (host, params) => {
    host.imageTickets.delete(params.text('uuid'));
    return true;
  }),
  'Host.getJobs': verb('job_type job_ids', () => ({})),
};
