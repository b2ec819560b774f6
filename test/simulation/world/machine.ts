/** Hosts as machines: power, freezing, storage paths; and the processes on them. */
import { createHost, type HostKind } from './new-host.ts';
import { endVm, pauseVm, resumeVm } from './vm.ts';
import { join, leave, type SanlockHooks } from './sanlock.ts';
import { frozen, type PathMode, type SimHost, type Worker, type World } from './world.ts';

export type MakeWorker = (world: World, host: SimHost) => Worker;

/** The world's hands: everything that faults and scenarios may do to hosts. */
export class Machines {
  readonly world: World;
  private readonly make: MakeWorker;

  constructor(world: World, make: MakeWorker) {
    this.world = world;
    this.make = make;
  }

  readonly hooks: SanlockHooks = {
    killVm: (host) => endVm(this.world, host, 'crashed', this.notify),
    reset: (host, why) => {
      this.world.say(`host ${host.id}: reset, ${why}`);
      this.powerOff(host);
      this.world.line.after(this.world.random.between(40_000, 120_000), () => this.powerOn(host));
    },
    changed: (host) => this.poke(host, 20),
  };

  /** An event reaches the worker, unless this host loses events. */
  readonly notify = (host: SimHost): void => {
    if (!host.loseEvents) this.poke(host, this.world.random.between(5, 200));
  };

  add(id: number, kind: HostKind): SimHost {
    const host = createHost(id, kind);
    this.world.hosts.push(host);
    return host;
  }

  /** The worker is called in `ms`, or sooner if it wants that anyway. */
  poke(host: SimHost, ms: number): void {
    const at = this.world.now + ms;
    if (!host.workerRuns || host.worker === undefined || host.wakeMs <= at) return;
    host.wakeMs = at;
    host.wakeNumber += 1;
    const number = host.wakeNumber;
    this.world.line.at(at, () => {
      if (host.wakeNumber === number) this.wake(host);
    });
  }

  private wake(host: SimHost): void {
    const { world } = this;
    host.wakeMs = Number.POSITIVE_INFINITY;
    if (!host.on || !host.workerRuns || host.worker === undefined) return;
    const held = Math.max(host.frozenUntilMs, host.workerStoppedUntilMs);
    if (held > world.now) {
      this.poke(host, held - world.now);
      return;
    }
    world.totals.turns += 1;
    const next = host.worker.wake();
    this.poke(host, next);
  }

  startWorker(host: SimHost): void {
    if (!host.on || host.workerRuns) return;
    host.workerRuns = true;
    host.wakeMs = Number.POSITIVE_INFINITY;
    host.done = [];
    host.board = undefined;
    host.reading = false;
    host.worker = this.make(this.world, host);
    this.poke(host, this.world.random.between(0, 1000));
  }

  killWorker(host: SimHost): void {
    host.workerRuns = false;
    host.worker = undefined;
    host.wakeNumber += 1;
  }

  powerOn(host: SimHost, quickly = false): void {
    if (host.on) return;
    host.on = true;
    host.bootedMs = this.world.now;
    host.shuttingDown = false;
    host.vdsm = 'ok';
    host.sanlock.running = true;
    host.sanlock.hung = false;
    this.world.say(`host ${host.id}: powered on`);
    const bootMs = quickly ? 0 : this.world.random.between(5000, 20_000);
    this.world.later(host, bootMs, () => join(this.world, host, this.hooks));
    this.world.later(host, bootMs + this.world.random.between(0, 3000), () => this.startWorker(host));
  }

  powerOff(host: SimHost): void {
    if (!host.on) return;
    const { vm } = host;
    host.on = false;
    host.life += 1;
    host.frozenUntilMs = 0;
    host.staleVm = undefined;
    host.writing = undefined;
    host.reading = false;
    host.staleHealth = undefined;
    // What a file keeps over a reboot counts as new then: the clock of before says nothing any more.
    const begin = (list: readonly number[]) => list.map(() => 0);
    if (host.kept !== undefined) {
      const { failures, engineRestarts, moves } = host.kept;
      host.kept = {
        failures: begin(failures),
        engineRestarts: begin(engineRestarts),
        moves: begin(moves),
        mine: undefined,
      };
    }
    this.killWorker(host);
    Object.assign(host.sanlock, {
      running: false,
      joined: false,
      watchdogArmed: false,
      deadlinePlanned: false,
      renewPlanned: false,
      joining: 0,
    });
    host.vm = undefined;
    if (vm?.executing === true) {
      vm.executing = false;
      this.world.watcher?.ended(host, 'host off');
    }
    this.world.say(`host ${host.id}: off`);
  }

  /** A clean one: the worker hears of it first, then the VM and sanlock end in good order. */
  shutDown(host: SimHost, returnMs: number): void {
    host.shuttingDown = true;
    this.world.say(`host ${host.id}: shuts down`);
    this.poke(host, 10);
    const end = () => {
      host.worker?.stop();
      endVm(this.world, host, 'shutdown', () => undefined);
      leave(host);
      this.world.later(host, 1000, () => {
        this.powerOff(host);
        this.world.line.after(returnMs, () => this.powerOn(host));
      });
    };
    const givenUpAt = this.world.now + 90_000;
    const wait = () => {
      if (host.vm?.executing !== true || this.world.now >= givenUpAt) end();
      else this.world.later(host, 500, wait);
    };
    this.world.later(host, 500, wait);
  }

  /** Everything on the host stands still, vCPUs included, until then. */
  freeze(host: SimHost, ms: number): void {
    host.frozenUntilMs = Math.max(host.frozenUntilMs, this.world.now + ms);
    const { vm } = host;
    if (vm?.executing !== true) return;
    vm.executing = false;
    this.world.watcher?.ended(host, 'frozen');
    const thaw = () => {
      if (frozen(this.world, host)) {
        this.world.later(host, host.frozenUntilMs - this.world.now, thaw);
        return;
      }
      if (host.vm !== vm || vm.state === 'down' || vm.state === 'paused' || !vm.holds || vm.executing) return;
      vm.executing = true;
      this.world.watcher?.started(host);
    };
    this.world.later(host, ms, thaw);
  }

  setPath(host: SimHost, mode: PathMode): void {
    const before = host.path;
    if (before === mode) return;
    host.path = mode;
    if (mode !== 'ok') {
      // The guest writes all the time: it meets the fault within seconds; a hang stops it without an error.
      this.world.later(host, this.world.random.between(500, 8000), () => {
        if (host.path === 'eio' || host.path === 'readonly') pauseVm(this.world, host, this.notify);
      });
      return;
    }
    this.world.later(host, this.world.random.between(100, 3000), () => {
      if (host.path !== 'ok') return;
      host.reading = false;
      if (!host.sanlock.joined) join(this.world, host, this.hooks);
      resumeVm(this.world, host, this.notify);
    });
  }

  setLoss(host: SimHost, loss: number): void {
    if (host.loss === loss) return;
    host.loss = loss;
    this.world.later(host, this.world.random.between(300, 5000), () => {
      if (host.loss !== loss) return;
      host.sampledLoss = loss;
      host.sampledMs = this.world.now;
      this.notify(host);
    });
  }
}
