/** Sentences for the rules of a host on which the engine VM is not (core/standby.ts). */
import { backOffLeftMs } from '../core/standby.ts';
import { nameOf, peersOf, type View } from './view.ts';
import { span } from './words.ts';
import { BY_HAND, CHECK_STORAGE, CHECK_VDSM, goneAt, hostOf, lastHolder, leaseFree, type Words } from './why-words.ts';

const CLAIMS: Readonly<Record<string, string>> = {
  start: 'is about to start the engine VM',
  restart: 'had the engine VM and starts it again there',
  moving: 'hands the engine VM over to another host',
};

/** The same as in the rule: where the reference's agents take part, they are given longer. */
function listenUntilMs(v: View): number {
  const reference = peersOf(v).some(({ report }) => report.said === undefined && !report.stopped);
  return (v.m.boardSinceMs ?? v.o.nowMs) + (reference ? v.t.listenReferenceMs : v.t.listenMs);
}

/** What a person can do about each reason why this host cannot start the VM. */
function remedyOf(v: View): string {
  const { cannotRun } = v.s;
  if (cannotRun.includes('memory')) {
    const free = v.s.host?.memFreeMb ?? 0;
    return `Free memory on this host: ${free} MiB are free, the engine VM needs ${v.o.settings.vmMemoryMb}. Migrate another VM away.`;
  }
  if (cannotRun.includes('VDSM') || cannotRun.includes('own state')) return CHECK_VDSM;
  if (cannotRun.includes('storage')) return CHECK_STORAGE;
  if (cannotRun.includes('sanlock') || cannotRun.includes('lockspace'))
    return 'Look at sanlock: `sanlock client status`, /var/log/sanlock.log; is the storage domain connected on this host?';
  return 'Let the shutdown end, or use another host.';
}

const silentOwner = (v: View) => {
  const last = lastHolder(v);
  return last === undefined
    ? 'No living host says that it has the engine VM'
    : `${nameOf(v, last.report.id)} had the engine VM and has been silent for ${span(v.now - last.changedMs)}`;
};

