/**
 * The truth: hosts, storage, leases, engine. Workers see it only through their `Env`; invariants are checked against it.
 *
 * Times in milliseconds of virtual time. `say` writes the story of a run that is told.
 */
import { formatGlobalBlock } from '../../../activities/storage/whiteboard.ts';
import type { Agent } from '../../../workers/host/agent.ts';
import type { ActionResult, Alert, HealthFact, VmAction, VmFact } from '../../../workers/host/core/types.ts';
import type { BoardReading, Kept, LocalFacts } from '../../../workers/host/env.ts';
import type { Timing } from '../../../workers/host/core/timing.ts';
import { Timeline } from '../queue.ts';
import type { Random } from '../random.ts';

export interface SimVm {
  readonly number: number;
  state: 'launching' | 'up' | 'paused' | 'stopping' | 'leaving' | 'arriving' | 'down';
  exit: 'lock-held' | 'migrated' | 'failed' | 'crashed' | 'shutdown' | undefined;
  /** vCPUs run. */
  executing: boolean;
  /** Holds the lease (a paused VM gave it up). */
  holds: boolean;
  bornMs: number;
  healthyFromMs: number;
  sickUntilMs: number;
  sickHow: 'bad' | 'unknown';
  obeys: boolean;
}

export type PathMode = 'ok' | 'hang' | 'eio' | 'readonly';

export interface Seen {
  changedMs: number;
  movedLastLook: boolean;
  stamp: number;
}

export interface SimSanlock {
  running: boolean;
  hung: boolean;
  joined: boolean;
  joining: number;
  generation: number;
  renewedMs: number;
  stamp: number;
  /** Renewals come this much late (slow storage). */
  slow: number;
  /** The VM's lease stays in its name when the VM has ended. */
  losesRelease: boolean;
  readonly seen: Map<number, Seen>;
  watchdogArmed: boolean;
  watchdogSeconds: number;
  readonly renewTimer: number;
  readonly deadlineTimer: number;
}

/** A process of the worker. There should be one on a host; a second can be started by mistake. */
export interface SimProcess {
  readonly second: boolean;
  worker: Worker | undefined;
  stoppedUntilMs: number;
  /** After a standstill the monitors know nothing newer than before it, until then. */
  factsFromMs: number;
  lastFacts: LocalFacts | undefined;
  /** How far the process is ahead of the world: a call of its took this long. */
  aheadMs: number;
  reading: { readonly ids: readonly number[] | undefined; readonly startedMs: number } | undefined;
  board: BoardReading | undefined;
  writing: Buffer | undefined;
  /** The last block of this process that reached the board. */
  written: Buffer | undefined;
  /** When somebody last wished for global maintenance through it. */
  wishedMs: number;
  done: ActionResult[];
  readonly wakeTimer: number;
  readonly readTimer: number;
  readonly writeTimer: number;
}

export interface HostClock {
  worldMs: number;
  bootMs: number;
  /** Share by which it runs faster than the world's. */
  drift: number;
}

export interface SimHost {
  readonly id: number;
  readonly kind: 'bellwether' | 'reference';
  on: boolean;
  /** Rises with each boot: what was planned before it does not happen any more. */
  life: number;
  bootedMs: number;
  readonly clock: HostClock;
  /** Nothing runs on it until then, and what was planned comes later by as much. */
  frozenUntilMs: number;
  frozenFromMs: number;
  /** Asleep, not hung: its timers stand still as well, and go on where they were. */
  asleep: boolean;
  path: PathMode;
  latencyMs: number;
  loseWrites: number;
  /** Share of probes lost. */
  loss: number;
  sampledLoss: number;
  sampledMs: number;
  bridgeUp: boolean;
  dnsUp: boolean;
  cpu: number;
  memFreeMb: number;
  /** The worker's own files: `full` takes nothing more, `slow` keeps it waiting at each record. */
  disk: 'ok' | 'full' | 'slow';
  wallOffsetMs: number;
  shuttingDown: boolean;
  /** As its administrator set it. */
  priority: number;
  localMaintenance: boolean;
  vdsm: 'ok' | 'down' | 'hung';
  vdsmSlowMs: number;
  /** What it says of the VM is up to this old. */
  newsEveryMs: number;
  /** What VDSM does to the next creations. */
  createFault: 'none' | 'error' | 'exits';
  loseEvents: boolean;
  migrationFails: boolean;
  staleVm: VmFact | undefined;
  staleHealth: HealthFact | undefined;
  readonly sanlock: SimSanlock;
  vm: SimVm | undefined;
  readonly main: SimProcess;
  /** A second worker, started by mistake. */
  extra: SimProcess | undefined;
  staleReads: boolean;
  staleEndedMs: number;
  kept: Kept | undefined;
  /** When what it kept was last lost, or could not be kept. */
  forgotMs: number;
}

