/** Sentences for the rules of the host on which the engine VM is (core/hosting.ts). */
import { whyNot } from '../../../activities/storage/score-words.ts';
import { movesLastHour } from '../core/peers.ts';
import { budgetLeft, migrationMayWork } from '../core/moving.ts';
import { lives, nameOf, peersOf, type View } from './view.ts';
import { span } from './words.ts';
import { CHECK_NETWORK, CHECK_STORAGE, leaseFree, numberOf, type Due, type Words } from './why-words.ts';

const HOUR_MS = 3_600_000;

/** When the oldest counted move of the last hour leaves the budget; own and announced ones, as the rule counts. */
function budgetAt(v: View): readonly Due[] {
  const times = [...v.m.moves];
  for (const peer of peersOf(v)) {
    for (const age of peer.report.said?.moves ?? []) times.push(peer.changedMs - age * 1000);
  }
  const counted = times.filter((at) => v.now - at < HOUR_MS).sort((a, b) => a - b);
  const oldest = counted[counted.length - v.t.movesPerHour];
  return oldest === undefined ? [] : [{ atMs: oldest + HOUR_MS, what: 'the next move is allowed (two an hour)' }];
}

/** Either the migration that was ordered, or why the guest was stopped instead. */
function leaving(v: View): string {
  const action = v.decision.action?.action ?? v.m.pending?.action;
  const to = numberOf(v, 'to');
  if (to === 0) return '';
  if (action?.kind === 'migrate') return ` It migrates to ${nameOf(v, to)}, without an outage.`;
  const why = v.o.settings.canMigrate ? 'a migration failed or cannot be tried' : 'migration is switched off';
  return ` It is shut down here and started on ${nameOf(v, to)} (${why}).`;
}

const network = (v: View) => {
  const { host } = v.o;
  if (host?.bridgeUp === false) return 'Its management bridge is down';
  return `It reaches ${Math.round((host?.network ?? 0) * 100)} % of its network targets`;
};

/** What each other host has said of its network, as that decides whether moving helps. */
function othersSee(v: View): string {
  const words = peersOf(v)
    .filter((peer) => lives(v, peer))
    .map((peer) => {
      const name = nameOf(v, peer.report.id);
      const no = whyNot(peer.report);
      if (no !== '') return `${name} cannot run it (${no})`;
      const { said } = peer.report;
      if (said === undefined) return `${name} runs the reference’s agent: its score of ${peer.report.score} must tell`;
      const ageMs = v.now - peer.changedMs + said.networkAgeMs;
      return said.network < 0.5
        ? `${name} has lost it as well`
        : `${name} had it ${span(ageMs)} ago (only what was seen after the loss here counts)`;
    });
  return words.length === 0 ? 'No other host is known to live.' : `Of the others: ${words.join('; ')}.`;
}

/** Why the engine stays although somebody else may look better. */
function stays(v: View): string {
  const best = v.s.alive
    .filter((peer) => whyNot(peer.report) === '')
    .sort((a, b) => b.report.score - a.report.score)[0];
  const gap = best === undefined ? 0 : best.report.score - v.m.score;
  if (best === undefined || gap <= 0) return 'No other host is better.';
  const name = nameOf(v, best.report.id);
  if (v.m.windows['better-host'] === undefined)
    return `${name} has ${gap} points more; a running engine moves only for ${v.t.threshold} or more (its own CPU load not counted).`;
  const hindrances = [
    ...(v.o.settings.canMigrate ? [] : ['migration is switched off']),
    ...(v.o.settings.canMigrate && !migrationMayWork(v.s) ? ['a migration failed in the last ten minutes'] : []),
    ...(budgetLeft(v.s) <= 0 ? [`${movesLastHour(v.m, v.now)} moves in the last hour are the limit`] : []),
  ];
  const but = hindrances.length === 0 ? 'it must last before the engine moves' : hindrances.join(', ');
  return `${name} has ${gap} points more, but ${but}.`;
}

function betterAt(v: View): readonly Due[] {
  const since = v.m.windows['better-host'];
  if (since === undefined || v.m.mine === undefined || budgetLeft(v.s) <= 0 || !migrationMayWork(v.s)) return [];
  const atMs = Math.max(since + v.t.holdMs, v.m.mine.sinceMs + v.t.residenceMs);
  return [{ atMs, what: 'it migrates to the better host, if that one stays as much better' }];
}

const SICK_CAN = [
  'Look into the engine VM: `hosted-engine --console`; disk space, postgresql, `systemctl status ovirt-engine`.',
  'Not to be restarted while you look: `bellwether-host maintenance global`.',
] as const;

const enginePage = (v: View) =>
  v.o.health?.engine === 'unknown' ? 'cannot be asked (name or route missing; that counts for nothing)' : 'is not well';

