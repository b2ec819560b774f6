/** Rules that forbid: they stand before all others, so that no timer and no score can get past them. */
import type { Rule } from './rule.ts';
import type { Situation } from './situation.ts';

/** The VM runs here without its lease: the daemon that held it is gone, or came back unseen and the lease went to another host. */
function unheld(s: Situation): boolean {
  if (!s.hosting || s.m.vmState === 'arriving') return false;
  if (s.lease?.connected === false) return true;
  const since = s.m.windows['lease-elsewhere'];
  return since !== undefined && s.now - since >= s.t.freshMs;
}

export const guards: readonly Rule[] = [
  {
    name: 'board-unread',
    group: 'guard',
    when: 'the board was never read since the start of the worker',
    does: 'nothing: global maintenance may be on it',
    match: (s) => (s.o.board === undefined ? { state: 'StartState', inputs: {} } : undefined),
  },
  {
    name: 'global-maintenance',
    group: 'guard',
    when: 'global maintenance is set',
    does: 'nothing, whatever runs or does not; no timer is stronger',
    match: (s) =>
      s.m.global
        ? { state: 'GlobalMaintenance', inputs: { localMaintenance: s.o.localMaintenance }, claim: '' }
        : undefined,
  },
  {
    name: 'vm-unknown',
    group: 'guard',
    when: 'VDSM has not answered for two beats',
    does: 'wait: no order is given on an old fact',
    match: (s) =>
      s.vm === undefined
        ? { state: 'UnknownLocalVmState', inputs: { ageMs: s.o.vm === undefined ? -1 : s.now - s.o.vm.atMs } }
        : undefined,
  },
  {
    name: 'order-running',
    group: 'guard',
    when: 'an order to VDSM is not answered yet (at most 30 s)',
    does: 'wait for it',
    match: (s) =>
      s.m.pending === undefined
        ? undefined
        : { state: s.m.state, inputs: { order: s.m.pending.action.kind }, sinceMs: s.m.pending.sinceMs },
  },
  {
    name: 'fact-before-order',
    group: 'guard',
    when: 'what is known of the VM is older than the last order',
    does: 'wait for the next look',
    match: (s) =>
      s.vm !== undefined && s.vm.atMs <= s.m.actedMs
        ? { state: s.m.state, inputs: { actedMs: s.m.actedMs } }
        : undefined,
  },
  {
    name: 'lease-lost',
    group: 'guard',
    when: 'the VM is here and the connection to sanlock is gone, or its lease names another host for two beats',
    does: 'destroy it at once: a sanlock that comes back frees the lease of a VM that still runs',
    match: (s) =>
      unheld(s)
        ? {
            state: 'EngineForceStop',
            inputs: { vm: s.m.vmState, connected: s.lease?.connected ?? false, owner: s.lease?.owner ?? 0 },
            action: { kind: 'destroy' },
            stopping: { sinceMs: s.now, why: 'move', to: undefined },
            claim: '',
          }
        : undefined,
  },
  {
    name: 'storage-silent',
    group: 'guard',
    when: 'the board was not read for two beats',
    does: 'wait; carries on by itself when the storage is back',
    match: (s) =>
      s.boardFresh
        ? undefined
        : { state: 'StorageLost', inputs: { ageMs: s.o.board === undefined ? -1 : s.now - s.o.board.readMs } },
  },
  {
    name: 'timeouts-differ',
    group: 'guard',
    when: "a host's sanlock or watchdog time-out differs from this one's",
    does: 'alert, and no order: the lease no longer protects',
    match: (s) => {
      const said = s.disagreeing?.report.said;
      if (s.disagreeing === undefined || said === undefined) return undefined;
      const theirs = `${said.ioSeconds}/${said.watchdogSeconds}`;
      return {
        state: 'Refusing',
        inputs: { host: s.disagreeing.report.id, theirs },
        claim: '',
        alert: {
          kind: 'timeouts-differ',
          text: `Host ${s.disagreeing.report.id} has sanlock time-outs ${theirs}, this host differs. Nothing is started or moved until they are equal (set both, or put that host into local maintenance).`,
        },
      };
    },
  },
];
