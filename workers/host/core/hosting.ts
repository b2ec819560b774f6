/** Rules for the host on which the engine VM is. A running engine is touched only by a rule that names why. */
import { budgetLeft, leaveTo, migrationMayWork, targetOf } from './moving.ts';
import type { Situation } from './situation.ts';
import type { Match, Rule } from './rule.ts';

const lasts = (s: Situation, since: number | undefined, ms: number) => since !== undefined && s.now - since >= ms;

function restart(s: Situation, inputs: Match['inputs'], how: 'shutdown' | 'destroy'): Match {
  return {
    state: how === 'shutdown' ? 'EngineStop' : 'EngineForceStop',
    inputs,
    action: { kind: how },
    stopping: { sinceMs: s.now, why: 'restart', to: undefined },
  };
}

/** Unhealthy for long enough to act; a start that still gets on is left alone. */
function sickSince(s: Situation): { since: number; limitMs: number } | undefined {
  const bad = s.m.windows['engine-bad'];
  if (bad === undefined || s.m.mine === undefined) return undefined;
  if (s.m.mine.healthyMs !== undefined) return { since: bad, limitMs: s.t.badHealthMs };
  return { since: Math.max(s.m.mine.sinceMs, s.m.progress.changedMs), limitMs: s.t.bootMs };
}

const onItsWay: readonly Rule[] = [
  {
    name: 'migrating',
    group: 'VM here',
    when: 'the VM is on its way to or from this host',
    does: 'wait for the end of the migration',
    match: (s) =>
      s.m.vmState === 'leaving' || s.m.vmState === 'arriving'
        ? { state: 'EngineMigrating', inputs: { vm: s.m.vmState }, sinceMs: s.m.vmChangedMs }
        : undefined,
  },
  {
    name: 'guest-stopping',
    group: 'VM here',
    when: 'this worker told the guest to stop (60 s)',
    does: 'wait; after that, destroy the VM',
    match: (s) => {
      const { stopping } = s.m;
      if (stopping === undefined) return undefined;
      if (!lasts(s, stopping.sinceMs, s.t.guestStopMs))
        return { state: 'EngineStop', inputs: { why: stopping.why }, sinceMs: stopping.sinceMs };
      return {
        state: 'EngineForceStop',
        inputs: { waitedMs: s.now - stopping.sinceMs },
        action: { kind: 'destroy' },
        stopping: { ...stopping, sinceMs: s.now },
      };
    },
  },
  {
    name: 'guest-stops-by-itself',
    group: 'VM here',
    when: 'somebody else told the guest to stop',
    does: 'wait for it',
    match: (s) =>
      s.m.vmState === 'stopping' ? { state: 'EngineStop', inputs: {}, sinceMs: s.m.vmChangedMs } : undefined,
  },
  {
    name: 'paused',
    group: 'VM here',
    when: 'the VM is paused (its lease is given up)',
    does: 'never resume it; when the storage has answered for ten beats and it is paused still, destroy it and start it anew',
    match: (s) => {
      if (s.m.vmState !== 'paused') return undefined;
      const ready = lasts(s, s.m.windows['storage-ok'], s.t.pausedMs) && lasts(s, s.m.vmChangedMs, s.t.pausedMs);
      return ready
        ? restart(s, { pausedMs: s.now - s.m.vmChangedMs }, 'destroy')
        : { state: 'EngineUpBadHealth', inputs: { vm: 'paused' }, sinceMs: s.m.vmChangedMs };
    },
  },
  {
    name: 'launching',
    group: 'VM here',
    when: 'VDSM has accepted the start and the VM waits for its lease',
    does: 'wait; destroy it after the longest time that sanlock can take',
    match: (s) => {
      if (s.m.vmState !== 'launching') return undefined;
      return lasts(s, s.m.vmChangedMs, s.t.launchMs)
        ? restart(s, { launchingMs: s.now - s.m.vmChangedMs }, 'destroy')
        : { state: 'EngineStarting', inputs: { vm: 'launching' }, sinceMs: s.m.vmChangedMs };
    },
  },
];

