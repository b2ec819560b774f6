/** Watches the hosts as the engine's monitoring does (engine.md 9, 11.3). */
import type { Context } from '../context.ts';
import type { HostStats } from '../gateway.ts';
import type { Host, HostStatus, Vm, VmStatus } from '../state/model.ts';
import { isImaginary, setLocalMaintenance, statsOf } from './host-door.ts';
import { finishBoot, finishInstall, hostFacts, setHostStatus } from './host-life.ts';
import { finishUpgrade } from './host-upgrade.ts';

/** A host that is silent this long stops being `connecting` (`TimeoutToResetVdsInSeconds`). */
const GRACE_MS = 60_000;

/** Hosts in any other status are not polled, and what is known of them goes stale. */
const POLLED: readonly HostStatus[] = [
  'up',
  'initializing',
  'connecting',
  'unassigned',
  'non_operational',
  'non_responsive',
  'preparing_for_maintenance',
];

const VM_STATUS: Readonly<Record<string, VmStatus>> = {
  up: 'up',
  'powering up': 'powering_up',
  'powering down': 'powering_down',
  paused: 'paused',
  'migration source': 'migrating',
  'migration destination': 'migrating',
  waitforlaunch: 'wait_for_launch',
  rebootinprogress: 'reboot_in_progress',
  'saving state': 'saving_state',
  'restoring state': 'restoring_state',
};

