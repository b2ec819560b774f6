import { randomUUID } from 'node:crypto';

import { flag, require, sub, text } from '../codec/body.ts';
import type { Body } from '../codec/body.ts';
import type { Context } from '../context.ts';
import type { FoundDomain } from '../gateway.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { actionReply, byId, created, deleted, entity, list, listing, variable, wantsAsync } from '../http/call.ts';
import { refused } from '../http/engine-fault.ts';
import type { Connection, Domain, Host } from '../state/model.ts';
import { connectionView, domainFields, domainView } from '../views/storage.ts';
import { connectionOf, messageOf } from '../work/domain-life.ts';
import { isImaginary, storageHost } from '../work/host-door.ts';
import { updateOvfStore } from '../work/ovf-update.ts';
import { named } from './data-centers.ts';

export const domainOf = (call: Call): Domain => byId(call.context.state.domains, variable(call, 'sd'));

const NAME_TAKEN = 'The Storage Domain name is already in use, please choose a unique name and try again.';
const FILE_TYPES = ['nfs', 'glusterfs', 'posixfs', 'localfs'] as const;

/** The host a storage command names, if it can work; an imaginary one is stood in for by a real one. */
function workingHost(context: Context, named: Host | undefined, verb: string): Host {
  if (named === undefined || named.status !== 'up') {
    throw refused(409, `Cannot ${verb} Storage. Host is not up; its status is ${named?.status ?? 'unknown'}.`);
  }
  const able = isImaginary(context, named) ? storageHost(context) : named;
  if (able === undefined) throw refused(409, `Cannot ${verb} Storage. There is no active Host in the Data Center.`);
  return able;
}

function readConnection(body: Body): Connection {
  require(body, 'StorageConnection', 'add', 'type', 'address', 'path');
  const type = FILE_TYPES.find((one) => one === text(body, 'type')?.toLowerCase());
  if (type === undefined)
    throw refused(
      400,
      `Cannot add Storage Connection. The lab's engine has no ${text(body, 'type') ?? ''} storage, only ${FILE_TYPES.join(', ')}.`,
    );
  const mountOptions = text(body, 'mount_options');
  const nfsVersion = text(body, 'nfs_version');
  return {
    id: randomUUID(),
    type,
    address: text(body, 'address') ?? '',
    path: normalised(text(body, 'path') ?? ''),
    ...(mountOptions && { mountOptions }),
    ...(nfsVersion && { nfsVersion }),
  };
}

