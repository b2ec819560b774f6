/** Rules for a host on which the engine VM is not. */
import { listening, ownerRenews, type Situation } from './situation.ts';
import { backOffMs } from './timing.ts';
import type { Match, Rule } from './rule.ts';

/** Milliseconds until the next try is allowed here; 0 when it is. */
export function backOffLeftMs(s: Situation): number {
  const last = s.m.failures.at(-1);
  return last === undefined ? 0 : Math.max(0, last + backOffMs(s.m.failures.length) - s.now);
}

const start = (inputs: Match['inputs'], claim: string): Match => ({
  state: 'EngineStart',
  inputs,
  action: { kind: 'start' },
  claim,
});

/** Does it belong here still? Local first, until it failed here too often and another host could take it. */
function restartsHere(s: Situation): boolean {
  if (s.m.mine === undefined || s.cannotRun !== '') return false;
  return s.m.failures.length < s.t.failuresHere || s.candidates.every((candidate) => candidate.id === s.me);
}

/** 0 is next. */
function turnOf(s: Situation): number {
  return s.candidates.findIndex((candidate) => candidate.id === s.me);
}

export const standby: readonly Rule[] = [
  {
    name: 'in-local-maintenance',
    group: 'VM not here',
    when: 'this host is in local maintenance',
    does: 'nothing; score 0',
    match: (s) => (s.o.localMaintenance ? { state: 'LocalMaintenance', inputs: {}, claim: '' } : undefined),
  },
  {
    name: 'runs-elsewhere',
    group: 'VM not here',
    when: 'a living host has the VM',
    does: 'nothing',
    match: (s) =>
      s.elsewhere === undefined
        ? undefined
        : { state: 'EngineDown', inputs: { host: s.elsewhere.report.id }, claim: '' },
  },
  {
    name: 'another-is-at-it',
    group: 'VM not here',
    when: 'a living host has said that it starts, restarts or hands over the VM',
    does: 'leave it to that host as long as it lives and says so',
    match: (s) =>
      s.claimant === undefined || restartsHere(s)
        ? undefined
        : {
            state: 'EngineDown',
            inputs: { host: s.claimant.report.id, claim: s.claimant.report.said?.claim ?? '' },
            claim: '',
          },
  },
  {
    name: 'cannot-run-here',
    group: 'VM not here',
    when: 'this host could not start it (VDSM, storage, lockspace, memory, shutting down)',
    does: 'leave it to others; one alert when no host can for 60 s',
    match: (s) => {
      if (s.cannotRun === '') return undefined;
      const base: Match = { state: 'EngineDown', inputs: { why: s.cannotRun }, claim: '' };
      const lasting = s.m.rule === 'cannot-run-here' && s.now - s.m.sinceMs >= s.t.referenceDeadMs;
      if (s.candidates.length > 0 || !lasting) return base;
      return {
        ...base,
        alert: {
          kind: 'nobody-can-run',
          text: `The engine VM is down and no host can start it; here: ${s.cannotRun}.`,
        },
      };
    },
  },
  {
    name: 'owner-renews',
    group: 'VM not here',
    when: "the VM's lease names another host, whose renewals were seen to move within 4 io time-outs",
    does: 'wait: the owner lives, whatever its worker does',
    match: (s) =>
      ownerRenews(s)
        ? { state: 'EngineDown', inputs: { owner: s.lease?.owner ?? 0, silentMs: s.lease?.ownerSilentMs ?? 0 } }
        : undefined,
  },
  {
    name: 'backing-off',
    group: 'VM not here',
    when: 'it failed here twice or more, and the pause after the last failure (10 s doubling to 300 s) is not over',
    does: 'wait; another host may go first',
    match: (s) => {
      const left = backOffLeftMs(s);
      if (left === 0) return undefined;
      const claim = restartsHere(s) ? 'restart' : '';
      return { state: 'EngineDown', inputs: { failures: s.m.failures.length, leftMs: left }, claim };
    },
  },
  {
    name: 'restart-here',
    group: 'VM not here',
    when: 'it ran here until now, and failed here fewer than three times (or no other host can take it)',
    does: 'start it here at once',
    match: (s) =>
      restartsHere(s) ? start({ failures: s.m.failures.length, lost: s.m.vmState }, 'restart') : undefined,
  },
  {
    name: 'listening',
    group: 'VM not here',
    when: 'the worker has watched the board for less than four beats (35 s where the reference’s agents take part)',
    does: 'wait: who lives is not known yet',
    match: (s) => (listening(s) ? { state: 'EngineDown', inputs: { sinceMs: s.m.boardSinceMs ?? 0 } } : undefined),
  },
  {
    name: 'given-away',
    group: 'VM not here',
    when: 'it migrated away less than 40 s ago, or its lease was refused here less than 4 io time-outs ago, and nobody has announced it yet',
    does: 'wait for its host',
    match: (s) =>
      s.m.windows.given === undefined
        ? undefined
        : { state: 'EngineDown', inputs: {}, sinceMs: s.m.windows.given, claim: '' },
  },
  {
    name: 'not-my-turn',
    group: 'VM not here',
    when: 'other hosts go first (fewer failures, priority, score, id): three beats for each of them',
    does: 'wait for the turn',
    match: (s) => {
      const turn = turnOf(s);
      const since = s.m.windows['start-open'] ?? s.now;
      if (turn === 0 || s.now - since >= turn * s.t.turnMs) return undefined;
      return {
        state: 'EngineDown',
        inputs: { turn, first: s.candidates[0]?.id ?? 0, leftMs: turn * s.t.turnMs - (s.now - since) },
        sinceMs: since,
        claim: '',
      };
    },
  },
  {
    name: 'start-here',
    group: 'VM not here',
    when: 'nobody has it, no owner renews, and it is this host’s turn',
    does: 'start it; sanlock holds it back until the lease is free',
    match: (s) => start({ turn: turnOf(s), failures: s.m.failures.length }, 'start'),
  },
];
