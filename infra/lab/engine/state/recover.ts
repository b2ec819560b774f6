import type { Context } from '../context.ts';
import { attach, activate, deactivate } from '../work/domain-life.ts';
import { storageHost } from '../work/host-door.ts';
import { writeOvf } from '../ovf/writer.ts';

/**
 * Brings to an end what a killed engine left in the middle: jobs without a process become `unknown`, domains under
 * way go on, half imported VMs are finished (their record was complete before they were locked).
 */
export function recover(context: Context): void {
  const timed = new Set(context.state.timers.flatMap((timer) => (timer.what === 'disk' ? [timer.jobId] : [])));
  for (const host of context.state.hosts) if (host.installJob !== undefined) timed.add(host.installJob);
  for (const job of context.state.jobs) {
    if (job.status === 'started' && !job.external && !timed.has(job.id)) context.endJob(job.id, 'unknown');
  }
  for (const vm of context.state.vms) {
    // A new database has none yet. The unmanaged engine VM's is one without disks: the engine knows of none.
    if (vm.ovf === '') vm.ovf = writeOvf(context, vm);
    if (vm.status !== 'image_locked') continue;
    vm.status = 'down';
    vm.ovf = writeOvf(context, vm);
    context.state.unregistered = context.state.unregistered.filter((one) => one.id !== vm.id);
    context.changed();
  }
  for (const domain of context.state.domains) {
    const status = domain.attachment?.status;
    if (status === 'locked') context.inBackground(`attach ${domain.name}`, async () => await attach(context, domain));
    const host = storageHost(context);
    if (host === undefined || domain.attachment === undefined) continue;
    if (status === 'activating')
      context.inBackground(`activate ${domain.name}`, async () => await activate(context, domain, host));
    if (status === 'preparing_for_maintenance') {
      context.inBackground(`deactivate ${domain.name}`, async () => await deactivate(context, domain, host));
    }
  }
}
