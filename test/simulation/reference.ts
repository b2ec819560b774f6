/**
 * A model of the reference's agent (ha-agent.md 2), for clusters with both kinds: its states, guards, timers and score,
 * its 10 s loop, its 60 s liveness with a history of snapshots, its blocking orders. Its defects are kept where they
 * matter to others (no election, 560 s after a crash, one bad sample stops a VM, blocking on nothing).
 */
import { extraText, formatHostBlock } from '../../activities/storage/whiteboard.ts';
import { penalties } from '../../workers/host/core/score.ts';
import { parseGlobalBlock, formatGlobalBlock } from '../../activities/storage/whiteboard.ts';
import type { readSlot as readSlotType } from '../../workers/host/announce.ts';
import type { Env, LocalFacts } from '../../workers/host/env.ts';
import type { PeerReport, StateName, VmAction } from '../../workers/host/core/types.ts';
import type { Rest, Worker } from './world/world.ts';

type State =
  | 'ReinitializeFSM'
  | 'GlobalMaintenance'
  | 'LocalMaintenance'
  | 'UnknownLocalVmState'
  | 'EngineDown'
  | 'EngineStart'
  | 'EngineStarting'
  | 'EngineUp'
  | 'EngineUpBadHealth'
  | 'EngineStop'
  | 'EngineForceStop'
  | 'EngineMaybeAway'
  | 'EngineUnexpectedlyDown';

const LOOP_MS = 10_000;
const TIMERS: Partial<Record<State, { ms: number; to: State }>> = {
  EngineUpBadHealth: { ms: 300_000, to: 'EngineStop' },
  EngineStarting: { ms: 600_000, to: 'EngineStop' },
  EngineMaybeAway: { ms: 40_000, to: 'EngineUnexpectedlyDown' },
  EngineUnexpectedlyDown: { ms: 560_000, to: 'EngineDown' },
  EngineStop: { ms: 300_000, to: 'EngineForceStop' },
};
const ZERO: ReadonlySet<State> = new Set(['ReinitializeFSM', 'LocalMaintenance', 'EngineUnexpectedlyDown']);
const NO_LOCAL_GUARD: ReadonlySet<State> = new Set(['EngineUp', 'EngineUpBadHealth']);

interface Snapshot {
  readonly atMs: number;
  readonly peers: ReadonlyMap<number, PeerReport>;
}

interface View {
  readonly now: number;
  readonly facts: LocalFacts;
  readonly vm: 'up' | 'down' | 'down_unexpected' | 'unknown';
  readonly good: boolean;
  readonly alive: readonly PeerReport[];
  readonly enoughHistory: boolean;
}

export interface ReferenceOptions {
  readonly env: Env;
  readonly hostId: number;
  readonly vmMemoryMb: number;
  readonly readSlot: typeof readSlotType;
  /** Told before each order. */
  readonly onRule: (rule: string) => void;
  /** When, in the world's time, this host's clock shows that. */
  readonly worldMs: (bootMs: number) => number;
}