export class Monitor {
  readonly #context: Context;
  /** A host whose last poll is still out is not asked again. */
  readonly #asked = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** One round: all polls at once, then the VMs. Resolves when each host has answered or failed. */
  async round(): Promise<void> {
    const hosts = this.#context.state.hosts.filter((host) => POLLED.includes(host.status) && !this.#asked.has(host.id));
    await Promise.all(hosts.map((host) => this.#poll(host)));
    placeVms(this.#context);
  }

  async #poll(host: Host): Promise<void> {
    this.#asked.add(host.id);
    try {
      const stats = await statsOf(this.#context, host);
      await answered(this.#context, host, stats);
    } catch {
      silent(this.#context, host);
    } finally {
      this.#asked.delete(host.id);
    }
  }
}

async function answered(context: Context, host: Host, stats: HostStats): Promise<void> {
  if (!POLLED.includes(host.status)) return;
  remember(context, host, stats);
  if (host.status === 'preparing_for_maintenance') {
    if (stats.vms.length > 0) return;
    if (stats.spm) await giveUpSpm(context, host);
    enterMaintenance(context, host);
    return;
  }
  if (host.status === 'up' || host.status === 'non_operational') return;
  if (host.status === 'unassigned') return setHostStatus(context, host, 'initializing');
  const recovered = host.status === 'connecting' || host.status === 'non_responsive';
  // Whatever its agent says: one that is just being deployed tells nothing yet (engine.md 11.3).
  if (!recovered && host.ha?.configured === true) await leaveLocalMaintenance(context, host);
  setHostStatus(context, host, 'up');
  context.event(13, 'normal', `Status of host ${host.name} was set to Up.`, hostFacts(host));
}

/** On the way to `up` the engine itself ends local HA maintenance; a failure is only an event. */
async function leaveLocalMaintenance(context: Context, host: Host): Promise<void> {
  try {
    await setLocalMaintenance(context, host, false);
  } catch {
    context.event(
      10454,
      'warning',
      `Host ${host.name} was activated, but the Hosted Engine HA service may still be in maintenance mode.`,
      hostFacts(host),
    );
  }
}

function remember(context: Context, host: Host, stats: HostStats): void {
  const vmIds = stats.vms.map((vm) => vm.id);
  const facts = () => JSON.stringify([host.ha, host.vmIds, host.memoryBytes, host.spm]);
  const before = facts();
  host.ha = stats.ha;
  host.spm = stats.spm;
  host.vmIds = vmIds;
  host.memoryBytes = stats.memoryBytes;
  if (facts() !== before) context.changed();
  for (const { id, status } of stats.vms) {
    const vm = context.state.vms.find((one) => one.id === id);
    if (vm === undefined || vm.status === 'image_locked') continue;
    const next = VM_STATUS[status.toLowerCase()] ?? 'unknown';
    if (vm.status !== next || vm.hostId !== host.id) {
      vm.status = next;
      vm.hostId = host.id;
      context.changed();
    }
  }
}

function silent(context: Context, host: Host): void {
  if (!POLLED.includes(host.status)) return;
  if (host.status === 'connecting') {
    if (context.now() - host.since < GRACE_MS) return;
    setHostStatus(context, host, 'non_responsive');
    context.event(12, 'error', `Host ${host.name} is non responsive.`, hostFacts(host));
    return;
  }
  if (host.status === 'non_responsive' || host.status === 'preparing_for_maintenance') return;
  setHostStatus(context, host, 'connecting');
  context.event(9026, 'warning', `Failed to connect to Host ${host.name}, it is tried again.`, hostFacts(host));
}

/** A host in maintenance is no SPM: another one becomes it first. */
async function giveUpSpm(context: Context, host: Host): Promise<void> {
  const next = context.state.hosts.find(
    (other) => other !== host && other.status === 'up' && !isImaginary(context, other),
  );
  const pool = context.state.clusters.find((cluster) => cluster.id === host.clusterId)?.dataCenterId;
  if (next === undefined || pool === undefined) return;
  try {
    await context.gateway.moveSpm(host, next, pool);
  } catch (error) {
    context.log(`SPM from ${host.name} to ${next.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function enterMaintenance(context: Context, host: Host): void {
  setHostStatus(context, host, 'maintenance', host.maintenanceReason ?? '');
  const reason = host.maintenanceReason;
  const withReason = reason === undefined || reason === '';
  context.event(
    withReason ? 600 : 620,
    'normal',
    withReason
      ? `Host ${host.name} was switched to Maintenance Mode.`
      : `Host ${host.name} was switched to Maintenance Mode. Reason: ${reason}.`,
    hostFacts(host),
  );
}

/** A VM that no answering host names is down; while its last host is silent nobody knows. */
function placeVms(context: Context): void {
  for (const vm of context.state.vms) {
    if (vm.status === 'down' || vm.status === 'image_locked') continue;
    if (context.state.hosts.some((host) => POLLED.includes(host.status) && host.vmIds.includes(vm.id))) {
      if (isSilent(context, vm) && vm.status !== 'unknown') change(context, vm, 'unknown');
      continue;
    }
    if (vm.hostId !== undefined) delete vm.hostId;
    change(context, vm, 'down');
  }
}

function isSilent(context: Context, vm: Vm): boolean {
  const holders = context.state.hosts.filter((host) => host.vmIds.includes(vm.id));
  return holders.length > 0 && holders.every((host) => host.status === 'non_responsive');
}

function change(context: Context, vm: Vm, status: VmStatus): void {
  if (vm.status === status) return;
  vm.status = status;
  context.changed();
}

/** Carries out timers that are due. */
export async function runTimers(context: Context): Promise<void> {
  const now = context.now();
  const due = context.state.timers.filter((timer) => timer.at <= now);
  if (due.length === 0) return;
  context.state.timers = context.state.timers.filter((timer) => timer.at > now);
  context.changed();
  for (const timer of due) {
    if (timer.what === 'disk') {
      const disk = context.state.disks.find((one) => one.id === timer.diskId);
      if (disk?.status === 'locked') disk.status = 'ok';
      context.endJob(timer.jobId, 'finished');
      continue;
    }
    const host = context.state.hosts.find((one) => one.id === timer.hostId);
    if (host === undefined) continue;
    if (timer.to === 'installed') await finishInstall(context, host);
    else if (timer.to === 'updated') await finishUpgrade(context, host);
    else finishBoot(context, host);
  }
}