export const standbyWords = {
  'in-local-maintenance': {
    why: () => 'This host is in local maintenance: it takes no part, its score is 0, and the others do the work.',
    waits: (v) => (v.s.elsewhere === undefined ? 'for another host to start the engine VM' : undefined),
    due: (v) => (v.s.elsewhere === undefined ? leaseFree(v) : []),
    can: () => ['`bellwether-host maintenance none` on this host lets it take part again.'],
  },
  'runs-elsewhere': {
    why: (v) => {
      const sick = v.s.elsewhere !== undefined && v.s.elsewhere.report.health !== 'good';
      return `${hostOf(v, 'host')} has the engine VM and its worker lives. As long as it does, only that worker restarts or moves the VM${sick ? ', also when the engine is not well, as now' : ''}; this host stands by.`;
    },
    due: (v) => goneAt(v, v.s.elsewhere),
    can: (v) => [
      goneAt(v, v.s.elsewhere).length > 0
        ? 'Nothing yet: if it stays silent, another host starts the engine VM by itself.'
        : v.s.elsewhere?.report.health === 'good'
          ? 'Nothing needs to be done.'
          : `Ask there why nothing happens: \`bellwether-host why\` on ${hostOf(v, 'host')}.`,
      `\`bellwether-host what-if "host ${v.s.elsewhere?.report.id ?? 0} lost"\` shows what would happen then.`,
    ],
  },
  'another-is-at-it': {
    why: (v) =>
      `${hostOf(v, 'host')} ${CLAIMS[String(v.reason.inputs['claim'])] ?? 'is at it'}. Two that try at once only get into each other’s way, so this host leaves it to that one.`,
    waits: (v) => `for ${hostOf(v, 'host')}, as long as it lives and says so`,
    due: (v) => [...goneAt(v, v.s.claimant), ...leaseFree(v)],
    can: (v) => [`See what it waits for: \`bellwether-host why\` on ${hostOf(v, 'host')}.`],
  },
  'cannot-run-here': {
    why: (v) =>
      `This host could not start the engine VM now: ${String(v.reason.inputs['why'])}.${v.s.candidates.length === 0 ? ' No other living host could either.' : ' It leaves that to the others.'}`,
    waits: (v) =>
      v.s.candidates.length === 0 ? 'for any host to become able to start it' : 'for another host to start it',
    due: (v) => [
      ...(v.s.candidates.length === 0 && v.m.rule === 'cannot-run-here' && !v.m.alerted.includes('nobody-can-run')
        ? [{ atMs: v.m.sinceMs + v.t.referenceDeadMs, what: 'an alert is sent: nobody can start the engine VM' }]
        : []),
      ...leaseFree(v),
    ],
    can: (v) => [remedyOf(v)],
  },
  'owner-renews': {
    why: (v) => {
      const { lease } = v.o;
      const owner = hostOf(v, 'owner');
      const silentMs = (lease?.ownerSilentMs ?? 0) + v.now - (lease?.atMs ?? v.now);
      return `The lease of the engine VM belongs to ${owner}, which renewed it ${span(silentMs)} ago. A host that renews may still run the VM, even when its worker is silent; a start is tried once ${span(v.t.ownerSilentMs)} went by without a renewal.`;
    },
    waits: (v) => `for a sign of life of ${hostOf(v, 'owner')}, or for the end of its renewals`,
    due: (v) => [
      {
        atMs: (v.o.lease?.atMs ?? v.now) - (v.o.lease?.ownerSilentMs ?? 0) + v.t.ownerSilentMs,
        what: 'a start may be ordered, if no renewal comes (one comes every 2 I/O time-outs while the host lives)',
      },
      ...leaseFree(v),
    ],
    can: (v) => [
      `Look at ${hostOf(v, 'owner')}: does it run, does its worker? Power it off for certain and the lease is free in the time above.`,
    ],
  },
  'backing-off': {
    why: (v) =>
      `The engine VM failed here ${v.m.failures.length} times lately. After each failure there is a longer pause before the next try (10 s doubling to 300 s); failures are forgotten after ${span(v.t.failureFadeMs)}. ${v.m.failures.length >= v.t.failuresHere ? 'Other hosts go first now.' : 'Another host may go first meanwhile.'}`,
    waits: () => 'for the end of the pause',
    due: (v) => [{ atMs: v.o.nowMs + backOffLeftMs(v.s), what: 'the next try is allowed here' }],
    can: () => [
      'Find out why it failed: `journalctl -u libvirtd`, /var/log/vdsm/vdsm.log, /var/log/libvirt/qemu.',
      BY_HAND,
    ],
  },
  'restart-here': {
    why: (v) =>
      `The engine VM ran here and ended without having been moved away (${v.m.failures.length} of at most ${v.t.failuresHere} failures here). A crash says little against its host, and its lease is free at once here, so it is started here again.`,
    waits: () => 'for VDSM to take the order',
    due: leaseFree,
  },
  listening: {
    why: (v) =>
      `${silentOwner(v)}. This worker has watched the board for only ${span(v.now - (v.m.boardSinceMs ?? v.now))}: which hosts live shows in their notes changing, and that takes a while to see.`,
    waits: () => 'until it has watched long enough to know who lives',
    due: (v) => [
      { atMs: listenUntilMs(v), what: 'it has watched long enough and may start the engine VM' },
      ...leaseFree(v),
    ],
  },
  'given-away': {
    why: () => 'The engine VM migrated away from here a moment ago, and its new host has not announced it yet.',
    waits: () => 'for the new host to announce it',
    due: (v) => [
      {
        atMs: (v.m.windows.given ?? v.o.nowMs) + v.t.givenMs,
        what: 'it counts as lost, and the hosts start it in their order',
      },
    ],
  },
  'not-my-turn': {
    why: (v) =>
      `${silentOwner(v)}, so it is to be started. ${hostOf(v, 'first')} goes first (the order: fewer failures, higher priority, higher score, lower id), and each host that comes before this one is given ${span(v.t.turnMs)}.`,
    waits: (v) => `for ${hostOf(v, 'first')} to start it, else for this host’s own turn`,
    due: (v) => [
      {
        atMs: v.reason.sinceMs + Number(v.reason.inputs['turn'] ?? 1) * v.t.turnMs,
        what: 'it is this host’s turn, if nobody has begun by then',
      },
      ...leaseFree(v),
    ],
  },
  'start-here': {
    why: (v) =>
      `${silentOwner(v)}, no owner of the lease was seen to renew it, and it is this host’s turn: it starts the VM. Sanlock holds the start back as long as the old owner could still run it.`,
    waits: () => 'for VDSM to take the order, then for the lease',
    due: leaseFree,
  },
} as const satisfies Readonly<Record<string, Words>>;