export function createReference(options: ReferenceOptions): Worker {
  const { env, hostId } = options;
  let state: State = 'ReinitializeFSM';
  let armedMs: number | undefined;
  let score = 0;
  let wasUp = false;
  let stopSent = false;
  let stopped = false;
  let orderId = 1;
  let global = false;
  let globalBlock: Buffer | undefined;
  let history: Snapshot[] = [];
  let nextMs = env.bootMs();
  let lastView: View | undefined;
  let lastSigned = '';
  let sameLoops = 0;

  function order(action: VmAction): void {
    options.onRule(state);
    env.order(orderId, action);
    orderId += 1;
  }

  function localVm(facts: LocalFacts, now: number): View['vm'] {
    const { vm } = facts;
    if (vm === undefined || now - vm.atMs > 2 * LOOP_MS) return 'unknown';
    if (vm.state === 'absent') return wasUp ? 'down_unexpected' : 'down';
    if (vm.state === 'down')
      return vm.exit === 'lock-held' || vm.exit === 'migrated' || !wasUp ? 'down' : 'down_unexpected';
    return vm.state === 'arriving' ? 'down' : 'up';
  }

  /** Alive: its timestamp differs from that in the newest snapshot older than 60 s, or it was not in that. */
  function look(): View {
    const now = env.bootMs();
    const facts = env.facts();
    const board = env.board();
    const peers = new Map<number, PeerReport>();
    if (board !== undefined) {
      for (const [id, bytes] of board.slots) {
        const slot = options.readSlot(id, bytes);
        if (slot.kind === 'host' && id !== hostId) peers.set(id, slot.report);
      }
      if (board.global !== undefined && board.global !== globalBlock) {
        globalBlock = board.global;
        global = parseGlobalBlock(board.global).maintenance ?? false;
      }
    }
    const old = history.find((snapshot) => now - snapshot.atMs > 60_000);
    const alive = old === undefined ? [] : [...peers.values()].filter((peer) => old.peers.get(peer.id)?.ts !== peer.ts);
    history = [{ atMs: now, peers }, ...history.filter((snapshot) => now - snapshot.atMs < 120_000)];
    const enoughHistory = now - (history.at(-1)?.atMs ?? now) > 60_000;
    const vm = localVm(facts, now);
    return { now, facts, vm, good: vm === 'up' && facts.health?.engine === 'good', alive, enoughHistory };
  }

  function guarded(v: View): State | undefined {
    if (state === 'LocalMaintenance') return v.facts.localMaintenance ? 'LocalMaintenance' : undefined;
    if (global) return 'GlobalMaintenance';
    if (v.vm === 'unknown' && state !== 'GlobalMaintenance') return 'UnknownLocalVmState';
    if (v.facts.localMaintenance && !NO_LOCAL_GUARD.has(state)) return 'LocalMaintenance';
    return undefined;
  }

  function running(v: View): State {
    const best = Math.max(0, ...v.alive.map((peer) => peer.score));
    if (v.vm === 'down') return 'EngineMaybeAway';
    if (v.vm === 'down_unexpected') return 'EngineUnexpectedlyDown';
    if (best >= score + 800) return 'EngineStop';
    return v.good ? 'EngineUp' : 'EngineUpBadHealth';
  }

  function down(v: View): State {
    if (v.vm === 'up') return 'EngineStarting';
    if (v.alive.some((peer) => peer.vm === 'up') || !v.enoughHistory) return 'EngineDown';
    const best = Math.max(0, ...v.alive.map((peer) => peer.score));
    return best <= score ? 'EngineStart' : 'EngineDown';
  }

  function stopping(v: View): State {
    if (v.vm !== 'up') return 'EngineDown';
    if (v.facts.vm?.state === 'paused') return 'EngineForceStop';
    if (!stopSent) order({ kind: 'shutdown' });
    stopSent = true;
    return 'EngineStop';
  }

  const steps: Readonly<Record<State, (v: View) => State>> = {
    ReinitializeFSM: (v) => (v.vm === 'up' ? 'EngineStarting' : 'EngineDown'),
    GlobalMaintenance: () => 'ReinitializeFSM',
    LocalMaintenance: () => 'ReinitializeFSM',
    UnknownLocalVmState: () => 'ReinitializeFSM',
    EngineDown: down,
    EngineStart: () => {
      order({ kind: 'start' });
      return 'EngineStarting';
    },
    EngineStarting: (v) => {
      if (v.vm === 'down') return 'EngineForceStop';
      if (v.vm === 'down_unexpected') return 'EngineMaybeAway';
      return v.good ? 'EngineUp' : 'EngineStarting';
    },
    EngineUp: running,
    EngineUpBadHealth: running,
    EngineStop: stopping,
    EngineForceStop: () => {
      order({ kind: 'destroy' });
      return 'EngineDown';
    },
    EngineMaybeAway: (v) => {
      if (v.vm === 'up') return 'EngineUp';
      if (v.vm === 'down_unexpected') return 'EngineUnexpectedlyDown';
      return v.vm === 'down' || v.alive.some((peer) => peer.vm === 'up') ? 'EngineDown' : 'EngineMaybeAway';
    },
    EngineUnexpectedlyDown: (v) => (v.vm === 'up' ? 'EngineUp' : 'EngineUnexpectedlyDown'),
  };

  function step(v: View): void {
    const timer = TIMERS[state];
    let next: State;
    if (timer !== undefined && armedMs !== undefined && armedMs + timer.ms < v.now) next = timer.to;
    else next = guarded(v) ?? steps[state](v);
    if (next !== state) {
      armedMs = undefined;
      stopSent = false;
      if (next === 'EngineDown' || next === 'EngineUnexpectedlyDown') wasUp = false;
    } else armedMs ??= v.now;
    state = next;
    if (v.vm === 'up') wasUp = true;
    const charged = penalties({
      host: v.facts.host,
      vmMemoryMb: options.vmMemoryMb,
      failures: 0,
      state: asOurs(state),
      global,
      outOfPlay: undefined,
    });
    score = ZERO.has(state)
      ? 0
      : Math.max(
          0,
          charged.reduce((rest, penalty) => rest - penalty.points, 3400),
        );
  }

  /** All that a loop goes by, but for its time. */
  function signature(v: View): string {
    const seen = v.alive.map((peer) => `${peer.id}.${peer.score}.${peer.vm}`).join(' ');
    return `${state} ${score} ${global} ${v.vm} ${v.good} ${v.enoughHistory} ${v.facts.localMaintenance} ${v.facts.storage?.ok} ${seen}`;
  }

  function publish(v: View): void {
    const bytes = blockOf(v);
    if (bytes !== undefined) env.writeSlot(bytes);
  }

  function blockOf(v: View): Buffer | undefined {
    const hostTs = Math.floor(v.now / 1000);
    const at = new Date(env.wallMs());
    const common = {
      hostTs,
      hostId,
      score: stopped ? 0 : score,
      confOnSharedStorage: true,
      localConfTimestamp: hostTs,
    };
    const own = { state: stopped ? 'AgentStopped' : state, stopped, maintenance: v.facts.localMaintenance };
    const block = formatHostBlock({
      ...common,
      engineStatus: { vm: v.vm, health: v.good ? 'good' : 'bad', detail: v.facts.vm?.detail ?? 'unknown' },
      hostname: `host${hostId}`,
      localMaintenance: v.facts.localMaintenance,
      stopped,
      extra: extraText({ ...common, at, confRefreshedAt: at, state: own }),
    });
    // Without the lock on its host id the broker writes nothing (ha-agent.md 4.2).
    return block.ok && v.facts.lease?.joined === true ? block.bytes : undefined;
  }

  const rest: Rest = {
    periodMs: LOOP_MS,
    untilMs() {
      if (sameLoops < 9) return undefined;
      const timer = TIMERS[state];
      return timer === undefined || armedMs === undefined
        ? Number.POSITIVE_INFINITY
        : options.worldMs(armedMs + timer.ms) - 2 * LOOP_MS;
    },
    skip(ms) {
      nextMs += ms;
      history = history.map(({ atMs, peers }) => ({ atMs: atMs + ms, peers }));
      return lastView && blockOf({ ...lastView, now: nextMs - LOOP_MS });
    },
  };

  return {
    agent: undefined,
    rest,
    wake() {
      const now = env.bootMs();
      if (now < nextMs) return nextMs - now;
      nextMs = now + LOOP_MS;
      const v = look();
      // Without its storage the loop stands still in the middle, and tells nobody anything.
      if (v.facts.storage?.ok !== true) {
        sameLoops = 0;
        env.readBoard(undefined);
        return LOOP_MS;
      }
      if (env.board() !== undefined) step(v);
      const signed = signature(v);
      sameLoops = signed === lastSigned ? sameLoops + 1 : 0;
      lastSigned = signed;
      lastView = v;
      publish(v);
      env.readBoard(undefined);
      return LOOP_MS;
    },
    setGlobal(on) {
      env.writeGlobal(formatGlobalBlock(on));
    },
    stop() {
      stopped = true;
      publish(look());
    },
  };
}

function asOurs(state: State): StateName {
  return state === 'EngineUp' || state === 'EngineUpBadHealth' || state === 'GlobalMaintenance' ? state : 'EngineDown';
}
