/**
 * The loop over `Env`: look, decide, write down, act, tell. It never waits and holds no thread.
 *
 * The driver calls `wake()` when the time that the last call answered is over, and at once when something happened (a VM
 * event, a finished reading, an answer to an order, a wish of the administrator).
 */
import { formatGlobalBlock, parseGlobalBlock, type GlobalReading } from '../../activities/storage/whiteboard.ts';
import { readSlot, slotOf } from './announce.ts';
import { decide } from './core/decide.ts';
import { emptyMemory } from './core/remember.ts';
import { hindranceOf } from './core/situation.ts';
import type { BoardFact, Decision, Memory, Observation, PeerReport, Settings } from './core/types.ts';
import type { BoardReading, Env } from './env.ts';

/** The whole board is read so seldom because it is 8 MB (ha-agent.md 1.2). */
const WHOLE_BOARD_BEATS = 40;
/** A wish for global maintenance is given up after this; whoever had it is told by re-reading. */
const WISH_MS = 60_000;

export interface AgentOptions {
  readonly env: Env;
  readonly settings: Settings;
  readonly hostname: string;
  /** Replaceable so that tests can break it, and so that a simulation of many hosts makes and parses a slot once. */
  readonly decide?: typeof decide;
  readonly readSlot?: typeof readSlot;
  readonly slotOf?: typeof slotOf;
}

export interface Agent {
  /** Does what is due; milliseconds until it wants to be called again. */
  wake(): number;
  /** Sets or clears global maintenance; written until a later reading shows it. */
  setGlobal(on: boolean): void;
  /** What may change while it runs: the administrator's preference, and what the engine VM needs. */
  change(settings: Partial<Pick<Settings, 'priority' | 'vmMemoryMb'>>): void;
  /** The last block says that this worker has stopped; the VM stays as it is. */
  stop(): void;
  /** What was decided last, for `status` and `why`. */
  last(): { readonly observation: Observation; readonly decision: Decision } | undefined;
}

/** The worker of one host; it begins at the first `wake()`. */
export function createAgent(options: AgentOptions): Agent {
  const loop = new Loop(options);
  return {
    wake: () => loop.wake(),
    setGlobal: (on) => loop.setGlobal(on),
    change: (settings) => loop.change(settings),
    stop: () => loop.stop(),
    last: () => loop.last,
  };
}

class Loop {
  last: { readonly observation: Observation; readonly decision: Decision } | undefined;
  private readonly env: Env;
  private settings: Settings;
  private readonly options: AgentOptions;
  private readonly decide: typeof decide;
  private readonly readSlot: typeof readSlot;
  private readonly slotOf: typeof slotOf;
  private readonly startedMs: number;
  private memory: Memory;
  private known: readonly number[] = [];
  private beats = 0;
  private nextBeatMs: number;
  private readAskedMs = Number.NEGATIVE_INFINITY;
  private reading: BoardReading | undefined;
  private fact: BoardFact | undefined;
  private flag: { readonly block: Buffer; readonly reading: GlobalReading } | undefined;
  private wish: { readonly on: boolean; readonly sinceMs: number } | undefined;
  private wroteMs = Number.NEGATIVE_INFINITY;
  private stopped = false;

  constructor(options: AgentOptions) {
    this.options = options;
    this.env = options.env;
    this.settings = options.settings;
    this.decide = options.decide ?? decide;
    this.readSlot = options.readSlot ?? readSlot;
    this.slotOf = options.slotOf ?? slotOf;
    this.startedMs = this.env.bootMs();
    this.nextBeatMs = this.startedMs;
    this.memory = emptyMemory(this.startedMs, this.env.load());
  }

  wake(): number {
    const nowMs = this.env.bootMs();
    const heard = this.takeBoard();
    const due = nowMs >= this.nextBeatMs;
    const hung = due && !heard && this.readAskedMs > (this.fact?.readMs ?? Number.NEGATIVE_INFINITY);
    // At a beat the turn waits for its reading; without one within the beat it goes on with what is known.
    if (heard || !due || hung) this.turn(nowMs, heard);
    if (due) this.beat(nowMs);
    return Math.max(1, this.nextBeatMs - this.env.bootMs());
  }

  setGlobal(on: boolean): void {
    this.wish = { on, sinceMs: this.env.bootMs() };
    this.env.writeGlobal(formatGlobalBlock(on));
  }

  change(settings: Partial<Pick<Settings, 'priority' | 'vmMemoryMb'>>): void {
    this.settings = { ...this.settings, ...settings };
  }

  stop(): void {
    this.stopped = true;
    if (this.last !== undefined && this.fact !== undefined)
      this.tell(this.last.observation, this.last.decision, this.env.bootMs());
  }

