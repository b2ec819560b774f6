/** What a mail says beside the bare fact, by the rule that fired and by the kind of alert: cause, effect, what was done, what to do. */
import type { AlertKind } from '../core/types.ts';

export interface Advice {
  readonly cause: string;
  readonly effect: string;
  readonly did: string;
  readonly todo: string;
}

const NOTHING = 'Nothing; this is for your information.';
const WAITED = 'Nothing was ordered; the worker waits.';

/** By name of the rule (core/rules.ts); a test holds this list and that one together. */
export const RULE_ADVICE: Readonly<Record<string, Advice>> = {
  'board-unread': {
    cause: 'The worker has just started and has not read the shared board yet.',
    effect: 'This host takes no part in the failover until it has.',
    did: WAITED,
    todo: 'If it lasts longer than a minute, look at the hosted-engine storage domain on this host.',
  },
  'global-maintenance': {
    cause: 'Global maintenance is set.',
    effect: 'Nobody restarts or moves the engine VM, even if it fails.',
    did: 'Nothing is ordered on any host as long as it is set.',
    todo: 'End it when your work is done: bellwether-host maintenance none.',
  },
  'vm-unknown': {
    cause: 'VDSM on this host has not answered for two beats.',
    effect: 'What the engine VM does here is not known, and this host has score 0.',
    did: 'Nothing: no order is given on an old fact.',
    todo: 'Look at vdsmd on this host (systemctl status vdsmd, /var/log/vdsm/vdsm.log).',
  },
  'order-running': {
    cause: 'An order to VDSM is not answered yet.',
    effect: 'No other order is given for at most 30 s.',
    did: WAITED,
    todo: NOTHING,
  },
  'fact-before-order': {
    cause: 'What is known of the engine VM is older than the last order.',
    effect: 'No other order is given until VDSM was asked again.',
    did: WAITED,
    todo: NOTHING,
  },
  'lease-lost': {
    cause: 'The engine VM is here, but sanlock is gone or was started anew under it: its lease is no longer held.',
    effect: 'A sanlock that comes back would free the lease, and a second engine VM could start elsewhere.',
    did: 'The engine VM on this host is destroyed at once; another host starts it.',
    todo: 'Look at sanlock and wdmd on this host (journalctl -u sanlock) before it gets the engine VM again.',
  },
  'storage-silent': {
    cause: 'The shared board on the hosted-engine storage was not read for two beats.',
    effect: 'This host neither starts nor moves the engine VM; a running one may be paused by the storage.',
    did: 'Nothing; the worker carries on by itself when the storage is back.',
    todo: 'Look at the storage domain and the way to it from this host (mount or multipath, switch, server).',
  },
  'timeouts-differ': {
    cause: 'A host has other sanlock or watchdog time-outs than this one.',
    effect: 'The lease no longer protects against two engine VMs, so nothing is started or moved.',
    did: 'All orders are refused until the time-outs are equal.',
    todo: 'Set the same io and watchdog time-outs on all hosts, or put the host that differs into local maintenance.',
  },
  migrating: {
    cause: 'The engine VM is being migrated to or from this host.',
    effect: 'None, as long as the migration succeeds.',
    did: 'The worker waits for the end of the migration.',
    todo: NOTHING,
  },
  'guest-stopping': {
    cause: 'This worker told the guest of the engine VM to shut down.',
    effect: 'The engine is down until its VM has been started again.',
    did: 'The guest gets 60 s to stop; after that its VM is destroyed.',
    todo: NOTHING,
  },
  'guest-stops-by-itself': {
    cause: 'Somebody else told the guest of the engine VM to shut down.',
    effect: 'The engine goes down; when the VM has stopped, it is started again.',
    did: WAITED,
    todo: 'If the engine is to stay down, set global maintenance: bellwether-host maintenance global.',
  },
  paused: {
    cause: 'The engine VM is paused, mostly because its storage failed; its lease is given up.',
    effect: 'The engine is down until the VM has been started anew.',
    did: 'A paused VM is never resumed. When the storage has answered for ten beats, it is destroyed and started anew.',
    todo: 'Look at the storage of the engine VM. Do not resume it by hand: it no longer has its lease.',
  },
  launching: {
    cause: 'VDSM has accepted the start of the engine VM.',
    effect: 'It runs as soon as sanlock grants its lease; after the crash of a host that takes up to 140 s by default.',
    did: 'The worker waits, and destroys the VM if the lease does not come in the longest time it can take.',
    todo: NOTHING,
  },
  'hand-over': {
    cause: 'This host is in local maintenance or shuts down, and the engine VM is on it.',
    effect: 'The engine VM leaves this host, without an outage if it can be migrated.',
    did: 'The engine VM goes to the best host that can run it, and stays while there is none.',
    todo: 'If it stays, make another host able to run it (bellwether-host status says what each host lacks).',
  },
  'network-lost-here': {
    cause: 'This host lost the management network or its bridge, and another host that can run the engine VM has it.',
    effect: 'The engine cannot be reached here.',
    did: 'After a confirmation of five beats the engine VM goes to the other host, at most twice an hour.',
    todo: 'Look at the network of this host: cable, switch port, bond, bridge.',
  },
  'everyone-lost-network': {
    cause: 'This host lost the network, and no host that could run the engine VM is known to have it.',
    effect: 'The engine may be unreachable; moving it would help nobody.',
    did: 'Nothing: the fault is in the network, not in this host.',
    todo: 'Look at the management network and at the addresses that the hosts test (gateway, DNS).',
  },
  'engine-unhealthy': {
    cause: 'The engine does not answer well although its VM runs and the network is fine.',
    effect: 'The engine cannot be used; the VMs of the cluster go on running.',
    did: 'The engine VM is restarted, at most twice in two hours.',
    todo: 'If it happens again, look at the engine itself: disk space, database, /var/log/ovirt-engine/engine.log.',
  },
  'engine-starting': {
    cause: 'The engine VM is up, and the engine in it has not answered well since.',
    effect: 'The engine cannot be used yet.',
    did: 'The worker waits as long as the start gets on.',
    todo: NOTHING,
  },
  'engine-bad': {
    cause: 'The engine does not answer well.',
    effect: 'The engine may be unusable for the moment.',
    did: 'The worker waits; if it lasts, the engine VM is restarted.',
    todo: 'If you restart the engine on purpose, set global maintenance first.',
  },
  'better-host': {
    cause: 'Another host was better by 800 points for 40 beats.',
    effect: 'None: a healthy engine VM is only ever migrated for points, never stopped.',
    did: 'The engine VM is migrated there, at most twice an hour.',
    todo: 'See what this host lost points for: bellwether-host status.',
  },
  'engine-up': {
    cause: 'The engine VM runs on this host and the engine answers well.',
    effect: 'The engine can be used.',
    did: 'Nothing is needed.',
    todo: NOTHING,
  },
  'in-local-maintenance': {
    cause: 'This host is in local maintenance.',
    effect: 'It has score 0 and does not take the engine VM.',
    did: 'Nothing is ordered here as long as it is set.',
    todo: 'End it when your work is done: activate the host in the engine, or bellwether-host maintenance none.',
  },
  'runs-elsewhere': {
    cause: 'The engine VM runs on another host.',
    effect: 'None; this host stands by.',
    did: 'Nothing is needed.',
    todo: NOTHING,
  },
  'another-is-at-it': {
    cause: 'Another host has said that it starts, restarts or hands over the engine VM.',
    effect: 'None here; that host goes first as long as it lives and says so.',
    did: WAITED,
    todo: NOTHING,
  },
  'cannot-run-here': {
    cause: 'The engine VM is down, and this host could not start it.',
    effect: 'It has to be started by another host.',
    did: 'It is left to the other hosts.',
    todo: 'Look at what this host lacks; the line "Inputs" below and bellwether-host status name it.',
  },
  'owner-renews': {
    cause: 'The lease of the engine VM names another host, which still renews it.',
    effect: 'The VM runs there, or its host is not dead yet; starting it here would be refused.',
    did: WAITED,
    todo: 'If it lasts while the engine is down, look at the host that the line "Inputs" names as owner.',
  },
  'backing-off': {
    cause: 'The engine VM failed on this host twice or more.',
    effect: 'The next try here waits for 10 s up to 300 s; another host may go first.',
    did: WAITED,
    todo: 'Look at why it fails here: /var/log/libvirt/qemu/HostedEngine.log, /var/log/vdsm/vdsm.log.',
  },
  'restart-here': {
    cause: 'The engine VM ran on this host until now and went down.',
    effect: 'The engine is down until its VM has booted again.',
    did: 'The VM is started again here at once; after the third failure within 30 minutes another host takes it.',
    todo: 'If it happens again, look at /var/log/libvirt/qemu/HostedEngine.log and the journal of this host.',
  },
  listening: {
    cause: 'The worker has watched the board for too short a time to know which hosts live.',
    effect: 'It does not start the engine VM yet.',
    did: WAITED,
    todo: NOTHING,
  },
  'given-away': {
    cause: 'The engine VM was migrated away a moment ago.',
    effect: 'None; its new host is about to announce it.',
    did: WAITED,
    todo: NOTHING,
  },
  'not-my-turn': {
    cause: 'The engine VM is down, and other hosts go first in the order that all hosts compute alike.',
    effect: 'If none of them starts it, this host does within seconds.',
    did: WAITED,
    todo: NOTHING,
  },
  'start-here': {
    cause: 'No living host has the engine VM, nobody renews its lease, and it is the turn of this host.',
    effect: 'The engine is down until its VM has booted here.',
    did: 'The VM is started here; sanlock holds it back until the lease is free.',
    todo: 'Find out what happened to the host that had it: bellwether-host why, bellwether-host status.',
  },
};

