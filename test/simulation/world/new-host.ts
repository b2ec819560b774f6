import type { Timeline } from '../queue.ts';
import type { SimHost, SimProcess } from './world.ts';

export type HostKind = SimHost['kind'];

export interface ProcessTimers {
  readonly wake: () => void;
  readonly read: () => void;
  readonly write: () => void;
}

/** No process yet: it begins when a worker is put into it. */
export function createProcess(line: Timeline, second: boolean, timers: ProcessTimers): SimProcess {
  return {
    second,
    worker: undefined,
    stoppedUntilMs: 0,
    factsFromMs: 0,
    lastFacts: undefined,
    aheadMs: 0,
    reading: undefined,
    board: undefined,
    writing: undefined,
    written: undefined,
    wishedMs: Number.NEGATIVE_INFINITY,
    done: [],
    wakeTimer: line.timer(timers.wake),
    readTimer: line.timer(timers.read),
    writeTimer: line.timer(timers.write),
  };
}

export interface HostParts {
  readonly main: SimProcess;
  readonly timers: { readonly renew: number; readonly deadline: number };
}

/** A host that is off, with everything in order. */
export function createHost(id: number, kind: HostKind, { main, timers }: HostParts): SimHost {
  return {
    id,
    kind,
    on: false,
    life: 0,
    bootedMs: 0,
    clock: { worldMs: 0, bootMs: 0, drift: 0 },
    frozenUntilMs: 0,
    frozenFromMs: 0,
    asleep: false,
    path: 'ok',
    latencyMs: 10,
    loseWrites: 0,
    loss: 0,
    sampledLoss: 0,
    sampledMs: 0,
    bridgeUp: true,
    dnsUp: true,
    cpu: 0.1,
    memFreeMb: 65_536,
    disk: 'ok',
    wallOffsetMs: 0,
    shuttingDown: false,
    priority: 0,
    localMaintenance: false,
    vdsm: 'ok',
    vdsmSlowMs: 0,
    newsEveryMs: 0,
    createFault: 'none',
    loseEvents: false,
    migrationFails: false,
    staleVm: undefined,
    staleHealth: undefined,
    sanlock: {
      running: false,
      hung: false,
      joined: false,
      joining: 0,
      generation: 0,
      renewedMs: 0,
      stamp: 0,
      slow: 0,
      losesRelease: false,
      seen: new Map(),
      watchdogArmed: false,
      watchdogSeconds: 60,
      renewTimer: timers.renew,
      deadlineTimer: timers.deadline,
    },
    vm: undefined,
    main,
    extra: undefined,
    staleReads: false,
    staleEndedMs: Number.NEGATIVE_INFINITY,
    kept: undefined,
    forgotMs: Number.NEGATIVE_INFINITY,
  };
}