const onItsWay = {
  migrating: {
    why: (v) =>
      v.m.vmState === 'arriving'
        ? 'The engine VM is on its way to this host. Until it runs here, its old host keeps the lease and the say.'
        : `The engine VM is on its way from here${v.m.movingTo === undefined ? ' (somebody else ordered that)' : ` to ${nameOf(v, v.m.movingTo)}`}. If the migration fails, it simply stays here.`,
    waits: () => 'for the end of the migration',
    can: () => ['Progress: `virsh -r domjobinfo HostedEngine` on the host that it leaves.'],
  },
  'guest-stopping': {
    why: (v) =>
      `This worker told the guest to shut down, ${v.m.stopping?.why === 'move' ? 'so that another host can start the engine VM' : 'so that the engine VM is started anew here'}${v.decision.action === undefined ? '.' : '; the guest did not obey in time, so the VM is forced off.'}`,
    waits: () => 'for the guest to end',
    due: (v) => [{ atMs: (v.m.stopping?.sinceMs ?? v.now) + v.t.guestStopMs, what: 'the VM is forced off' }],
  },
  'guest-stops-by-itself': {
    why: () =>
      'The guest is shutting down, and not by an order of this worker (somebody inside it, or in the engine). That is respected.',
    waits: () => 'for the guest to end; then the engine VM is started again',
    can: () => ['To keep it down: `bellwether-host maintenance global` before it has ended.'],
  },
  paused: {
    why: (v) =>
      `The engine VM is paused: its storage failed, and with the pause its lease was given up. It is never simply resumed, as it may have been started elsewhere. ${v.m.windows['storage-ok'] === undefined ? 'The storage does not answer yet.' : 'The storage answers again.'}`,
    waits: (v) =>
      v.m.windows['storage-ok'] === undefined
        ? 'for the storage'
        : 'whether VDSM resumes it with its lease; else it is forced off and started anew',
    due: (v) =>
      v.m.windows['storage-ok'] === undefined
        ? []
        : [
            {
              atMs: Math.max(v.m.windows['storage-ok'], v.m.vmChangedMs) + v.t.pausedMs,
              what: 'the VM is forced off and started anew, if it is paused still',
            },
          ],
    can: () => [CHECK_STORAGE, 'Do not resume it by hand.'],
  },
  launching: {
    why: () =>
      'VDSM has accepted the start, and the VM waits for its lease: sanlock gives it only when the host that had it last can no longer run the VM.',
    waits: () => 'for the lease',
    due: (v) => [
      ...leaseFree(v),
      { atMs: v.m.vmChangedMs + v.t.launchMs, what: 'the start is given up and tried anew' },
    ],
    can: (v) =>
      leaseFree(v).length > 0
        ? ['If the silent host is back before that, its lease is settled at once.']
        : ['Who has the lease: `sanlock client status`, /var/log/sanlock.log.'],
  },
} as const satisfies Readonly<Record<string, Words>>;

const leavingWords = {
  'hand-over': {
    why: (v) => {
      const what = v.o.host?.shuttingDown === true ? 'This host shuts down' : 'This host is in local maintenance';
      if (v.reason.inputs['confirming'] === true)
        return `${what}, so the engine VM is to leave. The engine itself may be moving it; it is given ${span(v.t.confirmMs)} for that.`;
      if (v.reason.inputs['target'] === 'none')
        return `${what}, so the engine VM should leave, but no other host can run it now. A running engine is better than none: it stays until one can.`;
      return `${what}, so the engine VM is handed over.${leaving(v)}`;
    },
    waits: (v) =>
      v.reason.inputs['target'] === 'none'
        ? 'for another host to become able to run it'
        : 'for the engine VM to be gone',
    due: (v) =>
      v.reason.inputs['confirming'] === true
        ? [{ atMs: v.reason.sinceMs + v.t.confirmMs, what: 'this worker hands the engine VM over itself' }]
        : [],
    can: (v) =>
      v.reason.inputs['target'] === 'none'
        ? [
            'Make another host able to run it (see “others”), or end local maintenance: `bellwether-host maintenance none`.',
          ]
        : [],
  },
  'network-lost-here': {
    why: (v) => {
      const lost = `This host lost the management network ${span(v.now - (v.m.windows['network-lost'] ?? v.now))} ago. ${network(v)}.`;
      if (v.reason.inputs['confirming'] === true)
        return `${lost} One bad moment is no reason to move an engine: the loss must last ${span(v.t.confirmMs)}, and another host must have the network.`;
      if (v.reason.inputs['movesLeft'] === 0)
        return `${lost} It would move, but moved ${v.t.movesPerHour} times within an hour already; moving it round and round helps nobody.`;
      return `${lost} Another host has it, so the engine VM goes there.${leaving(v)}`;
    },
    waits: (v) => (v.reason.inputs['movesLeft'] === 0 ? 'for the network, or until it may move again' : undefined),
    due: (v) => {
      if (v.reason.inputs['confirming'] === true)
        return [{ atMs: v.reason.sinceMs + v.t.confirmMs, what: 'the loss is confirmed, and the engine VM may move' }];
      return v.reason.inputs['movesLeft'] === 0 ? budgetAt(v) : [];
    },
    can: () => [CHECK_NETWORK],
  },
  'everyone-lost-network': {
    why: (v) =>
      `This host lost the management network ${span(v.now - v.reason.sinceMs)} ago, but no host that could run the engine VM is known to have it. Then the network is the fault, not this host, and moving would only add an outage. ${othersSee(v)}`,
    waits: () => 'for the network here, or for a host that has it',
    due: (v) => {
      const lost = v.m.windows['network-lost'] ?? v.reason.sinceMs;
      const reference = v.s.alive.some((peer) => peer.report.said === undefined && whyNot(peer.report) === '');
      return reference && v.now < lost + v.t.confirmReferenceMs
        ? [
            {
              atMs: lost + v.t.confirmReferenceMs,
              what: 'the scores of hosts with the reference’s agent count as proof that they have the network',
            },
          ]
        : [];
    },
    can: () => [CHECK_NETWORK, 'If all hosts are cut off: the switch, the gateway, the name servers.'],
  },
} as const satisfies Readonly<Record<string, Words>>;