/** A trailing slash would be a second mount of the same export (vdsm.md 10). */
function normalised(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

function sameConnection(a: Connection, b: Connection): boolean {
  return a.address === b.address && a.path === b.path;
}

/** `POST /storagedomains`: creates a domain, or imports the one that already lies on the path (engine.md 8.3). */
async function addDomain(call: Call): Promise<Reply> {
  const { context, body } = call;
  require(body, 'StorageDomain', 'add', 'host.id|name', 'type', 'storage');
  const host = workingHost(context, named(context.state.hosts, sub(body, 'host'), 'Host'), 'add');
  const given = sub(body, 'storage') ?? {};
  const savedId = text(given, 'id');
  const saved = savedId === undefined ? undefined : byId(context.state.connections, savedId);
  const connection = saved ?? readConnection(given);
  const used = context.state.connections.find((one) => sameConnection(one, connection));
  if (
    used !== undefined &&
    (saved === undefined || context.state.domains.some((one) => one.connectionId === used.id))
  ) {
    throw refused(409, `Cannot add Storage Connection. Storage connection already exists. Its id is ${used.id}.`);
  }
  const unlock = context.lock('add Storage', `${connection.address}:${connection.path}`);
  try {
    const found = await lookAt(context, host, connection);
    const domain =
      found === undefined ? await createNew(call, host, connection) : importExisting(call, found, connection);
    const stats = await context.gateway.domainStats(host, domain.id).catch(() => undefined);
    if (stats !== undefined) [domain.totalBytes, domain.freeBytes] = [stats.total, stats.free];
    if (saved === undefined) context.state.connections.push(connection);
    context.state.domains.push(domain);
    context.event(956, 'normal', `Storage Domain ${domain.name} was added by ${context.state.user.name}.`, {
      domainId: domain.id,
      ...call.cause,
    });
    return created('storage_domain', domainView(context, domain));
  } finally {
    unlock();
  }
}

/** What lies on the path, seen through the host. */
async function lookAt(context: Context, host: Host, connection: Connection): Promise<FoundDomain | undefined> {
  try {
    await context.gateway.connectStorage(host, connection);
    return (await context.gateway.listDomains(host, connection))[0];
  } catch (error) {
    context.event(
      996,
      'error',
      `The error message for connection ${connection.address}:${connection.path} returned by VDSM was: ${messageOf(error)}`,
      { hostId: host.id },
    );
    throw refused(400, 'Problem while trying to mount target');
  }
}

function importExisting(call: Call, found: FoundDomain, connection: Connection): Domain {
  const { state } = call.context;
  if (state.domains.some((one) => one.id === found.id)) {
    throw refused(409, 'Cannot import Storage Domain. Storage Domain already exists in the system.');
  }
  return newDomain(call, connection, {
    id: found.id,
    name: text(call.body, 'name') || found.name,
    format: found.format,
  });
}

async function createNew(call: Call, host: Host, connection: Connection): Promise<Domain> {
  const { context, body } = call;
  require(body, 'StorageDomain', 'add', 'name');
  const domain = newDomain(call, connection, {
    id: randomUUID(),
    name: text(body, 'name') ?? '',
    format: text(body, 'storage_format')?.toLowerCase() ?? 'v5',
  });
  try {
    await context.gateway.createDomain(host, connection, { id: domain.id, name: domain.name, format: domain.format });
  } catch (error) {
    context.event(957, 'error', `Failed to add Storage Domain ${domain.name}: ${messageOf(error)}`, call.cause);
    throw refused(400, 'Error creating a storage domain');
  }
  return domain;
}

function newDomain(call: Call, connection: Connection, facts: { id: string; name: string; format: string }): Domain {
  const { context, body } = call;
  if (context.state.domains.some((one) => one.name === facts.name))
    throw refused(409, `Cannot add Storage. ${NAME_TAKEN}`);
  const type = text(body, 'type')?.toLowerCase();
  return {
    ...facts,
    description: text(body, 'description') ?? '',
    comment: text(body, 'comment') ?? '',
    type: type === 'iso' || type === 'export' ? type : 'data',
    connectionId: connection.id,
    master: false,
    totalBytes: 0,
    freeBytes: 0,
  };
}

function updateDomain(call: Call): Reply {
  const { context, body } = call;
  const domain = domainOf(call);
  const name = text(body, 'name');
  if (name !== undefined && context.state.domains.some((one) => one !== domain && one.name === name)) {
    throw refused(409, `Cannot edit Storage. ${NAME_TAKEN}`);
  }
  domain.name = name ?? domain.name;
  domain.description = text(body, 'description') ?? domain.description;
  domain.comment = text(body, 'comment') ?? domain.comment;
  context.changed();
  return entity('storage_domain', domainView(context, domain));
}

/** `DELETE /storagedomains/{sd}`: `destroy` forgets it in the database only, `format` also wipes the storage. */
async function removeDomain(call: Call): Promise<Reply> {
  const { context, parameters, body } = call;
  const domain = domainOf(call);
  if (parameters.flag('destroy') === true) {
    const status = domain.attachment?.status;
    if (status !== undefined && !['maintenance', 'inactive', 'unknown'].includes(status)) {
      throw refused(409, `Cannot destroy Storage. The relevant Storage Domain's status is ${title(status)}.`);
    }
  } else {
    const hostText = parameters.text('host') ?? text(body, 'host', 'id') ?? text(body, 'host', 'name');
    if (hostText === undefined || hostText === '') require({}, 'StorageDomain', 'remove', 'host.id|name');
    const named = context.state.hosts.find((one) => one.id === hostText || one.name === hostText);
    if (domain.attachment !== undefined)
      throw refused(409, 'Cannot remove Storage. Storage Domain is attached to a Data Center; detach it first.');
    const host = workingHost(context, named, 'remove');
    try {
      if (parameters.flag('format') ?? flag(body, 'format'))
        await context.gateway.formatDomain(host, connectionOf(context, domain), domain.id);
      await context.gateway.disconnectStorage(host, connectionOf(context, domain));
    } catch (error) {
      throw refused(500, messageOf(error));
    }
  }
  context.state.domains = context.state.domains.filter((one) => one !== domain);
  context.state.connections = context.state.connections.filter((one) => one.id !== domain.connectionId);
  context.state.disks = context.state.disks.filter((disk) => disk.domainId !== domain.id);
  context.state.unregistered = context.state.unregistered.filter((one) => one.domainId !== domain.id);
  context.event(960, 'normal', `Storage Domain ${domain.name} was removed by ${context.state.user.name}.`, call.cause);
  return deleted();
}

export function title(status: string): string {
  return status.replaceAll('_', ' ').replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

async function updateOvf(call: Call): Promise<Reply> {
  const domain = domainOf(call);
  if (domain.attachment?.status !== 'active') {
    throw refused(
      409,
      `Cannot update OVF Storage. The relevant Storage Domain's status is ${title(domain.attachment?.status ?? 'unattached')}.`,
    );
  }
  const job = call.context.startJob(`Updating OVF_STORE of domain ${domain.name}`, call.cause);
  const work = async () => {
    try {
      await updateOvfStore(call.context, domain, call.cause);
      call.context.endJob(job.id, 'finished');
    } catch (error) {
      call.context.endJob(job.id, 'failed');
      throw error;
    }
  };
  if (wantsAsync(call)) {
    call.context.inBackground(`OVF update of ${domain.name}`, work);
    return actionReply(call, job.id, 202);
  }
  await work();
  return actionReply(call, job.id);
}

function connections(call: Call, all: readonly Connection[]): Reply {
  return list('storage_connections', 'storage_connection', all.map(connectionView));
}

function addConnection(call: Call): Reply {
  const { context, body } = call;
  const connection = readConnection(body);
  const used = context.state.connections.find((one) => sameConnection(one, connection));
  if (used !== undefined)
    throw refused(409, `Cannot add Storage Connection. Storage connection already exists. Its id is ${used.id}.`);
  context.state.connections.push(connection);
  context.changed();
  return created('storage_connection', connectionView(connection));
}

function removeConnection(call: Call): Reply {
  const { context } = call;
  const one = byId(context.state.connections, variable(call, 'id'));
  const user = context.state.domains.find((domain) => domain.connectionId === one.id);
  if (user !== undefined)
    throw refused(
      409,
      `Cannot remove Storage Connection. Storage connection parameters are used by the following storage domains : ${user.name}.`,
    );
  context.state.connections = context.state.connections.filter((other) => other !== one);
  context.changed();
  return deleted();
}

const emptyList = (path: string, root: string, item: string): Route => ({
  method: 'GET',
  path: `storagedomains/:sd/${path}`,
  handler: (call) => {
    domainOf(call);
    return list(root, item, []);
  },
});

export const storageDomainRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'storagedomains',
    handler: (call) =>
      listing(call, {
        root: 'storage_domains',
        item: 'storage_domain',
        all: call.context.state.domains,
        fields: (one) => domainFields(call.context, one),
        view: (one) => domainView(call.context, one),
      }),
  },
  { method: 'POST', path: 'storagedomains', handler: addDomain },
  {
    method: 'GET',
    path: 'storagedomains/:sd',
    handler: (call) => entity('storage_domain', domainView(call.context, domainOf(call))),
  },
  { method: 'PUT', path: 'storagedomains/:sd', handler: updateDomain },
  { method: 'DELETE', path: 'storagedomains/:sd', handler: removeDomain },
  { method: 'POST', path: 'storagedomains/:sd/updateovfstore', action: true, handler: updateOvf },
  {
    method: 'POST',
    path: 'storagedomains/:sd/isattached',
    action: true,
    handler: (call) => {
      const reply = actionReply(call);
      return { ...reply, node: { ...reply.node, is_attached: domainOf(call).attachment !== undefined } };
    },
  },
  {
    method: 'GET',
    path: 'storagedomains/:sd/storageconnections',
    handler: (call) => connections(call, [connectionOf(call.context, domainOf(call))]),
  },
  emptyList('templates', 'templates', 'template'),
  emptyList('permissions', 'permissions', 'permission'),
  { method: 'GET', path: 'storageconnections', handler: (call) => connections(call, call.context.state.connections) },
  { method: 'POST', path: 'storageconnections', handler: addConnection },
  {
    method: 'GET',
    path: 'storageconnections/:id',
    handler: (call) =>
      entity('storage_connection', connectionView(byId(call.context.state.connections, variable(call, 'id')))),
  },
  { method: 'DELETE', path: 'storageconnections/:id', handler: removeConnection },
];
