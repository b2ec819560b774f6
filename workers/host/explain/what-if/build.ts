/** The world of `what-if` from a snapshot: this host exactly, the others from what they wrote on the board. */
import { readSlot, slotOf } from '../../announce.ts';
import { emptyMemory } from '../../core/remember.ts';
import { WEIGHTS } from '../../core/score.ts';
import { NETWORK_QUORUM } from '../../core/situation.ts';
import { timingOf, type Timing } from '../../core/timing.ts';
import type { HostFact, Memory, PeerMemory, PeerReport, Settings } from '../../core/types.ts';
import { lives, nameOf, peersOf, type View } from '../view.ts';
import { acquire, migrate, order, stopGuest } from './vm.ts';
import { ASSUMED, hostById, plan, type VirtualHost, type VirtualVm, type VirtualWorld } from './world.ts';

const REFERENCE_BEAT_MS = 10_000;

/** What the reference's agent is taken for: slower, without turns by seconds, and 60 s for everything (ha-agent.md 2.4, 1.6). */
function referenceTiming(t: Timing): Timing {
  return {
    ...t,
    beatMs: REFERENCE_BEAT_MS,
    freshMs: 2 * REFERENCE_BEAT_MS,
    peerDeadBeats: 6,
    listenMs: 60_000,
    confirmMs: REFERENCE_BEAT_MS,
    turnMs: REFERENCE_BEAT_MS,
    ownerSilentMs: 0,
  };
}

function timingFor(v: View, report: PeerReport): Timing {
  const { said } = report;
  if (said === undefined) return referenceTiming(v.t);
  const { ioSeconds, watchdogSeconds, intervalMs } = said;
  const same = ioSeconds === v.t.profile.ioSeconds && watchdogSeconds === v.t.profile.watchdogSeconds;
  const t = same ? v.t : timingOf({ name: 'announced', ioSeconds, watchdogSeconds }, v.t);
  return t.beatMs === intervalMs ? t : { ...t, beatMs: intervalMs, freshMs: 2 * intervalMs };
}

/** Facts from which the score comes out as it was announced; CPU load stands for what is not explained. */
function hostFact(v: View, report: PeerReport): HostFact {
  const { said } = report;
  const cannotRun = said?.cannotRun ?? '';
  const announced = said?.network ?? (report.score > WEIGHTS.base - WEIGHTS.network / 2 ? 1 : 0);
  let missing = report.score <= 0 ? 0 : WEIGHTS.base - report.score - (said?.failures ?? 0) * WEIGHTS.failure;
  const bridgeDown = said?.network === 0 && missing >= WEIGHTS.bridge && missing < WEIGHTS.network;
  missing -= bridgeDown ? WEIGHTS.bridge : Math.trunc((1 - announced) * WEIGHTS.network);
  const short = cannotRun.includes('memory');
  if (short) missing -= WEIGHTS.memory;
  const oldConf = missing > WEIGHTS.cpuLoad;
  if (oldConf) missing -= WEIGHTS.confNotUpToDate;
  const share = Math.min(1, Math.max(0, missing) / WEIGHTS.cpuLoad);
  const load = WEIGHTS.cpuLoadMin + share * (WEIGHTS.cpuLoadMax - WEIGHTS.cpuLoadMin);
  return {
    atMs: v.now,
    network: bridgeDown ? 1 : announced,
    networkAtMs: v.now - Math.min(said?.networkAgeMs ?? 0, 60_000),
    bridgeUp: !bridgeDown,
    cpuLoad: missing <= 0 ? 0 : load + 1e-9,
    memFreeMb: short ? 0 : v.o.settings.vmMemoryMb,
    confUpToDate: !oldConf,
    shuttingDown: cannotRun.includes('shutting down'),
  };
}

function vmOf(v: View, state: VirtualVm['state'], good: boolean, starting: boolean): VirtualVm {
  const runs = state === 'up' || state === 'stopping' || state === 'leaving';
  const healthyFromMs = good ? v.now : starting ? v.now + ASSUMED.bootMs : Number.POSITIVE_INFINITY;
  return { state, exit: undefined, runs, bornMs: v.now, healthyFromMs };
}

