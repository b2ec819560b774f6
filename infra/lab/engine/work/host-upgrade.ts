/** Updates of a host: the look for them, their installation, and the reboot (engine.md 8.2; event codes as the engine's audit log has them). */
import type { Cause, Context, EventFacts } from '../context.ts';
import type { Host } from '../state/model.ts';
import { messageOf } from './domain-life.ts';
import { updatesOffered } from './host-door.ts';
import { hostFacts, REBOOT_MS, setHostStatus } from './host-life.ts';

const CHECK_MS = 2_000;
const UPDATE_MS = 8_000;
const POLL_MS = 250;

/** Events 884, then 885 or 839; `update_available` shows what was found. */
export function startUpgradeCheck(context: Context, host: Host, cause: Cause): void {
  context.event(884, 'normal', `Started to check for available updates on host ${host.name}.`, hostFacts(host, cause));
  context.inBackground(`updates of ${host.name}`, async () => {
    await context.sleep(CHECK_MS);
    if (context.ending) return;
    try {
      host.updateAvailable = await updatesOffered(context, host);
    } catch (error) {
      const why = `Failed to check for available updates on host ${host.name} with message '${messageOf(error)}'.`;
      return context.event(839, 'error', why, hostFacts(host, cause));
    }
    const found = host.updateAvailable ? 'found updates' : 'no updates';
    context.event(885, 'normal', `Check for available updates on host ${host.name} was completed with ${found}.`, {
      ...hostFacts(host, cause),
    });
  });
}

/** Waits for maintenance if the host is on its way there, then `installing`. @returns the job */
export function startUpgrade(context: Context, host: Host, plan: NonNullable<Host['plan']>, cause: Cause): string {
  const job = context.startJob(`Upgrading Host ${host.name}`, cause);
  host.plan = plan;
  host.installJob = job.id;
  context.event(840, 'normal', `Host ${host.name} upgrade was started (User: ${context.state.user.name}).`, {
    ...hostFacts(host, cause),
  });
  const begin = () => {
    setHostStatus(context, host, 'installing');
    context.state.timers.push({ at: context.now() + UPDATE_MS, what: 'host', hostId: host.id, to: 'updated' });
  };
  if (host.status === 'maintenance') begin();
  else
    context.inBackground(`maintenance of ${host.name}`, async () => {
      while (!context.ending && host.status === 'preparing_for_maintenance') await context.sleep(POLL_MS);
      if (host.status === 'maintenance') begin();
      else fail(context, host);
    });
  return job.id;
}

/** Its events carry the correlation id of whoever asked. */
function upgradeFacts(context: Context, host: Host): EventFacts {
  const job = context.state.jobs.find(({ id }) => id === host.installJob);
  return { ...hostFacts(host), ...(job && { correlationId: job.correlationId, userId: job.owner }) };
}

function fail(context: Context, host: Host): void {
  setHostStatus(context, host, 'install_failed');
  const text = `Failed to upgrade Host ${host.name} (User: ${context.state.user.name}).`;
  context.event(841, 'error', text, upgradeFacts(context, host));
  context.endJob(host.installJob, 'failed');
  delete host.plan;
  delete host.installJob;
}

/** The playbook's end: packages are there, then the reboot, of which the engine sees nothing: it only waits a fixed time. */
export async function finishUpgrade(context: Context, host: Host): Promise<void> {
  if (host.status !== 'installing') return;
  if (context.faults.updateFails(host.name)) return fail(context, host);
  const reboot = host.plan?.reboot === true;
  try {
    await context.gateway.installUpdates(host);
    if (reboot) await context.gateway.reboot(host);
  } catch (error) {
    context.log(`update of ${host.name}: ${messageOf(error)}`);
    return fail(context, host);
  }
  host.updateAvailable = false;
  context.endJob(host.installJob, 'finished');
  context.event(
    reboot ? 888 : 842,
    'normal',
    `Host ${host.name} upgrade was completed successfully${reboot ? ' and the host will be rebooted' : ''}.`,
    upgradeFacts(context, host),
  );
  setHostStatus(context, host, 'reboot');
  const wait = reboot ? REBOOT_MS : 0;
  context.state.timers.push({ at: context.now() + wait, what: 'host', hostId: host.id, to: 'booted' });
}
