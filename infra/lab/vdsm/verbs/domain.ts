/** `StorageDomain.*` and `Lease.*` (vdsm.md 10). */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mountFolder } from '../../fixture.ts';
import { BLANK_UUID, listImages, listVolumes, type StorageDomainFiles } from '../../storage/index.ts';
import { fail } from '../errors.ts';
import type { HostState } from '../host-state.ts';
import type { Params } from '../params.ts';
import type { Json } from '../python.ts';
import { diskSpace } from './space.ts';
import { type VerbTable, verb } from './verb.ts';

function domainOf(host: HostState, params: Params): StorageDomainFiles {
  return host.requireDomain(params.text('storagedomainID'));
}

function getInfo(host: HostState, params: Params): Json {
  const { metadata } = domainOf(host, params);
  return {
    uuid: metadata.uuid,
    name: metadata.name,
    type: metadata.type,
    class: metadata.class,
    role: metadata.role,
    pool: [...metadata.pools],
    version: String(metadata.version),
    block_size: 512,
    alignment: 1_048_576,
    remotePath: metadata.remotePath,
  };
}

function getStats(host: HostState, params: Params): Json {
  const { dir } = domainOf(host, params);
  return { ...diskSpace(host, dir), mdavalid: true, mdathreshold: true, mdasize: 0, mdafree: 0 };
}

/** The blank image id lists all. */
function getVolumes(host: HostState, params: Params): Json {
  const { dir } = domainOf(host, params);
  const image = params.optionalText('imageID', BLANK_UUID);
  return (image === BLANK_UUID ? listImages(dir) : [image]).flatMap((one) => listVolumes(dir, one));
}

function create(host: HostState, params: Params): Json {
  const id = params.uuid('storagedomainID');
  const remote = params.text('typeArgs');
  const colon = remote.indexOf(':');
  const at = { server: remote.slice(0, colon), path: remote.slice(colon + 1) };
  const folder = mountFolder(at);
  if (!host.mounts.has(folder) || !existsSync(join(host.storage.root, folder))) throw fail.notMounted(remote);
  if (host.storage.findDomain(id) !== undefined) throw fail.domainExists(id);
  host.storage.createDomain({ id, name: params.text('name'), ...at });
  return true;
}

/** Changes of the pool run on the SPM only; elsewhere VDSM refuses them as "Not SPM". */
function poolChange(act: (host: HostState, domain: StorageDomainFiles, pool: string) => void): ReturnType<typeof verb> {
  return verb('storagedomainID storagepoolID masterSdUUID masterVersion force', (host, params) => {
    const pool = params.text('storagepoolID');
    host.requireSpm(pool);
    act(host, domainOf(host, params), pool);
    return true;
  });
}

function attached(host: HostState, domain: StorageDomainFiles, pool: string): void {
  if (!host.world.poolDomains().has(domain.id)) throw fail.domainNotMember(pool, domain.id);
}

interface LeaseId {
  readonly sdId: string;
  readonly leaseId: string;
}

function leaseOf(host: HostState, params: Params): LeaseId {
  if (!host.poolConnected) throw fail.poolNotConnected();
  const { sd_id: sdId, lease_id: leaseId } = params.object('lease');
  if (typeof sdId !== 'string' || typeof leaseId !== 'string') throw fail.invalidParameter('lease', null);
  host.requireDomain(sdId);
  if (leaseId !== host.fixture.vm.id) throw fail.noSuchLease(leaseId);
  return { sdId, leaseId };
}

export const domainVerbs: VerbTable = {
  'StorageDomain.getInfo': verb('storagedomainID', getInfo),
  'StorageDomain.getStats': verb('storagedomainID', getStats),
  'StorageDomain.getImages': verb('storagedomainID', (host, params) => listImages(domainOf(host, params).dir)),
  'StorageDomain.getVolumes': verb('storagedomainID storagepoolID imageID', getVolumes),
  'StorageDomain.create': verb(
    'storagedomainID domainType typeArgs name domainClass version blockSize maxHosts',
    create,
  ),
  'StorageDomain.format': verb('storagedomainID autoDetach', (host, params) => {
    const { id, dir, metadata } = domainOf(host, params);
    if (metadata.pools.length > 0) throw fail.domainAttached(id);
    rmSync(dir, { recursive: true, force: true });
    return true;
  }),
  'StorageDomain.validate': verb('storagedomainID', (host, params) => {
    domainOf(host, params);
    return true;
  }),
  'StorageDomain.attach': poolChange((host, domain, pool) => {
    if (domain.metadata.pools.length > 0) throw fail.domainAttached(domain.id);
    host.world.setActive(domain.id, false);
    host.storage.updateDomain(domain.id, { pools: [pool] });
  }),
  'StorageDomain.activate': poolChange((host, domain, pool) => {
    attached(host, domain, pool);
    host.world.setActive(domain.id, true);
  }),
  'StorageDomain.deactivate': poolChange((host, domain, pool) => {
    attached(host, domain, pool);
    host.world.setActive(domain.id, false);
  }),
  'StorageDomain.detach': poolChange((host, domain, pool) => {
    attached(host, domain, pool);
    host.storage.updateDomain(domain.id, { pools: [], role: 'Regular' });
    host.world.setActive(domain.id, true);
  }),
  'Lease.info': verb('lease', (host, params) => {
    const { sdId, leaseId } = leaseOf(host, params);
    const path = join(host.requireDomain(sdId).dir, 'dom_md', 'xleases');
    return { sd_id: sdId, lease_id: leaseId, path, offset: 3_145_728 };
  }),
  'Lease.status': verb('lease', (host, params) => {
    const owner = host.world.leaseOwner(leaseOf(host, params).leaseId);
    return { owners: owner === undefined ? [] : [owner.spmId], version: owner === undefined ? 0 : 1, metadata: {} };
  }),
};