/** What others would know of this host. */
function ownReport(v: View): PeerReport | undefined {
  const slot = slotOf(v.o, v.decision, {
    hostname: `host${v.o.settings.hostId}`,
    wallMs: 0,
    stopped: false,
    confMs: v.snapshot.startedMs,
    cannotRun: v.s.cannotRun,
  });
  const read = slot.ok ? readSlot(v.o.settings.hostId, slot.bytes) : undefined;
  return read?.kind === 'host' ? read.report : undefined;
}

function memoryFor(v: View, report: PeerReport, peers: ReadonlyMap<number, PeerMemory>): Memory {
  const { said } = report;
  const longAgoMs = v.now - 3_600_000;
  const has = report.vm === 'up';
  return emptyMemory(longAgoMs, {
    lookedMs: v.now,
    boardSinceMs: longAgoMs,
    global: v.m.global,
    peers: new Map([...peers].filter(([id]) => id !== report.id)),
    vmState: has ? 'up' : 'absent',
    mine: has ? { sinceMs: longAgoMs, healthyMs: report.health === 'good' ? longAgoMs : undefined } : undefined,
    progress: { value: 0, changedMs: v.now },
    failures: Array.from({ length: said?.failures ?? 0 }, () => v.now - v.t.failureFadeMs / 2),
    moves: (said?.moves ?? []).map((age) => v.now - age * 1000),
    claim: has ? '' : (said?.claim ?? ''),
    score: report.score,
    state: has ? 'EngineUp' : 'EngineDown',
    rule: has ? 'engine-up' : 'runs-elsewhere',
  });
}

function peerHost(v: View, peer: PeerMemory, peers: ReadonlyMap<number, PeerMemory>): VirtualHost {
  const { report } = peer;
  const { said } = report;
  const cannotRun = said?.cannotRun ?? '';
  const on = lives(v, peer) || report.stopped;
  const timing = timingFor(v, report);
  const settings: Settings = {
    ...v.o.settings,
    hostId: report.id,
    timing,
    priority: said?.priority ?? 0,
    canMigrate: said !== undefined && v.o.settings.canMigrate,
  };
  const host = hostFact(v, report);
  return {
    id: report.id,
    name: nameOf(v, report.id),
    basis: said === undefined ? 'assumed' : 'announced',
    settings,
    sanlock: said ?? v.o.lease ?? v.t.profile,
    on,
    works: on && !report.stopped,
    vdsm: !cannotRun.includes('VDSM'),
    storage: !cannotRun.includes('storage'),
    connected: !cannotRun.includes('sanlock'),
    joined: !cannotRun.includes('lockspace'),
    renewedMs: v.now,
    reachable: host.network >= NETWORK_QUORUM && host.bridgeUp !== false,
    host: cannotRun === 'own state unknown' ? undefined : host,
    monitored: true,
    localMaintenance: report.maintenance,
    vm: report.vm === 'up' && on ? vmOf(v, 'up', report.health === 'good', true) : undefined,
    oldVm: undefined,
    memory: memoryFor(v, report, peers),
    board: undefined,
    done: [],
    // Hosts do not beat at one moment: spread by their ids.
    nextBeatMs: v.now + ((report.id * 700) % timing.beatMs),
    poked: false,
    outUntilMs: 0,
    rule: '',
  };
}

function ownHost(v: View): VirtualHost {
  const { o, m } = v;
  const { host, lease } = o;
  const good = o.health?.engine === 'good' || (o.health?.engine === 'unknown' && m.mine?.healthyMs !== undefined);
  return {
    id: o.settings.hostId,
    name: nameOf(v, o.settings.hostId),
    basis: 'exact',
    settings: o.settings,
    sanlock: lease ?? v.t.profile,
    on: true,
    works: true,
    vdsm: v.s.vm !== undefined,
    storage: v.s.boardFresh && o.storage?.ok === true,
    connected: lease?.connected === true,
    joined: lease?.joined === true,
    renewedMs: Math.min(v.now, o.board?.readMs ?? v.now) - v.t.profile.ioSeconds * 1000,
    reachable: host === undefined || (host.network >= NETWORK_QUORUM && host.bridgeUp !== false),
    host,
    monitored: v.s.host !== undefined,
    localMaintenance: o.localMaintenance,
    vm: v.hosting ? vmOf(v, m.vmState, good, m.mine?.healthyMs === undefined) : undefined,
    oldVm: o.vm,
    memory: m,
    board: o.board,
    done: [],
    nextBeatMs: o.nowMs + v.t.beatMs,
    poked: false,
    outUntilMs: 0,
    rule: m.rule,
  };
}

