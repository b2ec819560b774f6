/** `/storagedomains/{sd}/vms`: VMs of a domain, and those in its OVF_STORE that nobody imported (engine.md 8.3). */
import { flag, sub, text } from '../codec/body.ts';
import type { Node } from '../codec/tree.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { actionReply, deleted, entity, list, variable } from '../http/call.ts';
import { notFound } from '../http/engine-fault.ts';
import { OvfUnreadable, readOvf } from '../ovf/reader.ts';
import type { UnregisteredVm } from '../state/model.ts';
import { actions } from '../views/links.ts';
import { vmView } from '../views/vm.ts';
import { register } from '../work/import-vm.ts';
import { vmsOn } from '../work/ovf-update.ts';
import { named } from './data-centers.ts';
import { domainOf } from './storage-domains.ts';

/** What is known of an unregistered VM; of an unreadable one only its name. */
function unregisteredView(one: UnregisteredVm, full: boolean): Node {
  const base = `/storagedomains/${one.domainId}/vms/${one.id}`;
  return {
    id: one.id,
    href: base,
    name: one.name,
    status: 'down',
    ...facts(one),
    ...(full && { initialization: { configuration: { type: 'ovf', data: one.ovf } } }),
    actions: actions(base, 'import', 'register'),
    link: ['diskattachments', 'disks'].map((rel) => ({ href: `${base}/${rel}`, rel })),
  };
}

function facts(one: UnregisteredVm): Node {
  try {
    const ovf = readOvf(one.ovf);
    return {
      description: ovf.content['Description'] ?? '',
      comment: ovf.content['Comment'] ?? '',
      memory: ovf.memoryMb * 1024 * 1024,
      cpu: { topology: { sockets: ovf.sockets, cores: ovf.cores, threads: ovf.threads } },
      os: { type: ovf.os },
    };
  } catch (error) {
    if (error instanceof OvfUnreadable) return {};
    throw error;
  }
}

function entryOf(call: Call): UnregisteredVm {
  const domain = domainOf(call);
  const found = call.context.state.unregistered.find(
    (one) => one.domainId === domain.id && one.id === variable(call, 'vm'),
  );
  if (found === undefined) throw notFound();
  return found;
}

const unregistered = (call: Call) => call.parameters.flag('unregistered') === true;

function vms(call: Call): Reply {
  const { context } = call;
  const domain = domainOf(call);
  const nodes = unregistered(call)
    ? context.state.unregistered
        .filter((one) => one.domainId === domain.id)
        .map((one) => unregisteredView(one, call.allContent))
    : vmsOn(context, domain).map((vm) => vmView(context, vm, call.allContent));
  const max = call.parameters.int('max');
  return list('vms', 'vm', max === undefined || max < 0 ? nodes : nodes.slice(0, max));
}

function vm(call: Call): Reply {
  const known = vmsOn(call.context, domainOf(call)).find((one) => one.id === variable(call, 'vm'));
  if (known !== undefined && !unregistered(call)) return entity('vm', vmView(call.context, known, call.allContent));
  return entity('vm', unregisteredView(entryOf(call), call.allContent));
}

/** Blocks until the job ends unless the body says `async` (engine.md 4). */
async function registerVm(call: Call): Promise<Reply> {
  const { context, body } = call;
  const domain = domainOf(call);
  const cluster = named(context.state.clusters, sub(body, 'cluster'), 'Cluster');
  const name = text(body, 'vm', 'name');
  const registration = await register(
    context,
    domain,
    variable(call, 'vm'),
    {
      ...(cluster && { cluster }),
      ...(name !== undefined && name !== '' && { name }),
      allowPartialImport: flag(body, 'allow_partial_import') ?? false,
      reassignBadMacs: flag(body, 'reassign_bad_macs') ?? false,
      clone: flag(body, 'clone') ?? false,
    },
    call.cause,
  );
  const wantsAsync = flag(body, 'async') ?? false;
  if (wantsAsync) return actionReply(call, registration.jobId, 202);
  await registration.done;
  return actionReply(call, registration.jobId);
}

function forget(call: Call): Reply {
  const entry = entryOf(call);
  call.context.state.unregistered = call.context.state.unregistered.filter((one) => one !== entry);
  call.context.changed();
  return deleted();
}

export const unregisteredVmRoutes: readonly Route[] = [
  { method: 'GET', path: 'storagedomains/:sd/vms', handler: vms },
  { method: 'GET', path: 'storagedomains/:sd/vms/:vm', handler: vm },
  { method: 'DELETE', path: 'storagedomains/:sd/vms/:vm', handler: forget },
  { method: 'POST', path: 'storagedomains/:sd/vms/:vm/register', action: true, handler: registerVm },
  {
    method: 'GET',
    path: 'storagedomains/:sd/vms/:vm/diskattachments',
    handler: (call) => {
      const ovf = readOvf(entryOf(call).ovf);
      const base = `/storagedomains/${domainOf(call).id}/vms/${variable(call, 'vm')}/diskattachments`;
      return list(
        'disk_attachments',
        'disk_attachment',
        ovf.disks.map((disk) => ({
          id: disk.image,
          href: `${base}/${disk.image}`,
          interface: disk.interface,
          bootable: disk.boot,
          active: disk.plugged,
          disk: { id: disk.image, name: disk.alias },
        })),
      );
    },
  },
];
