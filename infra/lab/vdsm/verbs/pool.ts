/** `StoragePool.*` and `Task.*` (vdsm.md 9 and 10). */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { mountFolder } from '../../fixture.ts';
import { fail } from '../errors.ts';
import type { HostState } from '../host-state.ts';
import type { Params } from '../params.ts';
import { isJsonObject, type Json, type JsonObject } from '../python.ts';
import { type VerbTable, verb } from './verb.ts';
import { diskSpace } from './space.ts';

const NFS = 1;
const MOUNT_FAILED = 477;
const GENERAL = 100;

/** Code of a failed mount or unmount. VDSM of the 4.5 line has none of its own for NFS: it shows the general one. */
function mountFailure(params: Params): number {
  return Number(params.optional('domainType')) === NFS ? GENERAL : MOUNT_FAILED;
}

/** Normalised as VDSM does it: a trailing slash or `//` names the same export. */
function exportOf(connection: string): { server: string; path: string } {
  const colon = connection.indexOf(':');
  const path = posix.normalize(connection.slice(colon + 1)).replace(/(.)\/+$/, '$1');
  return { server: connection.slice(0, colon), path };
}

/** One status per connection: 0, or a storage error code; the call itself succeeds. */
function eachConnection(params: Params, act: (folder: string) => number): Json {
  const list = params.required('connectionParams');
  if (!Array.isArray(list)) return [];
  return list.filter(isJsonObject).map((one: JsonObject) => {
    const { id = '', connection } = one;
    return {
      id,
      status: typeof connection === 'string' ? act(mountFolder(exportOf(connection))) : mountFailure(params),
    };
  });
}

function connectStorageServer(host: HostState, params: Params): Json {
  const list = params.required('connectionParams');
  if (Array.isArray(list) && list.length === 0) throw fail.invalidParameter('conList', []);
  return eachConnection(params, (folder) => {
    if (!existsSync(join(host.storage.root, folder))) return mountFailure(params);
    host.mounts.add(folder);
    return 0;
  });
}

function disconnectStorageServer(host: HostState, params: Params): Json {
  return eachConnection(params, (folder) => (host.mounts.delete(folder) ? 0 : mountFailure(params)));
}

function connect(host: HostState, params: Params): Json {
  const pool = params.uuid('storagepoolID');
  const { world } = host;
  if (host.poolConnected && pool !== world.poolId) throw fail.otherPool(world.poolId);
  const master = params.text('masterSdUUID');
  if (pool !== world.poolId || host.storage.findDomain(master) === undefined) throw fail.noMaster(pool, master);
  if (master !== world.masterDomainId || params.integer('masterVersion') !== world.masterVersion) {
    throw fail.wrongMaster(master, pool);
  }
  const domains = params.optional('domainDict');
  if (isJsonObject(domains)) {
    for (const [id, status] of Object.entries(domains)) world.setActive(id, status === 'active');
  }
  host.poolConnected = true;
  return true;
}

/** The master must be free; connecting comes afterwards (vdsm.md 10). */
function create(host: HostState, params: Params): Json {
  const pool = params.uuid('storagepoolID');
  const master = host.requireDomain(params.text('masterSdUUID'));
  if (master.metadata.pools.length > 0) throw fail.domainAttached(master.id);
  if (!host.world.createPool(pool, master.id)) throw fail.otherPool(host.world.poolId);
  return true;
}

function destroy(host: HostState, params: Params): Json {
  const pool = params.text('storagepoolID');
  host.requirePool(pool);
  if (host.isSpm) throw fail.isSpm(pool);
  host.world.destroyPool();
  return true;
}

function disconnect(host: HostState, params: Params): Json {
  const pool = params.text('storagepoolID');
  if (!host.poolConnected || pool !== host.world.poolId) return true;
  if (host.isSpm) throw fail.isSpm(pool);
  host.poolConnected = false;
  return true;
}

function spmId(host: HostState): number {
  const { spm } = host.world;
  return host.world.hosts.get(spm ?? '')?.hostId ?? -1;
}

function getInfo(host: HostState, params: Params): Json {
  host.requirePool(params.text('storagepoolID'));
  const { world } = host;
  const dominfo: Record<string, Json> = {};
  for (const [id, status] of world.poolDomains()) {
    const domain = host.visibleDomains().find((one) => one.id === id);
    const space = domain === undefined || status !== 'Active' ? {} : { ...diskSpace(host, domain.dir), version: 5 };
    dominfo[id] = { status, alerts: [], isoprefix: '', ...space };
  }
  const info = {
    name: 'No Description',
    type: 'NFS',
    domains: [...world.poolDomains()].map(([id, status]) => `${id}:${status}`).join(','),
    master_uuid: world.masterDomainId,
    master_ver: world.masterVersion,
    lver: world.spm === undefined ? -1 : world.spmVersion,
    spm_id: spmId(host),
    version: '5',
    pool_status: 'connected',
    isoprefix: '',
  };
  return { info, dominfo };
}

function spmStatus(host: HostState, params: Params): Json {
  host.requirePool(params.text('storagepoolID'));
  const { spm, spmVersion } = host.world;
  return {
    spmStatus: host.isSpm ? 'SPM' : 'Free',
    spmId: spmId(host),
    spmLver: spm === undefined ? -1 : spmVersion,
  };
}

function spmStart(host: HostState, params: Params): Json {
  const pool = params.text('storagepoolID');
  host.requirePool(pool);
  if (host.isSpm) throw fail.isSpm(pool);
  return host.tasks.start('spmStart', host.world.timings.taskMs, () => {
    if (!host.world.becomeSpm(host.name)) throw fail.lockHeld();
  });
}

function task(act: (host: HostState, id: string) => Json | void) {
  return verb('taskID', (host, params) => act(host, params.text('taskID')) ?? true);
}

export const poolVerbs: VerbTable = {
  'StoragePool.connectStorageServer': verb('storagepoolID domainType connectionParams', connectStorageServer),
  'StoragePool.disconnectStorageServer': verb('storagepoolID domainType connectionParams', disconnectStorageServer),
  'StoragePool.create': verb(
    'storagepoolID name masterSdUUID masterVersion domainList lockRenewalIntervalSec leaseTimeSec ioOpTimeoutSec leaseRetries',
    create,
  ),
  'StoragePool.destroy': verb('storagepoolID hostID scsiKey', destroy),
  'StoragePool.connect': verb('storagepoolID hostID scsiKey masterSdUUID masterVersion domainDict', connect),
  'StoragePool.disconnect': verb('storagepoolID hostID scsiKey remove', disconnect),
  'StoragePool.getInfo': verb('storagepoolID', getInfo),
  'StoragePool.getSpmStatus': verb('storagepoolID', spmStatus),
  'StoragePool.spmStart': verb('storagepoolID prevID prevLver enableScsiFencing maxHostID domVersion', spmStart),
  'StoragePool.spmStop': verb('storagepoolID', (host, params) => {
    host.requirePool(params.text('storagepoolID'));
    host.world.resignSpm(host.name);
    return true;
  }),
  'Task.getStatus': task((host, id) => host.tasks.status(id)),
  'Task.getInfo': task((host, id) => host.tasks.info(id)),
  'Task.stop': task((host, id) => host.tasks.stop(id)),
  'Task.revert': task((host, id) => host.tasks.revert(id)),
  'Task.clear': task((host, id) => host.tasks.clear(id)),
};
