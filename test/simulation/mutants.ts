/**
 * Deliberate mistakes: each must be found by a scenario. They wrap the shipping decision (or bend its
 * timing, or the world's sanlock) from outside, so that the code that ships has no switch for them.
 */
import { bytesOf } from './blocks.ts';
import type { Mutant } from './cluster.ts';
import { bootMsAt } from './world/clock.ts';
import type { Memory, Observation } from '../../workers/host/core/types.ts';

/** Changes what the decision is told. */
function told(name: string, what: string, lie: (o: Observation) => Observation): Mutant {
  return { name, what, decide: (original) => (memory, o) => original(memory, lie(o)) };
}

/** Changes what the decision remembers of before. */
function remembers(name: string, what: string, forget: (m: Memory, o: Observation) => Memory): Mutant {
  return { name, what, decide: (original) => (memory, o) => original(forget(memory, o), o) };
}

const withPeers = (
  o: Observation,
  change: (o: Observation) => Partial<NonNullable<Observation['board']>>,
): Observation => (o.board === undefined ? o : { ...o, board: { ...o.board, ...change(o) } });

export interface Found {
  /** Scenarios that must fail with it. */
  readonly by: readonly string[];
}

export const MUTANTS: readonly (Mutant & Found)[] = [
  {
    ...told('global flag ignored', 'the flag is read as not set', (o) => withPeers(o, () => ({ global: false }))),
    by: ['global-maintenance'],
  },
  {
    ...told('local maintenance ignored', 'the flag is not passed on', (o) => ({ ...o, localMaintenance: false })),
    by: ['local-maintenance'],
  },
  {
    ...told('lease owner not read', 'nobody renews, as far as it knows', (o) =>
      o.lease === undefined ? o : { ...o, lease: { ...o.lease, owner: undefined } },
    ),
    by: ['worker-dead-vm-fine'],
  },
  {
    ...told('sanlock connection not watched', 'always connected', (o) =>
      o.lease === undefined ? o : { ...o, lease: { ...o.lease, connected: true } },
    ),
    by: ['sanlock-dies-and-returns'],
  },
  {
    ...told('time-outs not compared', 'every host says what this one says', (o) =>
      withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) =>
          peer.said === undefined || o.lease === undefined
            ? peer
            : {
                ...peer,
                said: { ...peer.said, watchdogSeconds: o.lease.watchdogSeconds, ioSeconds: o.lease.ioSeconds },
              },
        ),
      })),
    ),
    by: ['timeouts-differ'],
  },
  {
    ...told('network of others assumed', 'all others have the network', (o) =>
      withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) =>
          peer.said === undefined ? peer : { ...peer, said: { ...peer.said, network: 1, networkAgeMs: 0 } },
        ),
      })),
    ),
    by: ['network-lost-everywhere'],
  },
  {
    ...told('freshness of network reports not asked', 'their age counts as none', (o) =>
      withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) =>
          peer.said === undefined
            ? peer
            : { ...peer, score: 3400, said: { ...peer.said, network: 1, networkAgeMs: 0 } },
        ),
      })),
    ),
    by: ['network-lost-one-after-the-other'],
  },
  {
    name: 'no confirmation',
    what: 'one bad sample is enough',
    timing: (t) => ({ ...t, confirmMs: 0 }),
    by: ['network-flickers'],
  },
  {
    name: 'no hysteresis for health',
    what: 'sick means at once',
    timing: (t) => ({ ...t, badHealthMs: 0, bootMs: 0 }),
    by: ['engine-hangs'],
  },
  {
    ...told('unknown health is bad', 'a page that cannot be asked is a sick engine', (o) =>
      o.health?.engine === 'unknown' ? { ...o, health: { ...o.health, engine: 'bad' } } : o,
    ),
    by: ['engine-cannot-be-asked'],
  },
  {
    ...told('progress not seen', 'a slow boot looks stuck', (o) =>
      o.health === undefined ? o : { ...o, health: { ...o.health, progress: 0 } },
    ),
    by: ['engine-boots-slowly'],
  },
  {
    name: 'restarts without limit',
    what: 'a sick engine is restarted for ever',
    timing: (t) => ({ ...t, engineRestartsPerWindow: 1000 }),
    by: ['engine-never-boots'],
  },
  {
    ...remembers('restarts forgotten', 'the count of restarts is lost each turn', (m) => ({
      ...m,
      engineRestarts: [],
    })),
    by: ['engine-never-boots'],
  },
  {
    ...remembers('failures forgotten', 'the failure counter is lost each turn', (m) => ({ ...m, failures: [] })),
    by: ['vm-dies-three-times'],
  },
  {
    ...remembers('not local first', 'forgets that the VM ran here', (m, o) =>
      o.vm?.state === 'up' ? m : { ...m, mine: undefined },
    ),
    by: ['vm-dies'],
  },
  {
    name: 'never local',
    what: 'one failure is too many',
    timing: (t) => ({ ...t, failuresHere: 1 }),
    by: ['mixed-vm-dies'],
  },
  {
    ...told('memory not asked', 'every host says it could run the VM', (o) => ({
      ...withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) =>
          peer.said === undefined ? peer : { ...peer, said: { ...peer.said, cannotRun: '' } },
        ),
      })),
      host: o.host === undefined ? undefined : { ...o.host, memFreeMb: 1_000_000 },
    })),
    by: ['memory-short-on-the-next'],
  },
  {
    ...told('load counts', 'own load is taken for other trouble', (o) =>
      o.host === undefined || o.host.cpuLoad < 0.5 ? o : { ...o, host: { ...o.host, cpuLoad: 0, network: 0.4 } },
    ),
    by: ['cpu-load'],
  },
  {
    name: 'guest never forced',
    what: 'waits for a guest for ever',
    timing: (t) => ({ ...t, guestStopMs: 1e12 }),
    by: ['guest-ignores-shutdown'],
  },
  {
    name: 'peers never die',
    what: 'silence means nothing',
    timing: (t) => ({ ...t, peerDeadBeats: 1e6, referenceDeadMs: 1e12 }),
    by: ['host-dies'],
  },
  {
    name: 'stale board acted on',
    what: 'a board of an hour ago is fresh',
    timing: (t) => ({ ...t, freshMs: 3_600_000 }),
    by: ['storage-hangs-while-the-engine-is-sick'],
  },
  {
    ...told('VDSM not waited for', 'an old fact of the VM passes for new', (o) =>
      o.vm === undefined ? o : { ...o, vm: { ...o.vm, atMs: o.nowMs } },
    ),
    by: ['vdsm-hangs'],
  },
  {
    ...told('bridge not watched', 'the bridge is always up', (o) =>
      o.host === undefined ? o : { ...o, host: { ...o.host, bridgeUp: true } },
    ),
    by: ['bridge-down'],
  },
  {
    name: 'lease given too early',
    what: 'sanlock of the world gives a lease away 70 s too soon: the checker must see two VMs',
    world: (world) => {
      world.leaseGivenEarlyMs = 70_000;
    },
    by: ['storage-hangs-on-one'],
  },
  {
    ...remembers('refused start repeated', 'that the lease was refused is forgotten', (m) => {
      const { given: _, ...windows } = m.windows;
      return { ...m, windows };
    }),
    by: ['refused-start-is-not-repeated-at-once'],
  },
  {
    ...remembers('accepted start not believed', 'a start that is over before a look never was', (m, o) =>
      m.vmState === 'launching' && o.vm?.state === 'down' ? { ...m, vmState: 'absent' } : m,
    ),
    by: ['refused-start-is-not-repeated-at-once'],
  },
  {
    ...told('priority ignored', 'all priorities are equal', (o) => ({
      ...withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) =>
          peer.said === undefined ? peer : { ...peer, said: { ...peer.said, priority: 0 } },
        ),
      })),
      settings: { ...o.settings, priority: 0 },
    })),
    by: ['priority-decides'],
  },
  {
    ...told('clock compared across hosts', 'a peer whose clock shows another time counts as gone', (o) =>
      withPeers(o, () => ({
        peers: (o.board?.peers ?? []).filter((peer) => Math.abs(peer.ts - o.nowMs / 1000) < 60),
      })),
    ),
    by: ['local-maintenance-alone'],
  },
  {
    ...told('any block is a sign of life', 'peers are alive as long as their slots can be read', (o) =>
      withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) => ({ ...peer, ts: Math.floor(o.nowMs / 1000) })),
      })),
    ),
    by: ['host-dies'],
  },
  {
    name: 'wall clock for the own clock',
    what: 'the clock steps with that on the wall',
    env: (env, _world, host) => ({ ...env, bootMs: () => env.bootMs() + host.wallOffsetMs }),
    by: ['clock-of-1970-at-boot'],
  },
  {
    name: 'late order given',
    what: 'how long a turn took is not looked at',
    env: (env, world, host) => ({ ...env, bootMs: () => bootMsAt(host, world.now) }),
    by: ['disk-slow-and-crash-after-crash'],
  },
  {
    name: 'act before the record',
    what: 'nothing is written down before an order',
    env: (env) => ({ ...env, journal: () => true }),
    by: ['vm-dies'],
  },
  {
    name: 'full disk stops all',
    what: 'what cannot be recorded is not done',
    env: (env) => {
      let recorded = true;
      return {
        ...env,
        journal: (entry) => (recorded = env.journal(entry)),
        order: (id, action) => {
          if (recorded) env.order(id, action);
        },
      };
    },
    by: ['disk-full'],
  },
  {
    name: 'slot of another host',
    what: 'host 3 writes the block of host 2',
    env: (env, _world, host) => ({
      ...env,
      writeSlot: (bytes) => {
        if (host.id !== 3) {
          env.writeSlot(bytes);
          return;
        }
        const text = bytesOf(bytes).toString('latin1');
        env.writeSlot(Buffer.from(text.replace(/^(\d+\|\d+\|\d+\|)\d+/, '$12'), 'latin1'));
      },
    }),
    by: ['host-dies'],
  },
  {
    name: 'nothing kept',
    what: 'a worker that restarts knows nothing of before',
    env: (env) => ({ ...env, load: () => undefined }),
    by: ['worker-restarts-while-the-engine-is-sick'],
  },
  {
    ...told('global flag read seldom', 'the flag is looked at once a minute', (o) =>
      withPeers(o, () => ({ global: o.nowMs % 60_000 < 4000 ? o.board?.global : undefined })),
    ),
    by: ['global-maintenance'],
  },
  {
    ...told('maintenance of others not asked', 'every host is ready to take the VM', (o) =>
      withPeers(o, () => ({
        peers: (o.board?.peers ?? []).map((peer) => ({
          ...peer,
          maintenance: false,
          score: 3400,
          said: peer.said && { ...peer.said, cannotRun: '' },
        })),
      })),
    ),
    by: ['local-maintenance-of-all'],
  },
  {
    name: 'no hold time',
    what: 'a moment of a better score is enough, as soon as the VM has arrived',
    timing: (t) => ({ ...t, holdMs: 0, residenceMs: 0 }),
    by: ['network-loses-half-for-an-hour'],
  },
  {
    name: 'no move budget',
    what: 'the engine may move as often as it likes',
    timing: (t) => ({ ...t, movesPerHour: 1000 }),
    by: ['network-lost-again-and-again'],
  },
  {
    name: 'no turns',
    what: 'all hosts start it as soon as it is open',
    timing: (t) => ({ ...t, turnMs: 0 }),
    by: ['network-lost-migration-fails'],
  },
  {
    name: 'owner silent a beat too short',
    what: 'a start is issued before a living owner must have renewed',
    timing: (t) => ({ ...t, ownerSilentMs: t.beatMs }),
    by: ['freeze-shorter-than-the-lease'],
  },
  {
    name: 'launch given up too early',
    what: 'the start is destroyed before sanlock can have given the lease',
    timing: (t) => ({ ...t, launchMs: t.hostDeadMs / 2 }),
    by: ['drift-then-host-dies'],
  },
  {
    name: 'no pause between tries',
    what: 'failures fade at once',
    timing: (t) => ({ ...t, failureFadeMs: 1 }),
    by: ['start-fails-everywhere'],
  },
];
