/** Sentences for the rules that forbid (core/guards.ts). */
import { nameOf } from './view.ts';
import { span } from './words.ts';
import { BY_HAND, CHECK_STORAGE, CHECK_VDSM, hostOf, leaseFree, type Words } from './why-words.ts';

/** An order as a person would say it. */
const ORDERS = {
  start: 'to start the engine VM',
  shutdown: 'to shut the engine VM’s guest down',
  destroy: 'to force the engine VM off',
  migrate: 'to migrate the engine VM',
} as const;

export const guardWords = {
  'board-unread': {
    why: (v) =>
      `Since it began ${span(v.now - v.snapshot.startedMs)} ago, this worker could not read the board once. Global maintenance may be set there, so it does nothing.`,
    waits: (v) => `for a first reading of the board; it is tried again all the time (every ${span(v.t.beatMs)})`,
    can: () => [CHECK_STORAGE],
  },
  'global-maintenance': {
    why: () => 'Global maintenance is on: no host starts, stops or moves the engine VM, whatever happens to it.',
    waits: () => 'for the end of global maintenance; nothing ends it but a person (or the time given with --until)',
    can: (v) => [
      '`bellwether-host maintenance none` ends it; every host knows within a few seconds.',
      ...(v.hosting || v.s.elsewhere !== undefined ? [] : [BY_HAND]),
    ],
  },
  'vm-unknown': {
    why: (v) =>
      `VDSM has not answered ${v.o.vm === undefined ? 'once' : `for ${span(v.now - v.o.vm.atMs)}`}. What runs on this host is not known, and on an old answer no order is given. This host’s score is 0 meanwhile, so others do not wait for it.`,
    waits: () => 'for VDSM on this host',
    can: (v) => [
      CHECK_VDSM,
      ...(v.s.elsewhere === undefined ? ['If the engine VM runs here, it goes on running without VDSM.'] : []),
    ],
  },
  'order-running': {
    why: (v) => {
      const order = v.m.pending === undefined ? 'an order' : `the order ${ORDERS[v.m.pending.action.kind]}`;
      return `VDSM was given ${order} ${span(v.now - v.reason.sinceMs)} ago and has not answered yet. A second order is not given before that.`;
    },
    waits: () => 'for the answer of VDSM',
    due: (v) => [
      { atMs: v.reason.sinceMs + v.t.actionMs, what: 'the order is given up, and the VM is looked at anew' },
      ...leaseFree(v),
    ],
    can: () => [CHECK_VDSM],
  },
  'fact-before-order': {
    why: () =>
      'The last order has been answered, but what is known of the VM is from before it. The next order waits for a new look.',
    waits: () => 'for VDSM’s next word on the VM',
    due: (v) => [{ atMs: v.o.nowMs + v.t.beatMs, what: 'the worker looks again' }],
    can: () => [],
  },
  'lease-lost': {
    why: (v) =>
      `The engine VM is here, but ${v.o.lease?.connected === true ? `its lease belongs to ${nameOf(v, v.o.lease.owner ?? 0)}` : 'the connection to sanlock is gone'}. A sanlock that comes back frees the lease of a VM that still runs, and a second one could start elsewhere. So the VM is forced off now; a host with its sanlock in order starts it.`,
    waits: () => 'for the VM to end; then another host starts it, or this one when sanlock is back',
    can: () => [
      'Look at sanlock: `systemctl status sanlock`, /var/log/sanlock.log. Never restart it while the engine VM runs here.',
    ],
  },
  'storage-silent': {
    why: (v) => {
      const age = v.o.board === undefined ? 'at all' : `for ${span(v.now - v.o.board.readMs)}`;
      const here = v.hosting
        ? ' The engine VM is left alone: while sanlock renews its lease it is safe, and when it cannot, sanlock ends the VM.'
        : ' Hosts that still reach the storage do not need this one.';
      return `The storage has not answered ${age} (limit ${span(v.t.freshMs)}). Nothing is ordered on old notes of the other hosts.${here}`;
    },
    waits: () => 'for the storage; goes on by itself when it is back',
    due: (v) =>
      v.hosting && v.o.board !== undefined
        ? [
            {
              atMs: v.o.board.readMs + 8 * v.t.profile.ioSeconds * 1000,
              what: 'about then sanlock ends the VM here, if it cannot reach the storage either',
            },
            {
              atMs: v.o.board.readMs + v.t.hostDeadMs,
              what: 'about then another host that reaches the storage can have the lease',
            },
          ]
        : [],
    can: () => [CHECK_STORAGE],
  },
  'timeouts-differ': {
    why: (v) => {
      const own = v.o.lease ?? v.t.profile;
      return `${hostOf(v, 'host')} has the sanlock time-outs ${String(v.reason.inputs['theirs'])} (seconds for one I/O / of the watchdog), this host has ${own.ioSeconds}/${own.watchdogSeconds}. With unequal time-outs the lease may be given away while its VM still runs, so nothing is started or moved.`;
    },
    waits: () => 'for equal time-outs on all hosts',
    can: (v) => [
      `Set both hosts to the same profile, or put ${hostOf(v, 'host')} into local maintenance; then all goes on.`,
      ...(v.hosting ? [`The engine VM stays on ${nameOf(v, v.o.settings.hostId)} meanwhile.`] : []),
    ],
  },
} as const satisfies Readonly<Record<string, Words>>;
