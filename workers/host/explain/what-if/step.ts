/** Virtual time: each host looks, decides by the shipping `decide`, gives its order and writes its slot, as the loop does. */
import { readSlot, slotOf } from '../../announce.ts';
import { decide } from '../../core/decide.ts';
import { RULES } from '../../core/rules.ts';
import { hindranceOf } from '../../core/situation.ts';
import type { Decision, HealthFact, LeaseFact, Observation, VmFact } from '../../core/types.ts';
import { expire, order } from './vm.ts';
import { answering, hostById, renews, say, type VirtualHost, type VirtualWorld } from './world.ts';

const STEP_MS = 250;
const LONGEST_MS = 900_000;
/** So long without anything new, the engine answering: nothing more is to come. */
const QUIET_MS = 300_000;
const PROGRESS_MS = 30_000;
/** Waiting for an answer is no news, and what the VM itself does is told anyway. */
const SILENT_RULES: ReadonlySet<string> = new Set(['order-running', 'fact-before-order']);
const TOLD_BY_VM: ReadonlySet<string> = new Set(['launching', 'migrating', 'engine-starting', 'engine-up']);
const RULE: ReadonlyMap<string, (typeof RULES)[number]> = new Map(RULES.map((rule) => [rule.name, rule]));

function vmFact(world: VirtualWorld, host: VirtualHost): VmFact | undefined {
  if (!host.vdsm) return host.oldVm;
  const { vm } = host;
  if (vm === undefined) return { atMs: world.now, state: 'absent', detail: 'Down' };
  return { atMs: world.now, state: vm.state, detail: vm.state, ...(vm.exit === undefined ? {} : { exit: vm.exit }) };
}

function healthFact(world: VirtualWorld, host: VirtualHost): HealthFact | undefined {
  const { vm } = host;
  if (vm === undefined) return undefined;
  const { now } = world;
  const bootsUntilMs = Number.isFinite(vm.healthyFromMs) ? Math.min(now, vm.healthyFromMs) : vm.bornMs;
  const good = vm.runs && now >= vm.healthyFromMs;
  // A page that cannot be asked says nothing.
  const engine = host.reachable ? (good ? 'good' : 'bad') : 'unknown';
  return { atMs: now, engine, progress: Math.floor((bootsUntilMs - vm.bornMs) / PROGRESS_MS) };
}

function leaseFact(world: VirtualWorld, host: VirtualHost): LeaseFact {
  const { lease, now } = world;
  const { owner, silentSinceMs } = lease;
  const known = host.storage && owner !== undefined;
  // A living owner's renewals are half a period old on average.
  const silentMs = silentSinceMs === undefined ? host.sanlock.ioSeconds * 1000 : now - silentSinceMs;
  return {
    atMs: now,
    connected: host.connected,
    joined: host.joined,
    owner: known ? owner : undefined,
    ownerSilentMs: known ? silentMs : undefined,
    ioSeconds: host.sanlock.ioSeconds,
    watchdogSeconds: host.sanlock.watchdogSeconds,
  };
}

function observe(world: VirtualWorld, host: VirtualHost): Observation {
  const { now } = world;
  const done = host.done;
  host.done = [];
  const fact = host.host;
  return {
    nowMs: now,
    settings: host.settings,
    board: host.board,
    vm: vmFact(world, host),
    health: healthFact(world, host),
    host: fact === undefined || !host.monitored ? fact : { ...fact, atMs: now, networkAtMs: now - (now % 2000) },
    lease: leaseFact(world, host),
    storage: { atMs: now, ok: host.storage },
    // While the VM runs on it, the reference's agent does not heed local maintenance (ha-agent.md 2.2).
    localMaintenance: host.localMaintenance && !(host.basis === 'assumed' && host.vm?.runs === true),
    done,
  };
}

function write(world: VirtualWorld, host: VirtualHost, o: Observation, decision: Decision): void {
  if (!host.storage) return;
  const slot = slotOf(o, decision, {
    hostname: `host${host.id}`,
    wallMs: 0,
    stopped: false,
    confMs: 0,
    cannotRun: hindranceOf(decision.memory, o),
  });
  const read = slot.ok ? readSlot(host.id, slot.bytes) : undefined;
  if (read?.kind !== 'host') return;
  const out = world.now < host.outUntilMs;
  const report = out ? { ...read.report, score: 0, vm: 'down' } : read.report;
  world.board.set(host.id, host.basis === 'assumed' ? { ...report, said: undefined } : report);
}

/** A host that stands by while the VM runs elsewhere is no news either. */
function isNews(world: VirtualWorld, rule: string): boolean {
  if (SILENT_RULES.has(rule) || TOLD_BY_VM.has(rule) || rule === 'runs-elsewhere') return false;
  return RULE.get(rule)?.group !== 'VM not here' || !world.hosts.some((host) => host.on && host.vm?.runs === true);
}

/** What a rule does that orders nothing now. */
function waitingWords(decision: Decision, rule: string): string {
  const inputs = decision.reasons[0]?.inputs ?? {};
  if (inputs['confirming'] === true) return 'waits whether it lasts';
  if (inputs['target'] === 'none') return 'keeps the engine VM: no other host can run it';
  if (inputs['movesLeft'] === 0) return 'keeps the engine VM: it moved often enough within an hour';
  return RULE.get(rule)?.does ?? rule;
}

