/** `Env` on a real host: monitors that keep the latest fact each, the board's file, and orders to VDSM. Nothing here waits. */
import type { Logger } from '../../../activities/vdsm/logger.ts';
import type { ActionResult, Alert, HealthFact, HostFact, LeaseFact, VmAction } from '../core/types.ts';
import type { BoardReading, Env, JournalEntry, LocalFacts } from '../env.ts';
import { readLocalMaintenance } from '../config/ha-conf.ts';
import type { CpuLoad } from './monitors/cpu.ts';
import type { HealthAnswer } from './monitors/health.ts';
import type { NetworkMonitor } from './monitors/network.ts';
import type { KeptFile } from './kept-file.ts';
import { repeat, type Repeated } from './repeat.ts';
import { orderFailure } from './vdsm/orders.ts';
import type { VdsmWatch } from './vdsm/watch.ts';
import type { WhiteboardFile } from './whiteboard-file.ts';

export interface LinuxEnvOptions {
  readonly bootMs: () => number;
  readonly vdsm: VdsmWatch;
  readonly network: NetworkMonitor;
  readonly cpu: CpuLoad;
  readonly lease: () => LeaseFact | undefined;
  readonly board: WhiteboardFile;
  readonly hostId: number;
  /** False: the slot is not ours to write (ha-agent.md 4.2). */
  readonly mayWrite: () => boolean;
  readonly health: (signal: AbortSignal) => Promise<HealthAnswer>;
  readonly healthEveryMs: number;
  readonly perform: (action: VmAction, signal: AbortSignal) => Promise<void>;
  readonly haConf: string;
  readonly definitionKnown: () => boolean;
  readonly shuttingDown: () => boolean;
  readonly journal: (entry: JournalEntry) => boolean;
  readonly alert: (alert: Alert) => void;
  readonly kept: KeptFile;
  readonly log: Logger;
  /** Something came in: the loop may want to look. */
  readonly poke: () => void;
}

const VITALS_MS = 60_000;
/** An order that VDSM does not answer within this is answered for it. */
const ORDER_MS = 25_000;

export interface LinuxEnv extends Env {
  /** This host's slot as it was to be written last. */
  ownSlot(): Buffer | undefined;
  /** Resolves when nothing waits to be written any more. */
  written(): Promise<void>;
  /** Why the board could not be read or written last; undefined: it could. */
  boardTrouble(): string | undefined;
  close(): void;
}

class HostEnv implements LinuxEnv {
  readonly #options: LinuxEnvOptions;
  readonly #done: ActionResult[] = [];
  readonly #health: Repeated;
  readonly #ending = new AbortController();
  #answer: HealthFact | undefined;
  #reading = false;
  #board: BoardReading | undefined;
  #trouble: string | undefined;
  #writing: Promise<void> | undefined;
  #ownSlot: Buffer | undefined;
  #waiting: Buffer | undefined;
  #globalWaiting: Buffer | undefined;
  #localMaintenance = false;

  constructor(options: LinuxEnvOptions) {
    this.#options = options;
    const every = options.healthEveryMs;
    this.#health = repeat(every, 20_000, (signal) => this.#askEngine(signal));
  }

  bootMs = () => this.#options.bootMs();
  wallMs = () => Date.now();

  facts(): LocalFacts {
    const { vdsm, lease } = this.#options;
    return {
      vm: vdsm.vm(),
      health: this.#answer,
      host: this.#host(),
      lease: lease(),
      storage: vdsm.storage(),
      localMaintenance: this.#maintenance(),
      done: this.#done.splice(0),
    };
  }

