/**
 * sanlock by its timing rules (peers-ha.md 2.3, ha-agent.md 9.4): renewal every 2 io, failure after 8 io, another host may
 * take a lease 8 io + watchdog after it *last saw* the owner's renewal move. The watchdog resets who cannot be cleaned up.
 */
import { frozen, type SimHost, type World } from './world.ts';

export interface SanlockHooks {
  /** Ends the VM of a host at once (renewals failed). */
  killVm(host: SimHost): void;
  reset(host: SimHost, why: string): void;
  changed(host: SimHost): void;
}

export const io = (world: World) => world.timing.profile.ioSeconds * 1000;

function canWrite(world: World, host: SimHost): boolean {
  return host.on && !frozen(world, host) && host.path === 'ok';
}

/** Looks at all other hosts' renewals, as the daemon does at each of its own. */
function lookAround(world: World, host: SimHost): void {
  for (const other of world.hosts) {
    if (other === host) continue;
    const theirs = other.sanlock;
    const seen = host.sanlock.seen.get(other.id);
    if (seen === undefined) {
      host.sanlock.seen.set(other.id, {
        changedMs: world.now,
        movedLastLook: false,
        stamp: theirs.stamp,
      });
      continue;
    }
    seen.movedLastLook = seen.stamp !== theirs.stamp;
    if (seen.movedLastLook) seen.changedMs = world.now;
    seen.stamp = theirs.stamp;
  }
}

/** The renewal thread's moment. It stands still with its host, and goes on where it was after a sleep. */
export function renew(world: World, host: SimHost): void {
  const { sanlock } = host;
  if (frozen(world, host)) {
    world.line.arm(sanlock.renewTimer, host.frozenUntilMs + (host.asleep ? world.now - host.frozenFromMs : 0));
    return;
  }
  // After 8 io the lockspace has failed for good: a renewal that comes later is not made.
  if (!sanlock.running || !sanlock.joined || sanlock.renewedMs + 8 * io(world) <= world.now) return;
  if (canWrite(world, host) && !sanlock.hung) {
    sanlock.renewedMs = world.now;
    sanlock.stamp = Math.max(1, world.now);
    lookAround(world, host);
  }
  planRenewal(world, host, 2 * io(world) + sanlock.slow);
}

function planRenewal(world: World, host: SimHost, ms: number): void {
  const { renewTimer } = host.sanlock;
  if (world.line.dueAt(renewTimer) === Number.POSITIVE_INFINITY)
    world.line.arm(renewTimer, world.now + ms / (1 + host.clock.drift));
}

/** The moment when its last renewal would be too old. */
export function deadline(world: World, host: SimHost, hooks: SanlockHooks): void {
  const { sanlock } = host;
  if (!sanlock.joined) return;
  const at = sanlock.renewedMs + 8 * io(world);
  if (at > world.now) world.line.arm(sanlock.deadlineTimer, at);
  else renewalsFailed(world, host, hooks);
}

function renewalsFailed(world: World, host: SimHost, hooks: SanlockHooks): void {
  const { sanlock } = host;
  const fireMs = sanlock.renewedMs + 8 * io(world) + sanlock.watchdogSeconds * 1000 * world.random.between(0.68, 0.98);
  // The hardware's watchdog runs on while the host hangs or sleeps: with one that slept too, a host could wake up after its
  // lease was given away and run the VM until its sanlock looks, and no worker could help that.
  world.despite(host, Math.max(0, fireMs - world.now), () => {
    if (sanlock.watchdogArmed && sanlock.renewedMs + 8 * io(world) <= world.now)
      hooks.reset(host, 'the watchdog fired: sanlock could not renew');
  });
  const clean = () => {
    if (!sanlock.joined || sanlock.renewedMs + 8 * io(world) > world.now) return;
    if (frozen(world, host) || !sanlock.running || sanlock.hung) {
      world.later(host, 1000, clean);
      return;
    }
    world.say(`host ${host.id}: sanlock lost its renewals and ends the VM`);
    hooks.killVm(host);
    sanlock.joined = false;
    sanlock.watchdogArmed = false;
    hooks.changed(host);
    // What was started in the same trouble ended with it.
    world.watcher?.disturbed();
    // VDSM's monitor of the domain asks for the id again.
    world.later(host, 5000, () => join(world, host, hooks));
  };
  world.later(host, world.random.between(100, 3000), clean);
}

