import { randomUUID } from 'node:crypto';

import { choice, flag, int, items, require, text } from '../codec/body.ts';
import type { Node } from '../codec/tree.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { byId, created, deleted, entity, list, listing, variable } from '../http/call.ts';
import { BUSY, incomplete, notFound, refused } from '../http/engine-fault.ts';
import type { ContentType, Disk, Domain } from '../state/model.ts';
import { diskFields, diskView } from '../views/storage.ts';
import { isHostedEngine } from '../views/vm.ts';
import { CONTENT_TYPES, diskOf, messageOf } from '../work/domain-life.ts';
import { storageHost } from '../work/host-door.ts';
import { named } from './data-centers.ts';
import { domainOf, title } from './storage-domains.ts';

const LOCKED_MS = 2_000;
const DISK_TYPES: readonly ContentType[] = [
  'data',
  'hosted_engine',
  'hosted_engine_sanlock',
  'hosted_engine_metadata',
  'hosted_engine_configuration',
];
/** Names the setup gave its disks before there were content types. */
const LEGACY_NAMES = ['he_virtio_disk', 'he_sanlock', 'HostedEngineConfigurationImage', 'he_metadata'];

function targetDomain(call: Call, implied?: Domain): Domain {
  const { context, body } = call;
  const [given] = items(body, 'storage_domains', 'storage_domain');
  const domain = implied ?? named(context.state.domains, given, 'StorageDomain');
  if (domain === undefined) throw incomplete('Disk [storage_domains.storage_domain.id|name] required for add');
  if (domain.attachment?.status !== 'active') {
    throw refused(
      409,
      `Cannot add Virtual Disk. The relevant Storage Domain's status is ${title(domain.attachment?.status ?? 'unattached')}.`,
    );
  }
  return domain;
}

function tagOf(type: ContentType): string {
  return Object.entries(CONTENT_TYPES).find(([, name]) => name === type)?.[0] ?? 'DATA';
}

/** `POST /disks`: 202, `locked`, then `ok`, with a `creation_status` to poll (engine.md 8.4). */
async function addDisk(call: Call, implied?: Domain): Promise<Reply> {
  const { context, body } = call;
  require(body, 'Disk', 'add', 'format', 'provisioned_size');
  const domain = targetDomain(call, implied);
  const size = int(body, 'provisioned_size') ?? 0;
  if (size <= 0) throw refused(400, 'Cannot add Virtual Disk. Disk size must be greater than 0.');
  const name = text(body, 'name') ?? text(body, 'alias') ?? '';
  const format = choice(body, ['raw', 'cow'], 'format') ?? 'raw';
  const sparse = flag(body, 'sparse') ?? true;
  const contentType = choice(body, DISK_TYPES, 'content_type') ?? 'data';
  const disk: Disk = {
    id: text(body, 'id') ?? randomUUID(),
    volumeId: text(body, 'image_id') ?? randomUUID(),
    name,
    description: text(body, 'description') ?? '',
    domainId: domain.id,
    provisionedSize: size,
    actualSize: sparse ? 0 : size,
    format,
    sparse,
    status: 'locked',
    contentType,
    shareable: flag(body, 'shareable') ?? false,
    wipeAfterDelete: flag(body, 'wipe_after_delete') ?? false,
  };
  if (context.state.disks.some((one) => one.id === disk.id))
    throw refused(409, 'Cannot add Virtual Disk. The specified disk id is already in use.');
  await makeVolume(context, domain, disk);
  context.state.disks.push(disk);
  const job = context.startJob(`Adding Disk ${name}`, call.cause);
  context.state.timers.push({ at: context.now() + LOCKED_MS, what: 'disk', diskId: disk.id, jobId: job.id });
  const node = {
    ...diskView(disk),
    creation_status: 'pending',
    link: [...creationLinks(disk, call.cause.correlationId), ...linksOf(disk)],
  };
  return { ...created('disk', node, () => disk.status === 'locked'), status: 202 };
}

function linksOf(disk: Disk): readonly Node[] {
  const link = diskView(disk)['link'];
  return Array.isArray(link) ? link : [];
}

function creationLinks(disk: Disk, correlationId: string): readonly Node[] {
  return [{ href: `/disks/${disk.id}/creation_status/${correlationId}`, rel: 'creation_status' }];
}

async function makeVolume(context: Context, domain: Domain, disk: Disk): Promise<void> {
  const host = storageHost(context);
  const poolId = domain.attachment?.dataCenterId;
  if (host === undefined || poolId === undefined)
    throw refused(409, 'Cannot add Virtual Disk. There is no active Host in the Data Center.');
  const description = JSON.stringify({ DiskAlias: disk.name, DiskDescription: disk.description });
  try {
    await context.gateway.createVolume(host, poolId, domain.id, {
      image: disk.id,
      volume: disk.volumeId,
      capacity: disk.provisionedSize,
      format: disk.format,
      sparse: disk.sparse,
      diskType: tagOf(disk.contentType),
      description,
    });
  } catch (error) {
    context.event(2022, 'error', `Add-Disk operation of ${disk.name} failed to complete: ${messageOf(error)}`, {
      domainId: domain.id,
    });
    throw refused(500, messageOf(error));
  }
}