export interface Worker {
  wake(): number;
  setGlobal(on: boolean): void;
  stop(): void;
  readonly agent: Agent | undefined;
  readonly rest: Rest;
}

/** How a worker stands when nothing happens: what leaps go by. */
export interface Rest {
  /** Milliseconds between its calls. */
  readonly periodMs: number;
  /** Until when it would do again and again what it does now, by all it knows itself; undefined: it does not rest. */
  untilMs(): number | undefined;
  /** As if it had been called until then: the block it would have written last. */
  skip(ms: number, lastMs: number): Buffer | undefined;
}

export interface Order {
  readonly host: SimHost;
  readonly process: SimProcess;
  readonly action: VmAction;
  readonly rule: string;
  /** By the host's own clock. */
  readonly bootMs: number;
}

export interface Watcher {
  /** Somebody does something to the cluster: what follows is not the cluster's own doing alone. */
  disturbed(): void;
  ordered(order: Order): void;
  /** A host's sanlock is in the lockspace. */
  joined(): void;
  started(host: SimHost): void;
  ended(host: SimHost, why: string): void;
  alerted(host: SimHost, alert: Alert): void;
  /** A block has reached the board. */
  published(host: SimHost, bytes: Buffer): void;
  violated(id: string, text: string): void;
}

export interface Totals {
  faults: number;
  failovers: number;
  starts: number;
  migrations: number;
  turns: number;
}

export class World {
  readonly line = new Timeline();
  readonly slots = new Map<number, Buffer>();
  /** When a slot was last written by nobody who may. */
  readonly slotSpoiltMs = new Map<number, number>();
  readonly oldSlots = new Map<number, Buffer>();
  global: Buffer = formatGlobalBlock(false);
  readonly lease = { owner: 0, generation: 0, free: true };
  readonly hosts: SimHost[] = [];
  readonly totals: Totals = { faults: 0, failovers: 0, starts: 0, migrations: 0, turns: 0 };
  readonly faultsBy = new Map<string, number>();
  story: ((text: string) => void) | undefined;
  watcher: Watcher | undefined;
  vmNumber = 0;
  /** How the engine boots from now on. */
  boot: 'normal' | 'slow' | 'never' = 'normal';
  guestObeys = true;
  /** For a twin run that must go exactly as its other (I10). */
  wildWallClocks = false;
  migrationNetworkUp = true;
  /** 0 unless a test breaks sanlock on purpose. */
  leaseGivenEarlyMs = 0;
  /** Parts of troubles that are still to come: 0 when nothing more is going to be done to the cluster. */
  troubles = 0;
  /** Beats that were not run, because they were known to come to nothing (leap.ts). */
  leapt = 0;
  readonly salt: number;
  private epoch = 0;

  random: Random;
  readonly timing: Timing;
  readonly vmMemoryMb = 16_384;

  constructor(random: Random, timing: Timing) {
    this.random = random;
    this.salt = random.integer(1, 2 ** 30);
    this.timing = timing;
  }

  get now(): number {
    return this.line.now;
  }

  say(text: string): void {
    this.story?.(text);
  }

  host(id: number): SimHost | undefined {
    // Hosts have the ids 1 to N, in order.
    return this.hosts[id - 1];
  }

  /** Plans something on a host, by its clock. It does not survive a power-off, and waits while the host stands still. */
  later(host: SimHost, ms: number, happen: () => void): void {
    const { life } = host;
    let fromMs = this.now;
    const due = () => {
      if (host.life !== life) return;
      if (host.frozenUntilMs <= this.now) return happen();
      // What was left when it fell asleep; what began during the sleep has all of it left.
      const leftMs = host.asleep ? this.now - Math.max(host.frozenFromMs, fromMs) : 0;
      fromMs = host.frozenUntilMs;
      this.line.at(host.frozenUntilMs + leftMs, due);
    };
    this.line.after(ms / (1 + host.clock.drift), due);
  }

  /** The same for what hardware does: it goes on while the host stands still. */
  despite(host: SimHost, ms: number, happen: () => void): void {
    const { life } = host;
    this.line.after(ms, () => {
      if (host.life === life) happen();
    });
  }

  /** Plans a part of some trouble; it does not happen any more once all is healed. */
  during(ms: number, happen: () => void): void {
    const { epoch } = this;
    this.troubles += 1;
    this.line.after(ms, () => {
      if (this.epoch !== epoch) return;
      this.troubles -= 1;
      this.watcher?.disturbed();
      happen();
    });
  }

  endTroubles(): void {
    this.epoch += 1;
    this.troubles = 0;
    this.watcher?.disturbed();
  }

  executing(): readonly SimHost[] {
    return this.hosts.filter((host) => host.vm?.executing === true);
  }
}

export function frozen(world: World, host: SimHost): boolean {
  return host.frozenUntilMs > world.now;
}
