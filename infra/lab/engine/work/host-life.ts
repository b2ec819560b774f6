import type { Cause, Context, EventFacts } from '../context.ts';
import type { Host, HostStatus } from '../state/model.ts';
import { afterHostDeploy, deployHostedEngine } from './host-door.ts';

const INSTALL_MS = 6_000;
export const REBOOT_MS = 4_000;
/** More hosts than this get a warning at deployment (`MAX_RECOMMENDED_HE_HOSTS`). */
const RECOMMENDED_HE_HOSTS = 7;

export function setHostStatus(context: Context, host: Host, status: HostStatus, detail = ''): void {
  if (host.status === status && host.statusDetail === detail) return;
  host.status = status;
  host.statusDetail = detail;
  host.since = context.now();
  if (status !== 'up') host.spm = false;
  context.changed();
}

export function hostFacts(host: Host, cause?: Cause): EventFacts {
  return {
    hostId: host.id,
    clusterId: host.clusterId,
    ...(cause && { correlationId: cause.correlationId, userId: cause.userId }),
  };
}

/** Starts an installation: the host is `installing` at once, the rest follows in lab time (engine.md 11.2). */
export function startInstall(context: Context, host: Host, plan: NonNullable<Host['plan']>, cause: Cause): string {
  const job = context.startJob(`Installing Host ${host.name}`, cause, ['validating', 'installing_host']);
  host.plan = plan;
  host.installJob = job.id;
  setHostStatus(context, host, 'installing');
  context.state.timers.push({ at: context.now() + INSTALL_MS, what: 'host', hostId: host.id, to: 'installed' });
  context.event(
    509,
    'normal',
    `Installing Host ${host.name}. Connected to host ${host.address} with SSH key fingerprint.`,
    hostFacts(host, cause),
  );
  if (plan.hostedEngine === 'deploy') {
    const deployed = context.state.hosts.filter((other) => other.ha?.configured === true).length;
    if (deployed >= RECOMMENDED_HE_HOSTS) {
      context.event(
        526,
        'warning',
        `More hosted engine hosts are deployed than the recommended ${RECOMMENDED_HE_HOSTS}.`,
        hostFacts(host, cause),
      );
    }
  }
  return job.id;
}

function fail(context: Context, host: Host, why: string): void {
  setHostStatus(context, host, 'install_failed');
  context.event(505, 'error', `Host ${host.name} installation failed. ${why}`, hostFacts(host));
  context.endJob(host.installJob, 'failed');
}

/** The playbook's end: outcome, hosted engine files, then reboot or the end. */
export async function finishInstall(context: Context, host: Host): Promise<void> {
  if (host.status !== 'installing') return;
  const outcome = context.faults.installOutcome(host.address);
  if (outcome === 'install_failed') return fail(context, host, 'Failed to execute Ansible host-deploy role.');
  try {
    await afterHostDeploy(context, host);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(context, host, `Failed to execute Ansible host-deploy post-tasks. ${why}`);
  }
  const action = host.plan?.hostedEngine;
  if (action !== undefined) {
    try {
      await deployHostedEngine(context, host, action);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fail(context, host, `Failed to fetch hosted engine configuration file. ${why}`);
    }
  }
  context.event(504, 'normal', `Host ${host.name} was installed.`, hostFacts(host));
  context.endJob(host.installJob, 'finished');
  if (outcome === 'non_operational') {
    setHostStatus(context, host, 'non_operational', 'network_unreachable');
    context.event(
      519,
      'warning',
      `Host ${host.name} does not comply with the cluster networks, the following networks are missing on host: 'ovirtmgmt'`,
      hostFacts(host),
    );
    return;
  }
  if (host.plan?.reboot === true) {
    setHostStatus(context, host, 'reboot');
    context.state.timers.push({ at: context.now() + REBOOT_MS, what: 'host', hostId: host.id, to: 'booted' });
    return;
  }
  finishBoot(context, host);
}

/** After the installation, and the reboot if there was one: monitored again, or left in maintenance. */
export function finishBoot(context: Context, host: Host): void {
  if (host.status !== 'reboot' && host.status !== 'installing') return;
  setHostStatus(context, host, host.plan?.activate === true ? 'initializing' : 'maintenance');
  delete host.plan;
  delete host.installJob;
}