const leaving: readonly Rule[] = [
  {
    name: 'hand-over',
    group: 'VM here',
    when: 'this host is in local maintenance (for five beats: the engine may move the VM itself) or shuts down',
    does: 'migrate to the best host that can run it, else shut down here and let it start there; stay when there is none',
    match: (s) => {
      const since = s.m.windows.leave;
      if (since === undefined) return undefined;
      const shuttingDown = s.host?.shuttingDown === true;
      if (!shuttingDown && !lasts(s, since, s.t.confirmMs))
        return { state: 'LocalMaintenance', inputs: { confirming: true }, sinceMs: since };
      const target = targetOf(s, undefined);
      if (target !== undefined) return leaveTo(s, target, { shuttingDown }, undefined);
      return {
        state: 'LocalMaintenance',
        inputs: { target: 'none' },
        sinceMs: since,
        alert: {
          kind: 'cannot-hand-over',
          text: 'This host is to give up the engine VM, but no other host can run it. It stays here; make another host able to run it.',
        },
      };
    },
  },
  {
    name: 'network-lost-here',
    group: 'VM here',
    when: 'this host lost the network or its bridge (for five beats), and another that can run the VM has it (seen after that)',
    does: 'migrate, else stop here and start there; at most two moves an hour',
    match: (s) => {
      const lost = s.m.windows['network-lost'];
      if (lost === undefined) return undefined;
      const inputs = { network: s.host?.network ?? -1, bridgeUp: s.host?.bridgeUp ?? true };
      if (!lasts(s, lost, s.t.confirmMs))
        return { state: 'EngineUp', inputs: { ...inputs, confirming: true }, sinceMs: lost };
      if (budgetLeft(s) <= 0) return { state: 'EngineUp', inputs: { ...inputs, movesLeft: 0 }, sinceMs: lost };
      const target = targetOf(s, lost);
      return target === undefined ? undefined : leaveTo(s, target, inputs, 'move');
    },
  },
  {
    name: 'everyone-lost-network',
    group: 'VM here',
    when: 'this host lost the network, and no other host that could run the VM is known to have it',
    does: 'nothing: that is the network, not the host',
    match: (s) => {
      const since = s.m.windows['network-lost'];
      return since === undefined
        ? undefined
        : { state: 'EngineUp', inputs: { network: s.host?.network ?? -1, living: s.alive.length }, sinceMs: since };
    },
  },
];

const engine: readonly Rule[] = [
  {
    name: 'engine-unhealthy',
    group: 'VM here',
    when: 'the engine does not answer well for 300 s (600 s without progress after a start), the network being fine',
    does: 'restart the VM, at most twice in two hours; then one alert, and again when the two hours allow it',
    match: (s) => {
      const sick = sickSince(s);
      if (sick === undefined || !lasts(s, sick.since, sick.limitMs)) return undefined;
      const inputs = { badMs: s.now - sick.since, restarts: s.m.engineRestarts.length };
      if (s.m.engineRestarts.length < s.t.engineRestartsPerWindow)
        return { ...restart(s, inputs, 'shutdown'), counts: 'engine-restart' };
      return {
        state: 'EngineUpBadHealth',
        inputs,
        sinceMs: sick.since,
        alert: {
          kind: 'engine-unhealthy',
          text: `The engine does not answer although its VM was restarted ${inputs.restarts} times within two hours. Look at the engine itself (database, disk space, ovirt-engine log); the next restart is tried when two hours have passed.`,
        },
      };
    },
  },
  {
    name: 'engine-starting',
    group: 'VM here',
    when: 'the VM is up and the engine was not healthy since',
    does: 'wait as long as the start gets on',
    match: (s) =>
      s.m.mine !== undefined && s.m.mine.healthyMs === undefined
        ? { state: 'EngineStarting', inputs: { health: s.o.health?.engine ?? 'unknown' }, sinceMs: s.m.mine.sinceMs }
        : undefined,
  },
  {
    name: 'engine-bad',
    group: 'VM here',
    when: 'the engine does not answer well, for less than 300 s',
    does: 'wait',
    match: (s) => {
      const since = s.m.windows['engine-bad'];
      return since === undefined ? undefined : { state: 'EngineUpBadHealth', inputs: {}, sinceMs: since };
    },
  },
  {
    name: 'better-host',
    group: 'VM here',
    when: 'another host is better by 800 points (own CPU load left out) for 40 beats, and the VM was here for ten minutes',
    does: 'migrate; a healthy engine is never stopped for points; at most two moves an hour',
    match: (s) => {
      const since = s.m.windows['better-host'];
      if (!lasts(s, since, s.t.holdMs) || s.m.mine === undefined) return undefined;
      if (!lasts(s, s.m.mine.sinceMs, s.t.residenceMs) || !migrationMayWork(s) || budgetLeft(s) <= 0) return undefined;
      const target = targetOf(s, undefined);
      if (target === undefined || target.report.score < s.m.score + s.t.threshold) return undefined;
      return leaveTo(s, target, { score: s.m.score, theirs: target.report.score }, 'move');
    },
  },
  {
    name: 'engine-up',
    group: 'VM here',
    when: 'none of these',
    does: 'nothing',
    match: (s) => ({ state: 'EngineUp', inputs: {}, ...(s.m.mine ? { sinceMs: s.m.mine.sinceMs } : {}) }),
  },
];

const whenHere = (rule: Rule): Rule => ({ ...rule, match: (s) => (s.hosting ? rule.match(s) : undefined) });

export const hosting: readonly Rule[] = [...onItsWay, ...leaving, ...engine].map(whenHere);
