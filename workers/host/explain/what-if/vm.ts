/** VDSM, the engine VM and its lease, as simply as the forecast needs them. */
import type { VmAction } from '../../core/types.ts';
import {
  ASSUMED,
  fallsSilent,
  hostById,
  plan,
  REFERENCE_OUT_MS,
  renews,
  say,
  type VirtualHost,
  type VirtualVm,
  type VirtualWorld,
} from './world.ts';

const POLL_MS = 1000;

/** The VM ends on this host; its lease goes back when the host can still write. */
export function endVm(world: VirtualWorld, host: VirtualHost, exit: NonNullable<VirtualVm['exit']>): void {
  const { vm } = host;
  if (vm === undefined || vm.state === 'down') return;
  const ran = vm.runs;
  const stopped = host.memory.stopping !== undefined;
  Object.assign(vm, { runs: false, state: 'down', exit });
  if (world.lease.owner === host.id && exit !== 'migrated' && renews(host)) {
    world.lease.owner = undefined;
    world.lease.silentSinceMs = undefined;
  }
  if (host.basis === 'assumed' && exit === 'crashed' && !stopped) host.outUntilMs = world.now + REFERENCE_OUT_MS;
  host.poked = true;
  if (ran && host.on)
    say(world, host, 'vm', exit === 'migrated' ? 'the engine VM has left' : 'the engine VM has ended');
}

type Verdict = 'take' | 'refused' | 'wait';

function verdict(world: VirtualWorld, host: VirtualHost): Verdict {
  const { owner, silentSinceMs } = world.lease;
  if (owner === undefined || owner === host.id) return 'take';
  if (silentSinceMs === undefined) return 'refused';
  return world.now - silentSinceMs >= host.settings.timing.hostDeadMs ? 'take' : 'wait';
}

/** As sanlock does: at once, refused, or when the owner was silent for long enough. */
export function acquire(world: VirtualWorld, host: VirtualHost, vm: VirtualVm): void {
  if (host.vm !== vm || vm.state !== 'launching' || !host.on) return;
  if (!renews(host)) {
    endVm(world, host, 'failed');
    return;
  }
  const now = verdict(world, host);
  if (now === 'refused') endVm(world, host, 'lock-held');
  else if (now === 'wait') {
    if (!world.leaseWaited) say(world, host, 'vm', `its start waits for the lease of host ${world.lease.owner ?? 0}`);
    world.leaseWaited = true;
    plan(world, POLL_MS, () => acquire(world, host, vm));
  } else {
    Object.assign(world.lease, { owner: host.id, silentSinceMs: undefined });
    Object.assign(vm, { state: 'up', runs: true, healthyFromMs: world.now + ASSUMED.bootMs });
    host.poked = true;
    say(world, host, 'vm', 'the engine VM runs here');
  }
}

function start(world: VirtualWorld, host: VirtualHost): string {
  if (host.vm !== undefined && host.vm.state !== 'down') return 'Virtual machine already exists';
  if ((host.host?.memFreeMb ?? Number.POSITIVE_INFINITY) < host.settings.vmMemoryMb) return 'not enough memory';
  const vm: VirtualVm = {
    state: 'launching',
    exit: undefined,
    runs: false,
    bornMs: world.now,
    healthyFromMs: Number.POSITIVE_INFINITY,
  };
  host.vm = vm;
  host.poked = true;
  plan(world, ASSUMED.answerMs, () => acquire(world, host, vm));
  return '';
}

/** The guest ends after a while. */
export function stopGuest(world: VirtualWorld, host: VirtualHost): void {
  const { vm } = host;
  if (vm === undefined || !vm.runs) return;
  vm.state = 'stopping';
  host.poked = true;
  plan(world, ASSUMED.guestStopMs, () => {
    if (host.vm === vm && host.on) endVm(world, host, 'shutdown');
  });
}

/** The lease goes over with the vCPUs, at the end. */
export function migrate(world: VirtualWorld, host: VirtualHost, target: VirtualHost | undefined): string {
  const { vm } = host;
  const room = (target?.host?.memFreeMb ?? Number.POSITIVE_INFINITY) >= host.settings.vmMemoryMb;
  if (vm === undefined || !vm.runs || target === undefined || !renews(target) || !target.vdsm || !room)
    return 'Migration failed';
  vm.state = 'leaving';
  const arriving: VirtualVm = { ...vm, state: 'arriving', runs: false };
  target.vm = arriving;
  host.poked = true;
  target.poked = true;
  plan(world, ASSUMED.migrationMs, () => {
    if (host.vm !== vm || target.vm !== arriving || !vm.runs || !host.on) return;
    if (!renews(target) || !renews(host)) {
      endVm(world, target, 'failed');
      vm.state = 'up';
      host.poked = true;
      return;
    }
    endVm(world, host, 'migrated');
    Object.assign(world.lease, { owner: target.id, silentSinceMs: undefined });
    Object.assign(arriving, { state: 'up', runs: true });
    target.poked = true;
    say(world, target, 'vm', 'the engine VM has arrived, without an outage');
  });
  return '';
}

/** VDSM's answer comes a moment later; none at all while it does not answer. */
export function order(world: VirtualWorld, host: VirtualHost, id: number, action: VmAction): void {
  plan(world, ASSUMED.answerMs, () => {
    if (!host.vdsm || !host.on) return;
    let why = '';
    if (action.kind === 'start') why = start(world, host);
    else if (action.kind === 'shutdown') stopGuest(world, host);
    else if (action.kind === 'destroy') endVm(world, host, 'crashed');
    else why = migrate(world, host, hostById(world, action.to));
    host.done.push({ id, ok: why === '', why });
    host.poked = true;
    if (why !== '') say(world, host, 'vm', `VDSM refuses: ${why}`);
  });
}

/** sanlock ends the VM of a host that could not renew for 8 I/O time-outs. */
export function expire(world: VirtualWorld, host: VirtualHost): void {
  if (!host.on || host.storage || !host.joined) return;
  if (world.now - host.renewedMs < 8 * host.sanlock.ioSeconds * 1000) return;
  if (host.vm?.runs === true) say(world, host, 'vm', 'sanlock could not renew its lease and ends the engine VM');
  endVm(world, host, 'crashed');
  host.joined = false;
}

/** The host is gone from one moment to the next. */
export function loseHost(world: VirtualWorld, host: VirtualHost): void {
  fallsSilent(world, host);
  host.on = false;
  if (host.vm !== undefined) Object.assign(host.vm, { runs: false });
}
