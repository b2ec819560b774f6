/** VDSM, qemu and the engine inside: creation, boot, shutdown, migration, and how a VM ends. */
import type { VmAction } from '../../../workers/host/core/types.ts';
import { acquire, release } from './sanlock.ts';
import { frozen, type SimHost, type SimVm, type World } from './world.ts';

export type Answer = (ok: boolean, why: string) => void;

/** Tells the host's worker that something happened, unless events get lost just now. */
export type Notify = (host: SimHost) => void;

function newVm(world: World): SimVm {
  const { random } = world;
  world.vmNumber += 1;
  return {
    number: world.vmNumber,
    state: 'launching',
    exit: undefined,
    executing: false,
    holds: false,
    bornMs: world.now,
    healthyFromMs: Number.POSITIVE_INFINITY,
    sickUntilMs: 0,
    sickHow: 'bad',
    obeys: world.guestObeys && random.chance(0.9),
  };
}

function bootMs(world: World): number {
  if (world.boot === 'never') return Number.POSITIVE_INFINITY;
  return world.boot === 'slow' ? world.random.between(660_000, 840_000) : world.random.between(60_000, 180_000);
}

function runs(world: World, host: SimHost, vm: SimVm): void {
  vm.executing = true;
  vm.holds = true;
  vm.state = 'up';
  world.watcher?.started(host);
}

/** The VM ends on this host, whatever the reason; its lease goes back if the host can still write. */
export function endVm(world: World, host: SimHost, exit: NonNullable<SimVm['exit']>, notify: Notify): void {
  const { vm } = host;
  if (vm === undefined || vm.state === 'down') return;
  const ran = vm.executing;
  vm.executing = false;
  vm.state = 'down';
  vm.exit = exit;
  if (vm.holds) {
    vm.holds = false;
    release(world, host);
  }
  if (ran) {
    world.say(`host ${host.id}: the engine VM ended (${exit})`);
    world.watcher?.ended(host, exit);
  }
  notify(host);
}

function create(world: World, host: SimHost, answer: Answer, notify: Notify): void {
  if (host.vm !== undefined && host.vm.state !== 'down') {
    answer(false, 'Virtual machine already exists');
    return;
  }
  if (host.createFault === 'error' || host.memFreeMb < world.vmMemoryMb) {
    answer(false, 'Unexpected exception');
    return;
  }
  const vm = newVm(world);
  host.vm = vm;
  world.totals.starts += 1;
  answer(true, 'WaitForLaunch');
  notify(host);
  const still = () => host.vm === vm && vm.state === 'launching';
  acquire(world, host, still, (got) => {
    if (!got) {
      endVm(world, host, host.sanlock.joined && host.path === 'ok' ? 'lock-held' : 'failed', notify);
      return;
    }
    vm.healthyFromMs = world.now + bootMs(world);
    world.say(`host ${host.id}: the engine VM runs (VM ${vm.number})`);
    runs(world, host, vm);
    notify(host);
    if (host.createFault === 'exits')
      world.later(host, world.random.between(500, 20_000), () => {
        if (host.vm === vm) endVm(world, host, 'crashed', notify);
      });
  });
}

export function shutdownGuest(world: World, host: SimHost, notify: Notify): void {
  const { vm } = host;
  if (vm === undefined || !vm.executing) return;
  vm.state = 'stopping';
  notify(host);
  if (!vm.obeys) {
    world.later(host, 120_000, () => {
      if (host.vm === vm && vm.state === 'stopping') vm.state = 'up';
    });
    return;
  }
  world.later(host, world.random.between(4000, 40_000), () => {
    if (host.vm === vm && vm.executing && !frozen(world, host)) endVm(world, host, 'shutdown', notify);
  });
}