/** Order of the engine's checks: VM's disk, alias, content type (engine.md 8.4). */
function checkRemovable(context: Context, disk: Disk): void {
  const refuse = (why: string): never => {
    throw refused(409, `Cannot remove Virtual Disk. ${why}`);
  };
  const users = context.state.vms.filter((vm) => vm.attachments.some((one) => one.diskId === disk.id));
  if (users.some(isHostedEngine)) refuse('The disk is part of the self hosted engine VM.');
  if (LEGACY_NAMES.includes(disk.name)) refuse('The disk is used by the self hosted engine.');
  if (disk.contentType === 'ovf_store') {
    if (disk.status !== 'illegal') refuse('The operation is supported only for OVF disks that are in Illegal status.');
  } else if (disk.contentType !== 'data') {
    refuse(`The operation is not supported for disks with content type ${disk.contentType}.`);
  }
  if (disk.status === 'locked') refuse(`Disk ${disk.name} is locked. ${BUSY}`);
  const running = users.find((vm) => vm.status !== 'down');
  if (running !== undefined) refuse(`At least one of the VMs is not down: ${running.name}.`);
}

async function removeDisk(call: Call): Promise<Reply> {
  const { context } = call;
  const disk = byId(context.state.disks, variable(call, 'id'));
  checkRemovable(context, disk);
  const host = storageHost(context);
  const domain = byId(context.state.domains, disk.domainId);
  if (host === undefined || domain.attachment === undefined)
    throw refused(409, 'Cannot remove Virtual Disk. There is no active Host in the Data Center.');
  const unlock = context.lock('remove Virtual Disk', disk.id);
  try {
    await context.gateway.deleteImage(host, domain.attachment.dataCenterId, domain.id, disk.id);
  } catch (error) {
    throw refused(500, messageOf(error));
  } finally {
    unlock();
  }
  context.state.disks = context.state.disks.filter((one) => one !== disk);
  for (const vm of context.state.vms) vm.attachments = vm.attachments.filter((one) => one.diskId !== disk.id);
  context.event(2014, 'normal', `Disk ${disk.name} was successfully removed from domain ${domain.name}.`, {
    domainId: domain.id,
    ...call.cause,
  });
  return deleted();
}

function updateDisk(call: Call): Reply {
  const { context, body } = call;
  const disk = byId(context.state.disks, variable(call, 'id'));
  if (disk.status === 'locked') throw refused(409, `Cannot edit Virtual Disk. Disk ${disk.name} is locked. ${BUSY}`);
  disk.name = text(body, 'name') ?? text(body, 'alias') ?? disk.name;
  disk.description = text(body, 'description') ?? disk.description;
  context.changed();
  return entity('disk', diskView(disk));
}

function diskList(call: Call, all: readonly Disk[]): Reply {
  return listing(call, {
    root: 'disks',
    item: 'disk',
    all,
    fields: (one) => diskFields(call.context, one),
    view: diskView,
  });
}

/** Volumes on the domain that the database does not know; OVF_STORE copies are none of them. */
async function floating(call: Call, domain: Domain): Promise<readonly Disk[]> {
  const host = storageHost(call.context);
  if (host === undefined || domain.attachment?.status !== 'active') {
    throw refused(
      409,
      `Cannot get unregistered disks. The relevant Storage Domain's status is ${title(domain.attachment?.status ?? 'unattached')}.`,
    );
  }
  const known = new Set(call.context.state.disks.map((disk) => disk.id));
  const volumes = await call.context.gateway.listVolumes(host, domain.attachment.dataCenterId, domain.id);
  return volumes
    .filter((volume) => !known.has(volume.image) && volume.diskType !== 'OVFS')
    .map((volume) => diskOf(volume, domain.id, aliasOf(volume.description)));
}

/** A volume's description is JSON with the alias, or the plain name that hosted-engine setup wrote. */
function aliasOf(description: string): string {
  const alias = /"DiskAlias"\s*:\s*"([^"]*)"/.exec(description)?.[1];
  return alias ?? (description.startsWith('{') ? '' : description);
}

async function domainDisks(call: Call): Promise<Reply> {
  const domain = domainOf(call);
  if (call.parameters.flag('unregistered') === true) return diskList(call, await floating(call, domain));
  return diskList(
    call,
    call.context.state.disks.filter((disk) => disk.domainId === domain.id),
  );
}

async function addDomainDisk(call: Call): Promise<Reply> {
  const domain = domainOf(call);
  if (call.parameters.flag('unregistered') !== true) return await addDisk(call, domain);
  require(call.body, 'Disk', 'add', 'id');
  const disk = (await floating(call, domain)).find((one) => one.id === text(call.body, 'id'));
  if (disk === undefined) throw notFound();
  call.context.state.disks.push(disk);
  call.context.changed();
  return created('disk', diskView(disk));
}

export const diskRoutes: readonly Route[] = [
  { method: 'GET', path: 'disks', handler: (call) => diskList(call, call.context.state.disks) },
  { method: 'POST', path: 'disks', handler: async (call) => await addDisk(call) },
  {
    method: 'GET',
    path: 'disks/:id',
    handler: (call) => entity('disk', diskView(byId(call.context.state.disks, variable(call, 'id')))),
  },
  { method: 'PUT', path: 'disks/:id', handler: updateDisk },
  { method: 'DELETE', path: 'disks/:id', handler: removeDisk },
  {
    method: 'GET',
    path: 'disks/:id/creation_status/*correlation',
    handler: (call) => {
      const disk = byId(call.context.state.disks, variable(call, 'id'));
      return entity('creation', { status: disk.status === 'locked' ? 'in_progress' : 'complete' });
    },
  },
  {
    method: 'GET',
    path: 'disks/:id/permissions',
    handler: () => list('permissions', 'permission', []),
  },
  { method: 'GET', path: 'storagedomains/:sd/disks', handler: domainDisks },
  { method: 'POST', path: 'storagedomains/:sd/disks', handler: addDomainDisk },
  {
    method: 'GET',
    path: 'storagedomains/:sd/disks/:id',
    handler: (call) => {
      const disk = byId(call.context.state.disks, variable(call, 'id'));
      if (disk.domainId !== domainOf(call).id) throw notFound();
      return entity('disk', diskView(disk));
    },
  },
];
