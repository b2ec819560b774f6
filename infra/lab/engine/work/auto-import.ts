/** The engine's own import of the hosted engine (engine.md 11.1). */
import { randomUUID } from 'node:crypto';

import type { Context } from '../context.ts';
import type { Connection, Domain } from '../state/model.ts';
import { dataCenterStatus } from '../views/data-center.ts';
import { attach, messageOf } from './domain-life.ts';
import { storageHost } from './host-door.ts';
import { register } from './import-vm.ts';

/**
 * One step: import and attach the domain, or, once it is active, import the VM. Nothing while the data center is not up
 * with an active master: the hosted-engine domain must never become the master.
 */
export async function autoImport(context: Context): Promise<void> {
  const { state, fixture } = context;
  const vm = state.vms.find((one) => one.origin === 'hosted_engine' && one.status === 'up');
  const [dataCenter] = state.dataCenters;
  if (vm === undefined || dataCenter === undefined || dataCenterStatus(context, dataCenter) !== 'up') return;
  if (!state.domains.some((one) => one.master && one.attachment?.status === 'active')) return;
  let release: () => void;
  try {
    release = context.lock('import the hosted engine', 'auto-import');
  } catch {
    return;
  }
  const cause = { correlationId: randomUUID(), userId: state.user.id };
  try {
    const domain = state.domains.find((one) => one.id === fixture.heDomain.id) ?? (await addDomain(context));
    if (domain.attachment === undefined) {
      domain.attachment = { dataCenterId: dataCenter.id, status: 'locked', correlationId: cause.correlationId };
      context.changed();
      await attach(context, domain);
    }
    if (domain.attachment?.status !== 'active') return;
    const { done } = await register(
      context,
      domain,
      vm.id,
      { allowPartialImport: false, reassignBadMacs: false, clone: false },
      cause,
    );
    await done;
  } catch (error) {
    // The real engine limits these to one in two hours: the log must not fill with one and the same line.
    const recent = state.events.some((one) => one.code === 10457 && Date.now() - one.time < 2 * 3_600_000);
    if (!recent)
      context.event(10457, 'error', `Failed to import the Hosted Engine VM: ${messageOf(error)}`, {
        vmId: vm.id,
        ...cause,
      });
  } finally {
    release();
  }
}

async function addDomain(context: Context): Promise<Domain> {
  const { heDomain } = context.fixture;
  const host = storageHost(context);
  if (host === undefined) throw new Error('no host is up');
  const connection: Connection = { id: randomUUID(), type: 'nfs', address: heDomain.server, path: heDomain.path };
  await context.gateway.connectStorage(host, connection);
  const [found] = await context.gateway.listDomains(host, connection);
  if (found === undefined) throw new Error(`no storage domain lies at ${heDomain.server}:${heDomain.path}`);
  const domain: Domain = {
    id: found.id,
    name: found.name,
    description: '',
    comment: '',
    type: 'data',
    connectionId: connection.id,
    format: found.format,
    master: false,
    totalBytes: 0,
    freeBytes: 0,
  };
  context.state.connections.push(connection);
  context.state.domains.push(domain);
  context.changed();
  return domain;
}