const engineWords = {
  'engine-unhealthy': {
    why: (v) => {
      const bad = `The VM runs, but the engine ${enginePage(v)}, for ${span(numberOf(v, 'badMs') + v.now - v.o.nowMs)}.`;
      return v.decision.action === undefined
        ? `${bad} The VM was restarted ${numberOf(v, 'restarts')} times within two hours for that. What two restarts do not heal needs a person; an alert was sent.`
        : `${bad} That is longer than is waited for, so the VM is restarted (restart ${numberOf(v, 'restarts') + 1} of ${v.t.engineRestartsPerWindow} in two hours).`;
    },
    waits: (v) => (v.decision.action === undefined ? 'for a person, or the engine to recover' : 'for the guest to end'),
    due: (v) => {
      const first = v.m.engineRestarts[0];
      return v.decision.action !== undefined || first === undefined
        ? []
        : [{ atMs: first + v.t.engineRestartWindowMs, what: 'the next restart is allowed' }];
    },
    can: () => SICK_CAN,
  },
  'engine-starting': {
    why: (v) =>
      `The engine VM is up for ${span(v.now - v.reason.sinceMs)}, and the engine in it was not well since: it is starting. A start that gets on is left alone, however long it takes (the last sign of progress was ${span(v.now - v.m.progress.changedMs)} ago).`,
    waits: () => 'for the engine to answer',
    due: (v) =>
      v.m.windows['engine-bad'] === undefined || v.m.mine === undefined
        ? []
        : [
            {
              atMs: Math.max(v.m.mine.sinceMs, v.m.progress.changedMs) + v.t.bootMs,
              what: 'the VM is restarted, if there is no sign of progress by then',
            },
          ],
    can: () => ['Watch it start: `hosted-engine --console`.'],
  },
  'engine-bad': {
    why: (v) =>
      `The VM runs, but the engine ${enginePage(v)}, for ${span(v.now - v.reason.sinceMs)}. Engines recover from short trouble by themselves, and a restart costs minutes, so it is given ${span(v.t.badHealthMs)}.`,
    waits: () => 'for the engine to recover',
    due: (v) => {
      const left = v.t.engineRestartsPerWindow - v.m.engineRestarts.length;
      const what =
        left > 0 ? `the VM is restarted (${left} such restarts are left)` : 'an alert is sent: restarts did not help';
      return [{ atMs: v.reason.sinceMs + v.t.badHealthMs, what }];
    },
    can: () => SICK_CAN,
  },
  'better-host': {
    why: (v) =>
      `${nameOf(v, numberOf(v, 'to'))} has a score of ${numberOf(v, 'theirs')}, this host one of ${numberOf(v, 'score')}. That is ${v.t.threshold} or more, and for ${span(v.t.holdMs)} already, so the engine moves.${leaving(v)}`,
    waits: () => 'for VDSM to take the order',
    can: () => ['See what costs this host its points: `bellwether-host status`.'],
  },
  'engine-up': {
    why: (v) =>
      v.o.health?.engine === 'good'
        ? `The engine VM runs here, and nothing is wrong with it. ${stays(v)}`
        : `The engine VM runs here. Its engine ${enginePage(v)}, so it is left alone. ${stays(v)}`,
    due: betterAt,
    can: (v) => [`Nothing needs to be done. What if? \`bellwether-host what-if "host ${v.o.settings.hostId} lost"\`.`],
  },
} as const satisfies Readonly<Record<string, Words>>;

export const hostingWords = { ...onItsWay, ...leavingWords, ...engineWords } as const;
