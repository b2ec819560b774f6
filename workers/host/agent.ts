/**
 * The loop over `Env`: look, decide, write down, act, tell. It never waits and holds no thread.
 *
 * The driver calls `wake()` when the time that the last call answered is over, and at once when something happened (a VM
 * event, a finished reading, an answer to an order, a wish of the administrator).
 */
import { formatGlobalBlock, parseGlobalBlock } from '../../activities/storage/whiteboard.ts';
import { readSlot, slotOf, type SlotReport } from './announce.ts';
import { decide } from './core/decide.ts';
import { emptyMemory } from './core/remember.ts';
import { look } from './core/situation.ts';
import type { BoardFact, Decision, Memory, Observation, PeerReport, Settings } from './core/types.ts';
import type { BoardReading, Env } from './env.ts';

/** The whole board is read so seldom because it is 8 MB (ha-agent.md 1.2). */
const WHOLE_BOARD_BEATS = 40;

export interface AgentOptions {
  readonly env: Env;
  readonly settings: Settings;
  readonly hostname: string;
  /** Replaceable so that tests can break it, and so that a simulation of many hosts parses a slot once. */
  readonly decide?: typeof decide;
  readonly readSlot?: typeof readSlot;
}

export interface Agent {
  /** Does what is due; milliseconds until it wants to be called again. */
  wake(): number;
  /** Sets or clears global maintenance; written until a later reading shows it. */
  setGlobal(on: boolean): void;
  /** The last block says that this worker has stopped; the VM stays as it is. */
  stop(): void;
  /** What was decided last, for `status` and `why`. */
  last(): { readonly observation: Observation; readonly decision: Decision } | undefined;
}

interface GlobalWish {
  readonly on: boolean;
  readonly sinceMs: number;
}

/** A wish is given up after this; whoever had it is told by re-reading. */
const WISH_MS = 60_000;

export function createAgent(options: AgentOptions): Agent {
  const { env, settings } = options;
  const { timing } = settings;
  const chosen = { decide: options.decide ?? decide, readSlot: options.readSlot ?? readSlot };
  const started = env.bootMs();
  let memory: Memory = emptyMemory(started, env.load());
  let known: readonly number[] = [];
  let beats = 0;
  let nextBeatMs = started;
  let reading: BoardReading | undefined;
  let fact: BoardFact | undefined;
  let wish: GlobalWish | undefined;
  let last: { observation: Observation; decision: Decision } | undefined;
  let wroteMs = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let readAskedMs = Number.NEGATIVE_INFINITY;

  /** A finished reading becomes the core's fact; slots that make no sense are named, and harm nobody else. */
  function takeBoard(): boolean {
    const latest = env.board();
    if (latest === undefined || latest === reading) return false;
    reading = latest;
    const peers: PeerReport[] = [];
    const unreadable: { id: number; why: string }[] = [];
    for (const [id, bytes] of latest.slots) {
      const slot: SlotReport = chosen.readSlot(id, bytes);
      if (slot.kind === 'host') peers.push(slot.report);
      else if (slot.kind === 'unreadable') unreadable.push({ id, why: slot.why });
    }
    if (latest.whole) known = [...latest.slots.keys()].filter((id) => id !== settings.hostId);
    const flag = latest.global === undefined ? undefined : parseGlobalBlock(latest.global);
    const global = flag === undefined ? undefined : flag.fault === undefined ? (flag.maintenance ?? false) : undefined;
    fact = { readMs: latest.startedMs, global, peers, unreadable };
    confirmWish(latest, global);
    return true;
  }

  /** Slot 0 has no owner: a flag stands only when a reading that began after the writing shows it. */
  function confirmWish(latest: BoardReading, global: boolean | undefined): void {
    if (wish === undefined || latest.startedMs <= wish.sinceMs) return;
    if (global === wish.on || env.bootMs() - wish.sinceMs > WISH_MS) wish = undefined;
    else env.writeGlobal(formatGlobalBlock(wish.on));
  }

  function observe(nowMs: number): Observation {
    const facts = env.facts();
    return { nowMs, settings, board: fact, ...facts };
  }

  /** The record comes before the act; a disk that is full is no reason to leave the engine down, but it is said. */
  function act(observation: Observation, decision: Decision): void {
    const changed = memory.rule !== decision.memory.rule || memory.state !== decision.memory.state;
    if (changed || decision.action !== undefined) {
      env.journal({
        atMs: observation.nowMs,
        hostId: settings.hostId,
        state: decision.memory.state,
        score: decision.score.value,
        order: decision.action?.action,
        reasons: decision.reasons,
      });
    }
    keepWhatCounts(decision.memory);
    const tooLate = env.bootMs() - observation.nowMs > timing.freshMs;
    memory = decision.memory;
    if (decision.action !== undefined) {
      // A frozen process wakes up in the middle of this function with facts of long ago.
      if (tooLate) memory = { ...memory, pending: undefined };
      else env.order(decision.action.id, decision.action.action);
    }
    for (const alert of decision.alerts) env.alert(alert);
  }

  function keepWhatCounts(next: Memory): void {
    const { failures, engineRestarts, moves, mine } = next;
    if (
      failures !== memory.failures ||
      engineRestarts !== memory.engineRestarts ||
      moves !== memory.moves ||
      mine !== memory.mine
    )
      env.keep({ failures, engineRestarts, moves, mine });
  }

  function tell(observation: Observation, decision: Decision, nowMs: number): void {
    const slot = slotOf(observation, decision, {
      hostname: options.hostname,
      wallMs: env.wallMs(),
      stopped,
      confMs: started,
      cannotRun: look(decision.memory, observation).cannotRun,
    });
    if (slot.ok) env.writeSlot(slot.bytes);
    wroteMs = nowMs;
  }

  function turn(nowMs: number, heard: boolean): void {
    const observation = observe(nowMs);
    const before = memory;
    const decision = chosen.decide(memory, observation);
    last = { observation, decision };
    act(observation, decision);
    const news =
      before.state !== decision.memory.state ||
      before.claim !== decision.memory.claim ||
      before.vmState !== decision.memory.vmState ||
      before.windows['network-lost'] !== decision.memory.windows['network-lost'];
    // Never before the first reading: another worker may be using this slot.
    if (fact !== undefined && (heard || news || nowMs - wroteMs >= timing.beatMs)) tell(observation, decision, nowMs);
  }

  function beat(nowMs: number): void {
    nextBeatMs = nowMs + timing.beatMs;
    readAskedMs = nowMs;
    env.readBoard(beats % WHOLE_BOARD_BEATS === 0 || reading === undefined ? undefined : known);
    beats += 1;
  }

  return {
    wake() {
      const nowMs = env.bootMs();
      const heard = takeBoard();
      const due = nowMs >= nextBeatMs;
      const hung = due && readAskedMs > (fact?.readMs ?? Number.NEGATIVE_INFINITY) && !heard;
      // At a beat the turn waits for its reading; without one within the beat it goes on with what is known.
      if (heard || !due || hung) turn(nowMs, heard);
      if (due) beat(nowMs);
      return Math.max(1, nextBeatMs - env.bootMs());
    },
    setGlobal(on) {
      wish = { on, sinceMs: env.bootMs() };
      env.writeGlobal(formatGlobalBlock(on));
    },
    stop() {
      stopped = true;
      const nowMs = env.bootMs();
      if (last !== undefined && fact !== undefined) tell(last.observation, last.decision, nowMs);
    },
    last: () => last,
  };
}