/** Who has the lease: sanlock's word, else the board's. */
function leaseFor(v: View, hosts: readonly VirtualHost[]): VirtualWorld['lease'] {
  const { lease } = v.o;
  const renewing = (id: number) => hosts.some((host) => host.id === id && host.on && host.storage && host.joined);
  if (lease !== undefined && v.s.lease !== undefined && v.s.boardFresh) {
    if (lease.owner === undefined) return { owner: undefined, silentSinceMs: undefined };
    const silentSinceMs = lease.atMs - (lease.ownerSilentMs ?? 0);
    return { owner: lease.owner, silentSinceMs: renewing(lease.owner) ? undefined : silentSinceMs };
  }
  const holder = hosts.find((host) => host.vm !== undefined && host.vm.state !== 'launching');
  if (holder === undefined) return { owner: undefined, silentSinceMs: undefined };
  return { owner: holder.id, silentSinceMs: renewing(holder.id) ? undefined : (v.o.board?.readMs ?? v.now) };
}

/** What is under way here now goes on in the world. */
function underWay(v: View, world: VirtualWorld, own: VirtualHost): void {
  const { vm } = own;
  const { pending } = v.m;
  if (vm?.state === 'launching') plan(world, 0, () => acquire(world, own, vm));
  else if (vm?.state === 'stopping') stopGuest(world, own);
  else if (vm?.state === 'leaving')
    migrate(world, own, hostById(world, v.m.movingTo ?? v.s.candidates.find((each) => each.id !== own.id)?.id));
  else if (vm?.state === 'arriving') {
    const from = world.hosts.find((host) => host !== own && host.vm?.runs === true);
    own.vm = undefined;
    if (from !== undefined) migrate(world, from, own);
  }
  if (pending !== undefined) order(world, own, pending.id, pending.action);
}

/** Nothing of it is shared with the snapshot but values that nobody changes. */
export function buildWorld(v: View): VirtualWorld {
  const report = ownReport(v);
  const { hostId } = v.o.settings;
  const peers = new Map(v.m.peers);
  if (report !== undefined) peers.set(hostId, { ts: report.ts, changedMs: v.o.nowMs, changes: 1, report });
  const hosts = [ownHost(v), ...peersOf(v).map((peer) => peerHost(v, peer, peers))].sort((a, b) => a.id - b.id);
  const world: VirtualWorld = {
    startMs: v.now,
    now: v.now,
    hosts,
    board: new Map([...peers].map(([id, peer]) => [id, peer.report])),
    unreadable: v.o.board?.unreadable ?? [],
    global: v.m.global,
    lease: leaseFor(v, hosts),
    planned: [],
    log: [],
    leaseWaited: false,
  };
  for (const host of hosts)
    if (host.basis !== 'exact' && host.vm !== undefined && world.lease.owner !== host.id)
      host.vm = waiting(world, host, host.vm);
  const own = hostById(world, hostId);
  if (own !== undefined) underWay(v, world, own);
  return world;
}

/** A host that shows the VM and has not got its lease is still starting it. */
function waiting(world: VirtualWorld, host: VirtualHost, vm: VirtualVm): VirtualVm {
  if (world.lease.owner === undefined) {
    world.lease.owner = host.id;
    return vm;
  }
  Object.assign(vm, { state: 'launching', runs: false, healthyFromMs: Number.POSITIVE_INFINITY });
  host.memory = { ...host.memory, vmState: 'launching', mine: undefined, claim: 'start', vmChangedMs: world.now };
  plan(world, 0, () => acquire(world, host, vm));
  return vm;
}
