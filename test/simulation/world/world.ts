/**
 * The truth: hosts, storage, leases, engine. Workers see it only through their `Env`; invariants are checked against it.
 *
 * Times in milliseconds of virtual time. `say` writes the story of a run that is told.
 */
import { formatGlobalBlock } from '../../../activities/storage/whiteboard.ts';
import type { Agent } from '../../../workers/host/agent.ts';
import type { ActionResult, Alert, HealthFact, VmAction, VmFact } from '../../../workers/host/core/types.ts';
import type { BoardReading, JournalEntry, Kept } from '../../../workers/host/env.ts';
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
  readonly seen: Map<number, Seen>;
  watchdogArmed: boolean;
  watchdogSeconds: number;
  deadlinePlanned: boolean;
  renewPlanned: boolean;
}

export interface SimHost {
  readonly id: number;
  readonly kind: 'bellwether' | 'reference';
  on: boolean;
  /** Rises with each boot: what was planned before it does not happen any more. */
  life: number;
  bootedMs: number;
  frozenUntilMs: number;
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
  drift: number;
  wallOffsetMs: number;
  shuttingDown: boolean;
  localMaintenance: boolean;
  vdsm: 'ok' | 'down' | 'hung';
  vdsmSlowMs: number;
  /** What VDSM does to the next creations. */
  createFault: 'none' | 'error' | 'exits';
  loseEvents: boolean;
  migrationFails: boolean;
  staleVm: VmFact | undefined;
  staleHealth: HealthFact | undefined;
  readonly sanlock: SimSanlock;
  vm: SimVm | undefined;
  worker: Worker | undefined;
  workerRuns: boolean;
  workerStoppedUntilMs: number;
  wakeMs: number;
  wakeNumber: number;
  reading: boolean;
  board: BoardReading | undefined;
  writing: Buffer | undefined;
  staleReads: boolean;
  done: ActionResult[];
  kept: Kept | undefined;
  journal: JournalEntry[];
}

export interface Worker {
  wake(): number;
  setGlobal(on: boolean): void;
  stop(): void;
  readonly agent: Agent | undefined;
}

export interface Order {
  readonly host: SimHost;
  readonly action: VmAction;
  readonly rule: string;
}

export interface Watcher {
  ordered(order: Order): void;
  started(host: SimHost): void;
  ended(host: SimHost, why: string): void;
  alerted(host: SimHost, alert: Alert): void;
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
  migrationNetworkUp = true;
  /** 0 unless a test breaks sanlock on purpose. */
  leaseGivenEarlyMs = 0;
  private epoch = 0;

  readonly random: Random;
  readonly timing: Timing;
  readonly vmMemoryMb = 16_384;

  constructor(random: Random, timing: Timing) {
    this.random = random;
    this.timing = timing;
  }

  get now(): number {
    return this.line.now;
  }

  say(text: string): void {
    this.story?.(text);
  }

  host(id: number): SimHost | undefined {
    return this.hosts.find((host) => host.id === id);
  }

  /** Plans something on a host that does not survive its power-off. */
  later(host: SimHost, ms: number, happen: () => void): void {
    const { life } = host;
    this.line.after(ms, () => {
      if (host.life === life) happen();
    });
  }

  /** Plans a part of some trouble; it does not happen any more once all is healed. */
  during(ms: number, happen: () => void): void {
    const { epoch } = this;
    this.line.after(ms, () => {
      if (this.epoch === epoch) happen();
    });
  }

  endTroubles(): void {
    this.epoch += 1;
  }

  executing(): readonly SimHost[] {
    return this.hosts.filter((host) => host.vm?.executing === true);
  }
}

export function frozen(world: World, host: SimHost): boolean {
  return host.frozenUntilMs > world.now;
}