export interface AlertAdvice extends Advice {
  /** For the subject of a mail. */
  readonly title: string;
}

export const ALERT_ADVICE: Readonly<Record<AlertKind, AlertAdvice>> = {
  'timeouts-differ': {
    title: 'sanlock time-outs differ, failover is off',
    cause: 'Two hosts have different sanlock or watchdog time-outs.',
    effect: 'The lease no longer protects against two engine VMs. If the engine fails now, nobody restarts it.',
    did: 'All orders are refused until the time-outs are equal.',
    todo: 'Set the same io and watchdog time-outs on all hosts, or put the host that differs into local maintenance.',
  },
  'engine-unhealthy': {
    title: 'the engine does not answer, restarts did not help',
    cause: 'The engine does not answer well although its VM was restarted twice within two hours.',
    effect: 'The engine cannot be used; the VMs of the cluster go on running.',
    did: 'Both restarts are used up; the next is tried when two hours have passed.',
    todo: 'Log in to the engine VM (hosted-engine --console) and look at disk space, database and engine.log.',
  },
  'nobody-can-run': {
    title: 'the engine VM is down and no host can start it',
    cause: 'Each host lacks something that is needed to run the engine VM.',
    effect: 'The engine is down and stays down until one host can run it.',
    did: 'All hosts wait; the first that can run it starts it by itself.',
    todo: 'See what each host lacks (bellwether-host status) and mend one of them: memory, storage, sanlock, maintenance.',
  },
  'cannot-hand-over': {
    title: 'the engine VM cannot leave this host',
    cause: 'This host is in local maintenance or shuts down, and no other host can run the engine VM.',
    effect: 'The engine VM stays here; if this host goes down, the engine goes down with it.',
    did: 'The engine VM is left where it is, and leaves as soon as another host can run it.',
    todo: 'Make another host able to run it (bellwether-host status), or end the maintenance of this one.',
  },
  'failures-here': {
    title: 'the engine VM keeps failing on this host',
    cause: 'The engine VM failed to start or crashed here several times within 30 minutes.',
    effect: 'Other hosts go first; this one is tried again with growing pauses.',
    did: 'The failures are counted against the score of this host; they fade after 30 minutes.',
    todo: 'Look at /var/log/libvirt/qemu/HostedEngine.log and /var/log/vdsm/vdsm.log on this host.',
  },
};

const UNKNOWN: Advice = {
  cause: 'A rule that this version has no words for.',
  effect: 'Not known.',
  did: 'See the line "Order" below.',
  todo: 'See bellwether-host why on this host.',
};

export function adviceFor(rule: string): Advice {
  return RULE_ADVICE[rule] ?? UNKNOWN;
}
