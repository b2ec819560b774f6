/** From facts to memory: what happened since the turn before, before any rule is asked. */
import { hearPeers, isAlive } from './peers.ts';
import type { Timing } from './timing.ts';
import type { Memory, Observation, VmFact, VmState } from './types.ts';

/** A worker that knows nothing yet. `kept` is what an earlier one on this host wrote down. */
export function emptyMemory(nowMs: number, kept: Partial<Memory> = {}): Memory {
  return {
    startedMs: nowMs,
    lookedMs: nowMs,
    boardSinceMs: undefined,
    state: 'StartState',
    rule: 'board-unread',
    sinceMs: nowMs,
    global: false,
    peers: new Map(),
    mine: undefined,
    progress: { value: 0, changedMs: nowMs },
    vmState: 'absent',
    vmChangedMs: nowMs,
    failures: [],
    engineRestarts: [],
    moves: [],
    failedMoves: [],
    windows: {},
    stopping: undefined,
    movingTo: undefined,
    pending: undefined,
    actedMs: Number.NEGATIVE_INFINITY,
    nextActionId: 1,
    claim: '',
    alerted: [],
    score: 0,
    ...kept,
  };
}

type Draft = { -readonly [Field in keyof Memory]: Memory[Field] };

/** A copy to write to. Spelled out: a spread of so many fields takes ten times as long, and every turn needs some. */
export function draftOf(m: Memory): Draft {
  return {
    startedMs: m.startedMs,
    lookedMs: m.lookedMs,
    boardSinceMs: m.boardSinceMs,
    state: m.state,
    rule: m.rule,
    sinceMs: m.sinceMs,
    global: m.global,
    peers: m.peers,
    mine: m.mine,
    progress: m.progress,
    vmState: m.vmState,
    vmChangedMs: m.vmChangedMs,
    failures: m.failures,
    engineRestarts: m.engineRestarts,
    moves: m.moves,
    failedMoves: m.failedMoves,
    windows: m.windows,
    stopping: m.stopping,
    movingTo: m.movingTo,
    pending: m.pending,
    actedMs: m.actedMs,
    nextActionId: m.nextActionId,
    claim: m.claim,
    alerted: m.alerted,
    score: m.score,
  };
}

const GONE: ReadonlySet<VmState> = new Set(['absent', 'down']);
/** Something of the VM is here, running or about to. */
export function isHere(state: VmState): boolean {
  return !GONE.has(state);
}

/** Lists in memory are bounded, whatever happens. */
const KEPT_EVENTS = 16;
function noted(list: readonly number[], atMs: number): readonly number[] {
  return [...list.slice(1 - KEPT_EVENTS), atMs];
}

function recent(list: readonly number[], sinceMs: number): readonly number[] {
  return list.length === 0 || (list[0] ?? 0) > sinceMs ? list : list.filter((at) => at > sinceMs);
}

/** The VM left this host: by whom, and is that a failure of this host? */
function vmGone(memory: Memory, vm: VmFact, nowMs: number, timing: Timing): Memory {
  const base: Memory = { ...memory, stopping: undefined, movingTo: undefined };
  if (vm.exit === 'migrated') {
    return { ...base, mine: undefined, claim: '', windows: { ...memory.windows, given: nowMs } };
  }
  // Another host has it, or just had: its next renewals will tell. Until they do, this one must not ask again and again.
  if (vm.exit === 'lock-held') {
    return {
      ...base,
      mine: undefined,
      claim: '',
      windows: { ...memory.windows, given: nowMs - timing.givenMs + timing.ownerSilentMs },
    };
  }
  if (memory.stopping?.why === 'move') return { ...base, mine: undefined };
  if (memory.stopping?.why === 'restart') return { ...base, claim: 'restart' };
  if (memory.vmState === 'arriving') return { ...base, mine: undefined, claim: '' };
  return { ...base, failures: noted(memory.failures, nowMs), claim: memory.mine === undefined ? '' : 'restart' };
}

