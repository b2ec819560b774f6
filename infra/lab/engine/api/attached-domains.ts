/** Storage domains as parts of a data center: `/datacenters/{dc}/storagedomains` (engine.md 8.3). */
import { require } from '../codec/body.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { actionReply, byId, created, deleted, entity, listing, variable } from '../http/call.ts';
import { notFound, refused } from '../http/engine-fault.ts';
import type { DataCenter, Domain, Host } from '../state/model.ts';
import { dataCenterStatus } from '../views/data-center.ts';
import { domainFields, domainView } from '../views/storage.ts';
import { activate, attach, deactivate, forgetContent, isHostedEngineDomain, messageOf } from '../work/domain-life.ts';
import { storageHost } from '../work/host-door.ts';
import { vmsOn } from '../work/ovf-update.ts';
import { named } from './data-centers.ts';
import { title } from './storage-domains.ts';

const dataCenterOf = (call: Call): DataCenter => byId(call.context.state.dataCenters, variable(call, 'dc'));

function attachedDomain(call: Call): Domain {
  const dataCenter = dataCenterOf(call);
  const domain = byId(call.context.state.domains, variable(call, 'sd'));
  if (domain.attachment?.dataCenterId !== dataCenter.id) throw notFound();
  return domain;
}

function able(call: Call, verb: string): Host {
  const host = storageHost(call.context);
  if (host === undefined) throw refused(409, `Cannot ${verb} Storage. There is no active Host in the Data Center.`);
  return host;
}

/** The data center must be up with an active master, except for its first domain, which becomes the master. */
function checkDataCenter(call: Call, dataCenter: DataCenter, verb: string): void {
  const status = dataCenterStatus(call.context, dataCenter);
  if (status === 'uninitialized') return;
  const master = call.context.state.domains.find((one) => one.master && one.attachment?.dataCenterId === dataCenter.id);
  if (master?.attachment?.status !== 'active')
    throw refused(409, `Cannot ${verb} Storage. The Master Storage Domain is not active.`);
  if (status !== 'up')
    throw refused(409, `Cannot ${verb} Storage. The relevant Data Center is not Up; its status is ${title(status)}.`);
}

function attachDomain(call: Call): Reply {
  const { context, body } = call;
  require(body, 'StorageDomain', 'add', 'id|name');
  const dataCenter = dataCenterOf(call);
  const domain = named(context.state.domains, body, 'StorageDomain');
  if (domain === undefined) throw notFound();
  if (domain.attachment !== undefined) {
    throw refused(
      409,
      `Cannot attach Storage. Storage Domain is already attached to a Data Center; its status is ${title(domain.attachment.status)}.`,
    );
  }
  checkDataCenter(call, dataCenter, 'attach');
  able(call, 'attach');
  const unlock = context.lock('attach Storage', domain.id);
  domain.attachment = { dataCenterId: dataCenter.id, status: 'locked', correlationId: call.cause.correlationId };
  context.changed();
  const job = context.startJob(`Attaching Storage Domain ${domain.name} to Data Center ${dataCenter.name}`, call.cause);
  context.inBackground(`attach ${domain.name}`, async () => {
    try {
      await attach(context, domain);
      context.endJob(job.id, domain.attachment?.status === 'active' ? 'finished' : 'failed');
    } finally {
      unlock();
    }
  });
  const pending = () => domain.attachment?.status === 'locked' || domain.attachment?.status === 'activating';
  return created('storage_domain', domainView(context, domain, dataCenter.id), pending);
}

function activateDomain(call: Call): Reply {
  const { context } = call;
  const domain = attachedDomain(call);
  const { attachment } = domain;
  if (attachment === undefined) throw notFound();
  if (!['maintenance', 'inactive', 'unknown'].includes(attachment.status)) {
    throw refused(409, `Cannot activate Storage. The relevant Storage Domain's status is ${title(attachment.status)}.`);
  }
  const host = able(call, 'activate');
  const before = attachment.status;
  const unlock = context.lock('activate Storage', domain.id);
  const job = context.startJob(`Activating Storage Domain ${domain.name}`, call.cause);
  attachment.status = 'activating';
  context.changed();
  context.inBackground(`activate ${domain.name}`, async () => {
    try {
      await activate(context, domain, host);
      context.endJob(job.id, 'finished');
    } catch (error) {
      attachment.status = before;
      context.event(969, 'error', `Failed to activate Storage Domain ${domain.name}: ${messageOf(error)}`, {
        domainId: domain.id,
        ...call.cause,
      });
      context.endJob(job.id, 'failed');
    } finally {
      unlock();
    }
  });
  return actionReply(call, job.id);
}

