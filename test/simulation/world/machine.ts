/** Hosts as machines: power, freezing, storage paths; and the processes on them. */
import { startClock } from './clock.ts';
import { createHost, createProcess, type HostKind } from './new-host.ts';
import { finishReading, finishWriting } from './storage.ts';
import { endVm, pauseVm, resumeVm } from './vm.ts';
import { deadline, join, leave, renew, type SanlockHooks } from './sanlock.ts';
import { frozen, type PathMode, type SimHost, type SimProcess, type Worker, type World } from './world.ts';

const processesOf = (host: SimHost) => (host.extra === undefined ? [host.main] : [host.main, host.extra]);

export type MakeWorker = (world: World, host: SimHost, process: SimProcess) => Worker;

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
    const { world } = this;
    const timers = {
      renew: world.line.timer(() => renew(world, host)),
      deadline: world.line.timer(() => {
        world.line.touched = true;
        deadline(world, host, this.hooks);
      }),
    };
    const main = this.process(() => host, false);
    const host: SimHost = createHost(id, kind, { main, timers });
    world.hosts.push(host);
    return host;
  }

  private process(host: () => SimHost, second: boolean): SimProcess {
    const { world } = this;
    const made: SimProcess = createProcess(world.line, second, {
      wake: () => this.wake(host(), made),
      read: () => {
        if (finishReading(world, host(), made)) this.wake(host(), made);
      },
      write: () => finishWriting(world, host(), made),
    });
    return made;
  }

  /** A second worker beside the first: nobody should, somebody will. */
  startSecondWorker(host: SimHost): void {
    host.extra ??= this.process(() => host, true);
    this.startWorker(host, host.extra);
  }

  stopSecondWorker(host: SimHost): void {
    if (host.extra !== undefined) this.killWorker(host, host.extra);
  }

  /** The worker is called in `ms`, or sooner if it wants that anyway. */
  poke(host: SimHost, ms: number): void {
    this.pokeProcess(host.main, ms);
    if (host.extra !== undefined) this.pokeProcess(host.extra, ms);
  }

  pokeProcess(process: SimProcess, ms: number): void {
    const { line } = this.world;
    const at = this.world.now + ms;
    if (process.worker !== undefined && line.dueAt(process.wakeTimer) > at) line.arm(process.wakeTimer, at);
  }

  private wake(host: SimHost, process: SimProcess): void {
    const { world } = this;
    const { worker } = process;
    if (worker === undefined) return;
    const held = Math.max(host.frozenUntilMs, process.stoppedUntilMs);
    if (held > world.now) {
      // Monitors stand still with the process: their first news come a moment after it goes on.
      process.factsFromMs = held + world.random.between(0, 2000);
      world.line.arm(process.wakeTimer, held);
      return;
    }
    world.totals.turns += 1;
    process.aheadMs = 0;
    const next = worker.wake();
    const { aheadMs } = process;
    if (aheadMs > 0) {
      process.stoppedUntilMs = world.now + aheadMs;
      process.aheadMs = 0;
    }
    // A remainder of a float too small to move the clock would be waited for without end.
    const at = world.now + aheadMs + Math.max(1, next / (1 + host.clock.drift));
    if (world.line.dueAt(process.wakeTimer) > at) world.line.arm(process.wakeTimer, at);
  }

  startWorker(host: SimHost, process: SimProcess = host.main): void {
    if (!host.on || process.worker !== undefined) return;
    process.done = [];
    process.board = undefined;
    process.written = undefined;
    process.reading = undefined;
    process.lastFacts = undefined;
    process.stoppedUntilMs = 0;
    process.worker = this.make(this.world, host, process);
    this.pokeProcess(process, this.world.random.between(0, 1000));
  }

  killWorker(host: SimHost, process: SimProcess = host.main): void {
    process.worker = undefined;
    process.reading = undefined;
    this.world.line.disarm(process.wakeTimer);
    this.world.line.disarm(process.readTimer);
  }

  powerOn(host: SimHost, quickly = false): void {
    if (host.on) return;
    host.on = true;
    startClock(this.world, host);
    host.sampledLoss = host.loss;
    host.sampledMs = this.world.now;
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
    for (const process of processesOf(host)) {
      this.killWorker(host, process);
      process.writing = undefined;
      this.world.line.disarm(process.writeTimer);
    }
    Object.assign(host.sanlock, {
      running: false,
      joined: false,
      watchdogArmed: false,
      joining: 0,
    });
    this.world.line.disarm(host.sanlock.renewTimer);
    this.world.line.disarm(host.sanlock.deadlineTimer);
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
      host.main.worker?.stop();
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

  /** Everything on the host stands still, vCPUs included, until then. Asleep: its timers too; hung: they are late. */
  freeze(host: SimHost, ms: number, asleep = false): void {
    const untilMs = this.world.now + ms;
    if (host.frozenUntilMs <= this.world.now) {
      host.frozenFromMs = this.world.now;
      host.asleep = asleep;
    }
    host.frozenUntilMs = Math.max(host.frozenUntilMs, untilMs);
    const { vm } = host;
    if (vm?.executing !== true) return;
    vm.executing = false;
    this.world.watcher?.ended(host, 'frozen');
    const thaw = () => {
      if (frozen(this.world, host)) {
        this.world.despite(host, host.frozenUntilMs - this.world.now, thaw);
        return;
      }
      if (host.vm !== vm || vm.state === 'down' || vm.state === 'paused' || !vm.holds || vm.executing) return;
      vm.executing = true;
      this.world.watcher?.started(host);
    };
    this.world.despite(host, ms, thaw);
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
      for (const process of processesOf(host)) {
        process.reading = undefined;
        this.world.line.disarm(process.readTimer);
      }
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