function vmSeen(memory: Memory, vm: VmFact, nowMs: number, timing: Timing): Memory {
  if (vm.atMs <= memory.actedMs) return memory;
  let next = memory;
  if (vm.state !== memory.vmState) {
    if (isHere(memory.vmState) && !isHere(vm.state)) next = vmGone(next, vm, nowMs, timing);
    next = { ...next, vmState: vm.state, vmChangedMs: nowMs };
    if (vm.state === 'leaving') next = { ...next, claim: 'moving' };
    else if (memory.vmState === 'leaving' && vm.state === 'up') next = { ...next, claim: '' };
  }
  if (vm.state === 'up' && next.mine === undefined) {
    next = {
      ...next,
      mine: { sinceMs: nowMs, healthyMs: undefined },
      progress: { value: next.progress.value, changedMs: nowMs },
      claim: '',
    };
  } else if (vm.state === 'up' && memory.vmState !== 'up' && memory.vmState !== 'paused' && next.mine !== undefined) {
    const healthyMs = memory.vmState === 'leaving' || memory.vmState === 'stopping' ? next.mine.healthyMs : undefined;
    next = {
      ...next,
      mine: { sinceMs: nowMs, healthyMs },
      progress: { value: next.progress.value, changedMs: nowMs },
      claim: '',
    };
  }
  return next;
}

function healthSeen(memory: Memory, o: Observation): Memory {
  const { health } = o;
  if (health === undefined || memory.mine === undefined || memory.vmState !== 'up') return memory;
  let next = memory;
  if (health.progress !== memory.progress.value) {
    next = { ...next, progress: { value: health.progress, changedMs: o.nowMs } };
  }
  if (health.engine === 'good' && memory.mine.healthyMs === undefined && health.atMs >= memory.mine.sinceMs) {
    next = { ...next, mine: { ...memory.mine, healthyMs: o.nowMs }, alerted: [] };
  }
  return next;
}

/** Answers to what was ordered. */
function resultsSeen(memory: Memory, o: Observation): Memory {
  let next = memory;
  for (const result of o.done) {
    if (next.pending === undefined || next.pending.id !== result.id) continue;
    const { action } = next.pending;
    next = { ...next, pending: undefined, actedMs: o.nowMs };
    if (result.ok) {
      // Accepted: it is launching, whether or not a look comes in time to see that before it fails.
      if (action.kind === 'start' && !isHere(next.vmState))
        next = { ...next, vmState: 'launching', vmChangedMs: o.nowMs };
      continue;
    }
    if (action.kind === 'start') next = { ...next, failures: noted(next.failures, o.nowMs), claim: '' };
    if (action.kind === 'migrate') {
      next = { ...next, failedMoves: [...next.failedMoves.slice(-7), { to: action.to, atMs: o.nowMs }], claim: '' };
    }
  }
  const { pending } = next;
  if (pending !== undefined && o.nowMs - pending.sinceMs > o.settings.timing.actionMs) {
    next = { ...next, pending: undefined, actedMs: o.nowMs };
  }
  return next;
}

/** A migration that ended with the VM still here was a failed one. */
function movesSeen(before: Memory, after: Memory, o: Observation): Memory {
  if (before.vmState !== 'leaving' || (after.vmState !== 'up' && after.vmState !== 'paused')) return after;
  const failed = { to: before.movingTo ?? 0, atMs: o.nowMs };
  return { ...after, movingTo: undefined, failedMoves: [...after.failedMoves.slice(-7), failed] };
}

function runsElsewhere(memory: Memory, o: Observation): boolean {
  for (const peer of memory.peers.values())
    if (peer.report.vm === 'up' && isAlive(peer, o.nowMs, o.settings.timing)) return true;
  return false;
}

/** Memory with everything of this observation in it, before the rules. */
export function remember(memory: Memory, o: Observation): Memory {
  const { timing } = o.settings;
  let next: Memory = resultsSeen(memory, o);
  if (o.board !== undefined) {
    const draft = draftOf(next);
    draft.boardSinceMs = next.boardSinceMs ?? o.board.readMs;
    draft.global = o.board.global ?? next.global;
    draft.peers = hearPeers(next, o);
    next = draft;
  }
  if (o.vm !== undefined) next = movesSeen(next, vmSeen(next, o.vm, o.nowMs, timing), o);
  next = healthSeen(next, o);
  // It is another host's by now: if it ends there, it does not belong here any more.
  if (next.mine !== undefined && !isHere(next.vmState) && runsElsewhere(next, o)) next = { ...next, mine: undefined };
  const failures = recent(next.failures, o.nowMs - timing.failureFadeMs);
  const engineRestarts = recent(next.engineRestarts, o.nowMs - timing.engineRestartWindowMs);
  const moves = recent(next.moves, o.nowMs - 3_600_000);
  if (failures === next.failures && engineRestarts === next.engineRestarts && moves === next.moves) return next;
  return { ...next, failures, engineRestarts, moves };
}