  private beat(nowMs: number): void {
    this.nextBeatMs = nowMs + this.settings.timing.beatMs;
    this.readAskedMs = nowMs;
    const whole = this.beats % WHOLE_BOARD_BEATS === 0 || this.reading === undefined;
    this.env.readBoard(whole ? undefined : this.known);
    this.beats += 1;
  }

  /** A finished reading becomes the core's fact; slots that make no sense are named, and harm nobody else. */
  private takeBoard(): boolean {
    const latest = this.env.board();
    if (latest === undefined || latest === this.reading) return false;
    this.reading = latest;
    const peers: PeerReport[] = [];
    const unreadable: { id: number; why: string }[] = [];
    for (const [id, bytes] of latest.slots) {
      const slot = this.readSlot(id, bytes);
      if (slot.kind === 'host') peers.push(slot.report);
      else if (slot.kind === 'unreadable') unreadable.push({ id, why: slot.why });
    }
    if (latest.whole) this.known = [...latest.slots.keys()].filter((id) => id !== this.settings.hostId);
    const flag = this.readGlobal(latest.global);
    const global = flag === undefined || flag.fault !== undefined ? undefined : (flag.maintenance ?? false);
    this.fact = { readMs: latest.startedMs, global, peers, unreadable };
    this.confirmWish(latest, global);
    return true;
  }

  /** Parsed once for each block: a simulation hands out the same one in thousands of beats. */
  private readGlobal(block: Buffer | undefined): GlobalReading | undefined {
    if (block === undefined) return undefined;
    if (this.flag?.block !== block) this.flag = { block, reading: parseGlobalBlock(block) };
    return this.flag.reading;
  }

  /** Slot 0 has no owner: a flag stands only when a reading that began after the writing shows it. */
  private confirmWish(latest: BoardReading, global: boolean | undefined): void {
    const { wish } = this;
    if (wish === undefined || latest.startedMs <= wish.sinceMs) return;
    if (global === wish.on || this.env.bootMs() - wish.sinceMs > WISH_MS) this.wish = undefined;
    else this.env.writeGlobal(formatGlobalBlock(wish.on));
  }

  private turn(nowMs: number, heard: boolean): void {
    const observation: Observation = { nowMs, settings: this.settings, board: this.fact, ...this.env.facts() };
    const before = this.memory;
    const decision = this.decide(before, observation);
    this.last = { observation, decision };
    this.act(before, observation, decision);
    const after = decision.memory;
    const news =
      before.state !== after.state ||
      before.claim !== after.claim ||
      before.vmState !== after.vmState ||
      before.windows['network-lost'] !== after.windows['network-lost'];
    const dueMs = this.wroteMs + this.settings.timing.beatMs;
    // Never before the first reading: another worker may be using this slot.
    if (this.fact !== undefined && (heard || news || nowMs >= dueMs)) this.tell(observation, decision, nowMs);
  }

  /** The record comes before the act; a disk that is full is no reason to leave the engine down. */
  private act(before: Memory, observation: Observation, decision: Decision): void {
    const { env } = this;
    const { action, memory } = decision;
    if (action !== undefined || before.rule !== memory.rule || before.state !== memory.state) {
      env.journal({
        atMs: observation.nowMs,
        hostId: this.settings.hostId,
        before,
        observation,
        decision,
        state: memory.state,
        score: decision.score.value,
        order: action?.action,
        reasons: decision.reasons,
      });
    }
    this.keepWhatCounts(before, memory);
    this.memory = memory;
    if (action !== undefined) {
      // A process that was frozen in the middle of this wakes up with facts of long ago.
      const tooLate = env.bootMs() - observation.nowMs > this.settings.timing.freshMs;
      if (tooLate) this.memory = { ...memory, pending: undefined };
      else env.order(action.id, action.action);
    }
    for (const alert of decision.alerts) env.alert(alert);
  }

  private keepWhatCounts(before: Memory, next: Memory): void {
    const { failures, engineRestarts, moves, mine } = next;
    if (
      failures !== before.failures ||
      engineRestarts !== before.engineRestarts ||
      moves !== before.moves ||
      mine !== before.mine
    )
      this.env.keep({ failures, engineRestarts, moves, mine });
  }

  private tell(observation: Observation, decision: Decision, nowMs: number): void {
    const slot = this.slotOf(observation, decision, {
      hostname: this.options.hostname,
      wallMs: this.env.wallMs(),
      stopped: this.stopped,
      confMs: this.startedMs,
      cannotRun: hindranceOf(decision.memory, observation),
    });
    if (slot.ok) this.env.writeSlot(slot.bytes);
    this.wroteMs = nowMs;
  }
}
