import type { Node } from '../codec/tree.ts';
import type { Context } from '../context.ts';
import type { SearchRecord } from '../search/match.ts';
import type { EngineEvent, Job, Step } from '../state/model.ts';
import { actions, links, ref } from './links.ts';

/** `event`: `code` and `index` are numbers, the references carry id and name (engine.md 8.6). */
export function eventView(context: Context, one: EngineEvent): Node {
  const { state } = context;
  const reference = (
    member: string,
    collection: string,
    id: string | undefined,
    all: readonly { id: string; name: string }[],
  ): Node =>
    id === undefined
      ? {}
      : { [member]: { ...ref(collection, id), name: all.find((candidate) => candidate.id === id)?.name } };
  return {
    ...ref('events', String(one.index)),
    code: one.code,
    severity: one.severity,
    time: new Date(one.time),
    description: one.description,
    index: one.index,
    ...(one.correlationId !== undefined && { correlation_id: one.correlationId }),
    origin: one.origin,
    custom_id: one.customId,
    flood_rate: 30,
    ...reference('cluster', 'clusters', one.clusterId, state.clusters),
    ...reference('data_center', 'datacenters', one.dataCenterId, state.dataCenters),
    ...reference('host', 'hosts', one.hostId, state.hosts),
    ...reference('storage_domain', 'storagedomains', one.domainId, state.domains),
    ...reference('vm', 'vms', one.vmId, state.vms),
    ...reference('user', 'users', one.userId, [state.user]),
  };
}

export function eventFields(context: Context, one: EngineEvent): SearchRecord {
  const { state } = context;
  const name = (id: string | undefined, all: readonly { id: string; name: string }[]) =>
    all.find((candidate) => candidate.id === id)?.name;
  return {
    type: one.code,
    severity: one.severity,
    message: one.description,
    time: one.time,
    usrname: name(one.userId, [state.user]),
    event_host: name(one.hostId, state.hosts),
    'host.name': name(one.hostId, state.hosts),
    event_vm: name(one.vmId, state.vms),
    'vm.name': name(one.vmId, state.vms),
    event_storage: name(one.domainId, state.domains),
    event_datacenter: name(one.dataCenterId, state.dataCenters),
    correlation_id: one.correlationId,
    origin: one.origin,
    custom_event_id: one.customId,
    index: one.index,
  };
}

/** `job`. */
export function jobView(one: Job): Node {
  const base = `/jobs/${one.id}`;
  return {
    ...ref('jobs', one.id),
    description: one.description,
    status: one.status,
    auto_cleared: one.autoCleared,
    external: one.external,
    start_time: new Date(one.startTime),
    last_updated: new Date(one.lastUpdated),
    ...(one.endTime !== undefined && { end_time: new Date(one.endTime) }),
    owner: ref('users', one.owner),
    actions: actions(base, 'clear', 'end'),
    link: links(base, 'steps'),
  };
}

export function jobFields(one: Job): SearchRecord {
  return { description: one.description, status: one.status, correlation_id: one.correlationId, id: one.id };
}

/** `step` of a job. */
export function stepView(job: Job, one: Step): Node {
  const base = `/jobs/${job.id}/steps/${one.id}`;
  return {
    id: one.id,
    href: base,
    description: one.description,
    type: one.type,
    number: one.number,
    status: one.status,
    external: one.external,
    start_time: new Date(one.startTime),
    ...(one.endTime !== undefined && { end_time: new Date(one.endTime) }),
    job: ref('jobs', job.id),
    ...(one.parentId !== undefined && {
      parent_step: { id: one.parentId, href: `/jobs/${job.id}/steps/${one.parentId}` },
    }),
    actions: actions(base, 'end'),
    link: links(base, 'statistics'),
  };
}