function deactivateDomain(call: Call): Reply {
  const { context } = call;
  const domain = attachedDomain(call);
  const { attachment } = domain;
  if (attachment === undefined) throw notFound();
  if (isHostedEngineDomain(context, domain))
    throw refused(409, 'Cannot deactivate Storage. The storage selected contains the self hosted engine.');
  if (attachment.status !== 'active') {
    throw refused(
      409,
      `Cannot deactivate Storage. The relevant Storage Domain's status is ${title(attachment.status)}.`,
    );
  }
  const running = vmsOn(context, domain).filter((vm) => vm.status !== 'down');
  if (running.length > 0)
    throw refused(
      409,
      `Cannot deactivate Storage. There are running VMs on it: ${running.map((vm) => vm.name).join(', ')}.`,
    );
  const others = context.state.domains.filter(
    (one) => one !== domain && one.attachment?.status === 'active' && one.type === 'data',
  );
  if (domain.master && others.length > 0)
    throw refused(
      409,
      'Cannot deactivate Master Data Domain while there are other active data domains in the Data Center.',
    );
  const host = able(call, 'deactivate');
  const unlock = context.lock('deactivate Storage', domain.id);
  const job = context.startJob(`Deactivating Storage Domain ${domain.name}`, call.cause);
  attachment.status = 'preparing_for_maintenance';
  context.changed();
  context.inBackground(`deactivate ${domain.name}`, async () => {
    try {
      await deactivate(context, domain, host);
      context.endJob(job.id, attachment.status === 'maintenance' ? 'finished' : 'failed');
    } finally {
      unlock();
    }
  });
  return actionReply(call, job.id);
}

async function detachDomain(call: Call): Promise<Reply> {
  const { context } = call;
  const domain = attachedDomain(call);
  const { attachment } = domain;
  if (attachment === undefined) throw notFound();
  if (attachment.status !== 'maintenance') {
    throw refused(409, `Cannot detach Storage. The relevant Storage Domain's status is ${title(attachment.status)}.`);
  }
  const host = able(call, 'detach');
  const unlock = context.lock('detach Storage', domain.id);
  try {
    attachment.status = 'detaching';
    await context.gateway.detachDomain(host, attachment.dataCenterId, domain.id);
    delete domain.attachment;
    domain.master = false;
    forgetContent(context, domain);
    context.event(966, 'normal', `Storage Domain ${domain.name} was detached from the Data Center.`, {
      domainId: domain.id,
      ...call.cause,
    });
    return deleted();
  } catch (error) {
    attachment.status = 'maintenance';
    throw refused(500, messageOf(error));
  } finally {
    unlock();
    context.changed();
  }
}

export const attachedDomainRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'datacenters/:dc/storagedomains',
    handler: (call) => {
      const dataCenter = dataCenterOf(call);
      return listing(call, {
        root: 'storage_domains',
        item: 'storage_domain',
        all: call.context.state.domains.filter((one) => one.attachment?.dataCenterId === dataCenter.id),
        fields: (one) => domainFields(call.context, one),
        view: (one) => domainView(call.context, one, dataCenter.id),
      });
    },
  },
  { method: 'POST', path: 'datacenters/:dc/storagedomains', handler: attachDomain },
  {
    method: 'GET',
    path: 'datacenters/:dc/storagedomains/:sd',
    handler: (call) => entity('storage_domain', domainView(call.context, attachedDomain(call), dataCenterOf(call).id)),
  },
  { method: 'DELETE', path: 'datacenters/:dc/storagedomains/:sd', handler: detachDomain },
  { method: 'POST', path: 'datacenters/:dc/storagedomains/:sd/activate', action: true, handler: activateDomain },
  { method: 'POST', path: 'datacenters/:dc/storagedomains/:sd/deactivate', action: true, handler: deactivateDomain },
];