  #host(): HostFact | undefined {
    const { vdsm, network, cpu, bootMs, definitionKnown, shuttingDown } = this.#options;
    const seen = vdsm.host();
    const net = network.fact();
    const now = bootMs();
    // VDSM that hangs leaves these behind; then they are not known.
    const vitals = seen !== undefined && now - seen.atMs <= VITALS_MS ? seen : undefined;
    cpu.sample(now, vdsm.guest()?.cpuPercent);
    return {
      atMs: now,
      network: net.share,
      networkAtMs: net.atMs,
      bridgeUp: vitals?.bridgeUp,
      cpuLoad: cpu.mean(),
      memFreeMb: vitals?.memFreeMb,
      confUpToDate: definitionKnown(),
      shuttingDown: shuttingDown(),
    };
  }

  /** A local file of a few bytes; unreadable, the last word stands. */
  #maintenance(): boolean {
    try {
      this.#localMaintenance = readLocalMaintenance(this.#options.haConf).on;
    } catch (error) {
      this.#options.log.warn({ error: String(error) }, 'ha.conf can’t be read; local maintenance stays as it was');
    }
    return this.#localMaintenance;
  }

  /** Only where the VM runs: the page of an engine elsewhere says nothing about this host. */
  async #askEngine(signal: AbortSignal): Promise<void> {
    const { vdsm, health, bootMs, poke } = this.#options;
    const state = vdsm.vm()?.state;
    if (state !== 'up' && state !== 'leaving' && state !== 'stopping') {
      this.#answer = undefined;
      return;
    }
    const atMs = bootMs();
    const { engine, depth } = await health(signal);
    const guest = vdsm.guest();
    const progress = depth * 4 + (guest?.agent === true ? 2 : 0) + (guest?.address === true ? 1 : 0);
    const before = this.#answer?.engine;
    this.#answer = { atMs, engine, progress };
    if (before !== engine) poke();
  }

  readBoard(ids: readonly number[] | undefined): void {
    if (this.#reading) return;
    this.#reading = true;
    const { board, poke } = this.#options;
    board
      .read(ids)
      .then(({ startedMs, whole, global, slots }) => {
        this.#trouble = undefined;
        this.#board = { startedMs, whole, global, slots };
      })
      .catch((error: unknown) => (this.#trouble = orderFailure(error)))
      .finally(() => {
        this.#reading = false;
        poke();
      });
  }

  board = () => this.#board;
  ownSlot = () => this.#ownSlot;
  boardTrouble = () => this.#trouble;

  writeSlot(bytes: Buffer): void {
    this.#ownSlot = bytes;
    this.#waiting = bytes;
    this.#write();
  }

  writeGlobal(bytes: Buffer): void {
    this.#globalWaiting = bytes;
    this.#write();
  }

  /** Slot 0 first: it is the administrator's word, and it never waits for this host's own. */
  #write(): void {
    if (this.#writing !== undefined) return;
    const { board, hostId, mayWrite, log } = this.#options;
    const global = this.#globalWaiting;
    const slot = global === undefined ? this.#waiting : undefined;
    if (global !== undefined) this.#globalWaiting = undefined;
    else this.#waiting = undefined;
    if (global === undefined && (slot === undefined || !mayWrite())) return;
    const bytes = global ?? slot;
    if (bytes === undefined) return;
    this.#writing = board
      .write(global === undefined ? hostId : 0, bytes)
      .catch((error: unknown) => {
        this.#trouble = orderFailure(error);
        log.warn({ why: this.#trouble }, 'the board could not be written');
      })
      .finally(() => {
        this.#writing = undefined;
        this.#write();
      });
  }

  async written(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  order(id: number, action: VmAction): void {
    const { perform, log, vdsm, poke } = this.#options;
    log.info({ order: id, ...action }, `order ${id}: ${action.kind} the engine VM`);
    const limit = AbortSignal.any([AbortSignal.timeout(ORDER_MS), this.#ending.signal]);
    perform(action, limit)
      .then(() => this.#done.push({ id, ok: true, why: '' }))
      .catch((error: unknown) => {
        const why = limit.aborted ? `VDSM did not answer within ${ORDER_MS / 1000} s` : orderFailure(error);
        log.warn({ order: id, why }, `order ${id}: ${action.kind} failed`);
        this.#done.push({ id, ok: false, why });
      })
      .finally(() => {
        vdsm.lookNow();
        poke();
      });
  }

  journal = (entry: JournalEntry) => this.#options.journal(entry);
  alert = (alert: Alert) => this.#options.alert(alert);
  load = () => this.#options.kept.load();
  keep: Env['keep'] = (kept) => this.#options.kept.keep(kept);

  close(): void {
    this.#ending.abort();
    this.#health.stop();
  }
}

export function createLinuxEnv(options: LinuxEnvOptions): LinuxEnv {
  return new HostEnv(options);
}