/** Joins the lockspace under the own id; takes 2 io and a bit (lab.md 1). Tries again while the storage is away. */
export function join(world: World, host: SimHost, hooks: SanlockHooks): void {
  const { sanlock } = host;
  if (sanlock.joined || sanlock.joining > world.now) return;
  const takesMs = 2 * io(world) + world.random.between(0, io(world));
  sanlock.joining = world.now + takesMs;
  world.later(host, takesMs, () => {
    if (sanlock.joined || !sanlock.running) return;
    if (!canWrite(world, host) || sanlock.hung) {
      // It is tried again when the storage is back (`setPath`); whatever else is in the way is asked again.
      if (host.path === 'ok' || host.path === 'readonly') world.later(host, 1000, () => join(world, host, hooks));
      return;
    }
    sanlock.joined = true;
    world.watcher?.joined();
    sanlock.generation += 1;
    sanlock.renewedMs = world.now;
    sanlock.stamp = Math.max(1, world.now);
    sanlock.watchdogArmed = true;
    sanlock.seen.clear();
    lookAround(world, host);
    planRenewal(world, host, 2 * io(world));
    if (world.line.dueAt(sanlock.deadlineTimer) === Number.POSITIVE_INFINITY)
      world.line.arm(sanlock.deadlineTimer, world.now + 8 * io(world));
    hooks.changed(host);
  });
}

function ownerStamp(world: World): number {
  return world.host(world.lease.owner)?.sanlock.stamp ?? 0;
}

/** By its record on the storage the owner left in good order, or is back in a later life. */
export function ownerGone(world: World): boolean {
  const owner = world.host(world.lease.owner)?.sanlock;
  return owner === undefined || owner.stamp === 0 || owner.generation > world.lease.generation;
}

/** What the acquirer would do now: take it, be refused, or wait. */
function verdict(world: World, host: SimHost, first: boolean, stampAtFirst: number): 'take' | 'refused' | 'wait' {
  const { lease } = world;
  if (lease.free || lease.owner === host.id) return 'take';
  const seen = host.sanlock.seen.get(lease.owner);
  if (seen === undefined) return 'wait';
  // The owner's own record is read anew for this; only how long it stood still is the renewal thread's knowledge.
  if (ownerGone(world)) return 'take';
  const stamp = ownerStamp(world);
  if (stamp !== seen.stamp || (first ? seen.movedLastLook : stamp !== stampAtFirst)) return 'refused';
  const deadMs = 8 * io(world) + host.sanlock.watchdogSeconds * 1000 - world.leaseGivenEarlyMs;
  return world.now - seen.changedMs >= deadMs ? 'take' : 'wait';
}

/** Asks for the engine VM's lease; answers `true` when it is this host's. Blocks as the real one does. */
export function acquire(world: World, host: SimHost, wanted: () => boolean, answer: (got: boolean) => void): void {
  let stamp = 0;
  const attempt = (first: boolean) => {
    if (!wanted()) return;
    const { sanlock } = host;
    if (frozen(world, host)) {
      world.later(host, 1000, () => attempt(first));
      return;
    }
    const failed = sanlock.renewedMs + 8 * io(world) <= world.now;
    if (!sanlock.running || !sanlock.joined || failed || !canWrite(world, host)) {
      answer(false);
      return;
    }
    if (first) stamp = ownerStamp(world);
    const now = sanlock.hung ? 'wait' : verdict(world, host, first, stamp);
    if (now === 'wait') world.later(host, 1000, () => attempt(false));
    else if (now === 'refused') answer(false);
    else {
      world.lease.owner = host.id;
      world.lease.generation = sanlock.generation;
      world.lease.free = false;
      answer(true);
    }
  };
  world.later(host, world.random.between(20, 400), () => attempt(true));
}

/** Given back when its holder ends, if the host can still write; else it stays until the host counts as dead. */
export function release(world: World, host: SimHost): void {
  if (host.sanlock.losesRelease) return;
  if (world.lease.owner !== host.id || world.lease.generation !== host.sanlock.generation) return;
  if (host.sanlock.running && host.sanlock.joined && canWrite(world, host)) world.lease.free = true;
}

/** The daemon is gone; nobody feeds the watchdog. */
export function daemonDies(world: World, host: SimHost, hooks: SanlockHooks): void {
  host.sanlock.running = false;
  // Its socket closes, also if it hung before.
  host.sanlock.hung = false;
  hooks.changed(host);
}

/** It comes back and forgets whom it had promised what: the old owner's lease is free with the next generation. */
export function daemonReturns(world: World, host: SimHost, hooks: SanlockHooks): void {
  if (host.sanlock.running) return;
  host.sanlock.running = true;
  host.sanlock.joined = false;
  host.sanlock.watchdogArmed = false;
  host.sanlock.joining = 0;
  join(world, host, hooks);
}

/** Leaves in good order: the id is free for all to see. */
export function leave(host: SimHost): void {
  host.sanlock.joined = false;
  host.sanlock.stamp = 0;
  host.sanlock.watchdogArmed = false;
}
