/** Live migration of a VM: the scheduler's rules for the hosted-engine VM (ha-agent.md 3), and the move itself. */
import type { Cause, Context } from '../context.ts';
import type { Host, Vm } from '../state/model.ts';
import { messageOf } from './domain-life.ts';
import { isImaginary } from './host-door.ts';

/** SCHEDULING_ALL_HOSTS_FILTERED_OUT. */
export const NO_HOST_FITS = 'There is no host that satisfies current scheduling constraints. See below for details:';
/** A host whose score is so much lower is filtered out. */
const SCORE_MARGIN = 800;
const VM_MIGRATION_START = 62;
const VM_MIGRATION_DONE = 63;
const VM_MIGRATION_FAILED = 65;

/**
 * Highest score among the hosts that are up and may have it; the order of the hosts decides a tie.
 * @param wanted id of the only host that was asked for
 */
export function bestHostFor(context: Context, vm: Vm, wanted?: string): Host | undefined {
  const { hosts } = context.state;
  const here = hosts.find((host) => host.id === vm.hostId)?.ha?.score ?? 0;
  return hosts
    .filter((host) => host.id !== vm.hostId && (wanted ?? host.id) === host.id)
    .filter((host) => host.status === 'up' && !isImaginary(context, host))
    .filter(({ ha }) => ha?.configured === true && ha.score > Math.max(0, here - SCORE_MARGIN) && !ha.localMaintenance)
    .toSorted((a, b) => (b.ha?.score ?? 0) - (a.ha?.score ?? 0))[0];
}

/** @returns the job, which ends when the VM has moved or stayed */
export function startMigration(context: Context, vm: Vm, source: Host, target: Host, cause: Cause): string {
  const job = context.startJob(`Migrating VM ${vm.name}`, cause);
  const facts = { vmId: vm.id, hostId: source.id, ...cause };
  const route = `Source: ${source.name}, Destination: ${target.name}`;
  vm.status = 'migrating';
  context.event(VM_MIGRATION_START, 'normal', `Migration started (VM: ${vm.name}, ${route}).`, facts);
  context.inBackground(`migration of ${vm.name}`, async () => {
    try {
      await context.gateway.migrateVm(vm.id, source, target);
      context.event(VM_MIGRATION_DONE, 'normal', `Migration completed (VM: ${vm.name}, ${route}).`, facts);
      context.endJob(job.id, 'finished');
    } catch (error) {
      context.log(`migration of ${vm.name}: ${messageOf(error)}`);
      context.event(VM_MIGRATION_FAILED, 'error', `Migration failed (VM: ${vm.name}, ${route}).`, facts);
      context.endJob(job.id, 'failed');
    }
  });
  return job.id;
}