/** What is told of a decision: orders, alerts, and a rule that is new. */
function tell(world: VirtualWorld, host: VirtualHost, decision: Decision): void {
  const rule = decision.reasons[0]?.rule ?? '';
  const action = decision.action?.action;
  if (action !== undefined) {
    const what = {
      start: 'orders the start of the engine VM',
      shutdown: 'tells the guest to shut down',
      destroy: 'forces the engine VM off',
      migrate: 'orders the migration',
    }[action.kind];
    const to = action.kind === 'migrate' ? ` to ${hostById(world, action.to)?.name ?? `host ${action.to}`}` : '';
    say(world, host, 'order', `${what}${to}`, rule);
  } else if (rule !== host.rule && isNews(world, rule)) say(world, host, 'rule', waitingWords(decision, rule), rule);
  for (const alert of decision.alerts) say(world, host, 'alert', alert.text, rule);
  if (!SILENT_RULES.has(rule)) host.rule = rule;
}

function turn(world: VirtualWorld, host: VirtualHost): void {
  const due = world.now >= host.nextBeatMs;
  const events = host.poked && host.basis !== 'assumed';
  if (!due && !events) return;
  host.poked = false;
  if (due) {
    host.nextBeatMs = world.now + host.settings.timing.beatMs;
    if (host.storage) {
      const peers = [...world.board.values()];
      host.board = { readMs: world.now, global: world.global, peers, unreadable: world.unreadable };
    }
  }
  const o = observe(world, host);
  const before = host.memory;
  const decision = decide(before, o);
  if (world.now < host.outUntilMs) {
    // The reference's agent gives no order while its host is out; its memory goes on.
    host.memory = { ...decision.memory, pending: undefined, claim: '', mine: undefined };
    if (due) write(world, host, o, decision);
    return;
  }
  host.memory = decision.memory;
  tell(world, host, decision);
  if (decision.action !== undefined) order(world, host, decision.action.id, decision.action.action);
  const after = decision.memory;
  const news =
    before.state !== after.state ||
    before.claim !== after.claim ||
    before.vmState !== after.vmState ||
    before.windows['network-lost'] !== after.windows['network-lost'];
  if (due || news) write(world, host, o, decision);
}

function happen(world: VirtualWorld): void {
  const due = world.planned.filter((each) => each.atMs <= world.now);
  if (due.length === 0) return;
  world.planned = world.planned.filter((each) => each.atMs > world.now);
  for (const each of due.sort((a, b) => a.atMs - b.atMs)) each.happen();
}

/** What each other host has read and by which rule it goes before the event: only what changes after it is told. */
export function settle(world: VirtualWorld): void {
  for (const host of world.hosts) {
    if (!host.on || !host.works || host.basis === 'exact') continue;
    const peers = [...world.board.values()];
    const board = { readMs: world.now, global: world.global, peers, unreadable: world.unreadable };
    host.board = board;
    const { reasons } = decide(host.memory, observe(world, host));
    host.rule = reasons[0]?.rule ?? '';
  }
}

export interface Outage {
  readonly fromMs: number;
  /** undefined: it lasts still at the end of the forecast. */
  readonly toMs: number | undefined;
}

export interface Run {
  readonly outages: readonly Outage[];
  /** Times without the VM's vCPUs running anywhere. */
  readonly down: readonly Outage[];
  /** Ended because nothing more was to come, not because the time was over. */
  readonly steady: boolean;
}

/** Begins and ends a span whenever `holds` changes. */
function spans(): { note(nowMs: number, holds: boolean): void; all(): readonly Outage[] } {
  const found: { fromMs: number; toMs: number | undefined }[] = [];
  return {
    note(nowMs, holds) {
      const last = found.at(-1);
      const open = last !== undefined && last.toMs === undefined;
      if (holds && !open) found.push({ fromMs: nowMs, toMs: undefined });
      else if (!holds && open) last.toMs = nowMs;
    },
    all: () => found,
  };
}

/** Until the engine answers and nothing happened for five minutes, or 15 virtual minutes are over. */
export function runWorld(world: VirtualWorld): Run {
  const outages = spans();
  const down = spans();
  let engineOn: VirtualHost | undefined;
  let quietSinceMs = world.now;
  let events = world.log.length;
  const endMs = world.startMs + LONGEST_MS;
  for (; world.now <= endMs; world.now += STEP_MS) {
    happen(world);
    for (const host of world.hosts) {
      if (!host.on) continue;
      expire(world, host);
      if (host.works) turn(world, host);
    }
    const answers = answering(world);
    if (answers !== undefined && answers !== engineOn && world.now > world.startMs)
      say(world, answers, 'vm', 'the engine answers');
    engineOn = answers ?? engineOn;
    if (answers === undefined) engineOn = undefined;
    outages.note(world.now, answers === undefined);
    down.note(world.now, !world.hosts.some((host) => host.on && host.vm?.runs === true));
    if (world.log.length !== events) {
      events = world.log.length;
      quietSinceMs = world.now;
    }
    if (answers !== undefined && world.now - quietSinceMs >= QUIET_MS) {
      return { outages: outages.all(), down: down.all(), steady: true };
    }
  }
  return { outages: outages.all(), down: down.all(), steady: false };
}

/** Where the VM runs in the end, and whether the engine in it answers. */
export function endOf(world: VirtualWorld): {
  host: VirtualHost | undefined;
  answers: boolean;
  waits: VirtualHost | undefined;
} {
  const host = world.hosts.find((each) => each.on && each.vm?.runs === true);
  const waits = world.hosts.find((each) => each.on && each.vm?.state === 'launching' && renews(each));
  return { host, answers: answering(world) !== undefined, waits };
}