/** Live migration: the lease goes over with the vCPUs, in one instant (peers-ha.md 2.4 F3). */
export function migrate(world: World, host: SimHost, to: SimHost, answer: Answer, notify: Notify): void {
  const { vm } = host;
  const free = to.vm === undefined || to.vm.state === 'down';
  const able = to.on && to.vdsm === 'ok' && !frozen(world, to) && to.path === 'ok' && to.sanlock.joined && free;
  if (vm === undefined || vm.state !== 'up' || !able || !world.migrationNetworkUp || to.memFreeMb < world.vmMemoryMb) {
    answer(false, 'Migration failed');
    return;
  }
  answer(true, 'migrating');
  world.totals.migrations += 1;
  vm.state = 'leaving';
  const arriving: SimVm = { ...vm, state: 'arriving', executing: false, holds: false };
  to.vm = arriving;
  world.say(`host ${host.id}: the engine VM migrates to host ${to.id}`);
  notify(host);
  notify(to);
  const { life } = to;
  world.line.after(world.random.between(4000, 40_000), () => arrived(world, host, vm, to, arriving, life, notify));
}

function arrived(
  world: World,
  from: SimHost,
  vm: SimVm,
  to: SimHost,
  arriving: SimVm,
  life: number,
  notify: Notify,
): void {
  const here = from.vm === vm && vm.state === 'leaving' && vm.executing;
  const there =
    to.life === life && to.vm === arriving && to.on && !frozen(world, to) && to.path === 'ok' && to.sanlock.joined;
  if (
    !here ||
    !there ||
    from.migrationFails ||
    from.path !== 'ok' ||
    !world.migrationNetworkUp ||
    frozen(world, from)
  ) {
    if (to.vm === arriving && to.life === life) endVm(world, to, 'failed', notify);
    if (here) {
      vm.state = 'up';
      notify(from);
    }
    return;
  }
  vm.executing = false;
  vm.holds = false;
  vm.state = 'down';
  vm.exit = 'migrated';
  world.lease.owner = to.id;
  world.lease.generation = to.sanlock.generation;
  arriving.sickUntilMs = vm.sickUntilMs;
  arriving.healthyFromMs = vm.healthyFromMs;
  world.say(`host ${to.id}: the engine VM arrived from host ${from.id}`);
  world.watcher?.ended(from, 'migrated');
  runs(world, to, arriving);
  notify(from);
  notify(to);
}

/** EIO stops the guest; libvirt gives the lease up with it. */
export function pauseVm(world: World, host: SimHost, notify: Notify): void {
  const { vm } = host;
  if (vm === undefined || !vm.executing) return;
  if (vm.state === 'leaving') {
    for (const other of world.hosts) if (other.vm?.state === 'arriving') endVm(world, other, 'failed', notify);
  }
  vm.executing = false;
  vm.state = 'paused';
  vm.holds = false;
  release(world, host);
  world.say(`host ${host.id}: the engine VM is paused on an I/O error`);
  world.watcher?.ended(host, 'paused');
  notify(host);
}

/** VDSM resumes when the domain is back; libvirt must get the lease again, else the VM stays paused. */
export function resumeVm(world: World, host: SimHost, notify: Notify): void {
  const { vm } = host;
  if (vm === undefined || vm.state !== 'paused') return;
  acquire(
    world,
    host,
    () => host.vm === vm && vm.state === 'paused',
    (got) => {
      if (!got || vm.state !== 'paused') return;
      world.say(`host ${host.id}: VDSM resumed the engine VM with its lease`);
      runs(world, host, vm);
      notify(host);
    },
  );
}

/** An order as VDSM takes it; no answer at all while it hangs. */
export function vdsmOrder(world: World, host: SimHost, action: VmAction, answer: Answer, notify: Notify): void {
  const ask = () => {
    if (frozen(world, host)) {
      world.later(host, Math.max(1, host.frozenUntilMs - world.now), ask);
      return;
    }
    if (host.vdsm === 'hung') return;
    if (host.vdsm === 'down') answer(false, 'connection refused');
    else if (action.kind === 'start') create(world, host, answer, notify);
    else if (action.kind === 'shutdown') {
      answer(true, '');
      shutdownGuest(world, host, notify);
    } else if (action.kind === 'destroy') {
      answer(true, '');
      endVm(world, host, 'crashed', notify);
    } else {
      const to = world.host(action.to);
      if (to === undefined) answer(false, 'no such host');
      else migrate(world, host, to, answer, notify);
    }
  };
  world.later(host, world.random.between(30, 300) + host.vdsmSlowMs, ask);
}
