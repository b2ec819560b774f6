/**
 * One turn of the failover worker: facts in, at most one order to VDSM out.
 *
 * Pure: the same memory and observation give the same decision, on any machine (the journal can be replayed). Never two
 * engine VMs is sanlock's promise, not this function's; it may be fast because it may be wrong.
 */
import { RULES } from './rules.ts';
import { scoreOf } from './score.ts';
import { look, windowsOf, type Situation } from './situation.ts';
import { draftOf, isHere, remember } from './remember.ts';
import type { Match } from './rule.ts';
import type { Alert, Decision, Memory, Observation, Reason, Score } from './types.ts';

/** Why a host takes part with score 0; what it computes otherwise is the reference's sum. */
function outOfPlay(s: Situation): string | undefined {
  if (s.o.localMaintenance) return 'local maintenance';
  if (s.host?.shuttingDown === true) return 'shutting down';
  if (s.o.board === undefined) return 'board not read yet';
  if (s.vm === undefined) return 'VDSM does not answer';
  if (s.lease !== undefined && (!s.lease.joined || !s.lease.connected)) return 'not in the lockspace';
  return undefined;
}

function scoreNow(s: Situation, match: Match): Score {
  return scoreOf({
    host: s.o.host,
    vmMemoryMb: s.o.settings.vmMemoryMb,
    failures: s.m.failures.length,
    state: match.state,
    global: s.m.global || isHere(s.m.vmState),
    outOfPlay: outOfPlay(s),
  });
}

/** Alerts are said once; what they are about has to end before they are said again. */
function alertsOf(memory: Memory, match: Match): { said: Memory['alerted']; fresh: readonly Alert[] } {
  const { alert } = match;
  if (alert === undefined) {
    // A sick engine stays said until it was healthy again, the others end with their rule.
    const kept = memory.alerted.filter((kind) => kind === 'engine-unhealthy');
    return { said: kept.length === memory.alerted.length ? memory.alerted : kept, fresh: [] };
  }
  if (memory.alerted.includes(alert.kind)) return { said: memory.alerted, fresh: [] };
  return { said: [...memory.alerted, alert.kind], fresh: [alert] };
}

/** Those that were not chosen, and why: for `why` and the journal, only where something was decided. */
function rejected(s: Situation, match: Match): readonly Reason[] {
  if (match.action === undefined) return [];
  return s.candidates
    .filter((candidate) => candidate.id !== s.me)
    .map((candidate) => ({ rule: 'other-host', inputs: { ...candidate }, sinceMs: s.now }));
}

function applied(s: Situation, match: Match, rule: string, score: Score): Memory {
  const { m, now } = s;
  const { said } = alertsOf(m, match);
  const same =
    m.rule === rule || (match.action === undefined && (rule === 'order-running' || rule === 'fact-before-order'));
  const next = draftOf(m);
  next.lookedMs = now;
  next.state = match.state;
  next.rule = same ? m.rule : rule;
  next.sinceMs = same ? m.sinceMs : now;
  next.claim = match.claim ?? m.claim;
  next.alerted = said;
  next.score = score.value;
  next.stopping = match.stopping ?? m.stopping;
  const { action } = match;
  if (action === undefined) return next;
  next.movingTo = action.kind === 'migrate' ? action.to : m.movingTo;
  next.pending = { id: m.nextActionId, action, sinceMs: now };
  next.actedMs = now;
  next.nextActionId = m.nextActionId + 1;
  if (match.counts === 'move') next.moves = [...m.moves.slice(-15), now];
  if (match.counts === 'engine-restart') next.engineRestarts = [...m.engineRestarts.slice(-15), now];
  return next;
}

function firstMatch(s: Situation): { rule: string; match: Match } {
  for (const rule of RULES) {
    const match = rule.match(s);
    if (match !== undefined) return { rule: rule.name, match };
  }
  throw new Error('the last rule of each group matches always');
}

/** `memory` is that of the decision before (or `emptyMemory`). Never throws on any observation. */
export function decide(memory: Memory, observation: Observation): Decision {
  const remembered = remember(memory, observation);
  const s = look(remembered, observation);
  const withWindows = draftOf(remembered);
  withWindows.windows = windowsOf(s);
  s.m = withWindows;
  const { rule, match } = firstMatch(s);
  const score = scoreNow(s, match);
  const next = applied(s, match, rule, score);
  const own: Reason = { rule, inputs: match.inputs, sinceMs: match.sinceMs ?? next.sinceMs };
  return {
    memory: next,
    score,
    action: match.action === undefined ? undefined : { id: remembered.nextActionId, action: match.action },
    alerts: alertsOf(remembered, match).fresh,
    reasons: [own, ...rejected(s, match)],
  };
}
