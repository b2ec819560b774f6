/** The first lines of `why`: where the engine VM is, as far as this host can tell, and how it came there. */
import { RULES } from '../core/rules.ts';
import type { JournalEntry } from '../env.ts';
import { lives, nameOf, peersOf, type View } from './view.ts';
import { span } from './words.ts';

const PAGE = { good: 'the engine answers well', bad: 'the engine does not answer well' } as const;

function engineNow(v: View): string {
  const { health } = v.o;
  if (health === undefined || health.engine === 'unknown') return 'whether the engine answers is not known';
  const badSince = v.m.windows['engine-bad'];
  if (health.engine === 'good' || badSince === undefined) return PAGE[health.engine];
  return `${PAGE.bad} (for ${span(v.now - badSince)})`;
}

function here(v: View): string {
  const me = nameOf(v, v.o.settings.hostId);
  const since = span(v.now - v.m.vmChangedMs);
  switch (v.m.vmState) {
    case 'launching':
      return `The engine VM is being started here, on ${me}, for ${since}.`;
    case 'paused':
      return `The engine VM is here, on ${me}, and paused for ${since}: the engine is down.`;
    case 'stopping':
      return `The engine VM is here, on ${me}, and shutting down for ${since}.`;
    case 'leaving':
      return `The engine VM is here, on ${me}, and migrates away for ${since}; ${engineNow(v)}.`;
    case 'arriving':
      return `The engine VM is on its way to this host, ${me}, for ${since}.`;
    default:
      return `The engine VM runs here, on ${me}, for ${span(v.now - (v.m.mine?.sinceMs ?? v.m.vmChangedMs))}; ${engineNow(v)}.`;
  }
}

function there(v: View): string {
  const { elsewhere, claimant } = v.s;
  if (elsewhere !== undefined) {
    const { health, id } = elsewhere.report;
    const well = health === 'good' ? 'the engine answers well' : 'the engine does not answer well, or is starting';
    return `The engine VM is on ${nameOf(v, id)}, as that host wrote ${span(v.now - elsewhere.changedMs)} ago; ${well}.`;
  }
  if (claimant !== undefined)
    return `The engine VM is down; ${nameOf(v, claimant.report.id)} has said that it sees to it.`;
  const last = peersOf(v).find((peer) => peer.report.vm === 'up' && !lives(v, peer));
  if (last !== undefined)
    return `The engine VM was on ${nameOf(v, last.report.id)}, which has been silent for ${span(v.now - last.changedMs)}. It runs on no host that is known to live.`;
  return 'The engine VM runs on no host that is known to live: the engine is down.';
}

/** One or two sentences. */
export function whereIsIt(v: View): string {
  const known = v.s.vm !== undefined;
  if (v.hosting) {
    return known ? here(v) : `When VDSM answered last (${span(v.now - (v.o.vm?.atMs ?? v.now))} ago): ${here(v)}`;
  }
  if (v.o.board === undefined) return 'Where the engine VM is cannot be told: what the other hosts say was never read.';
  return known ? there(v) : `Whether the engine VM is on this host is not known. ${there(v)}`;
}

const whenOf = (rule: string) => RULES.find((each) => each.name === rule)?.when ?? rule;

function orderWords(entry: JournalEntry): string {
  const { order } = entry;
  if (order === undefined) return '';
  const rule = entry.reasons[0]?.rule ?? '';
  const what = { start: 'start', shutdown: 'shutdown of the guest', destroy: 'force-off', migrate: 'migration' }[
    order.kind
  ];
  return `${what}${order.kind === 'migrate' ? ` to host ${order.to}` : ''} ordered, as ${whenOf(rule)} (${rule})`;
}

/** Why the VM is here and not elsewhere, from the rounds that are remembered. */
export function howItCame(v: View): string | undefined {
  const { mine } = v.m;
  if (!v.hosting || mine === undefined || v.m.vmState === 'launching') return undefined;
  const before = v.snapshot.recent.filter((entry) => entry.atMs <= mine.sinceMs);
  const ago = (atMs: number) => `${span(v.now - atMs)} ago`;
  for (const entry of before.toReversed()) {
    if (entry.order?.kind === 'start' && mine.sinceMs - entry.atMs <= v.t.launchMs)
      return `Here because this host started it ${ago(entry.atMs)}: ${whenOf(entry.reasons[0]?.rule ?? '')}.`;
    if (entry.observation.vm?.state === 'arriving' && mine.sinceMs - entry.atMs <= v.t.launchMs)
      return `Here because it came by migration ${ago(mine.sinceMs)}.`;
  }
  return mine.sinceMs - v.snapshot.startedMs <= v.t.freshMs
    ? 'Here because it ran here already when this worker began.'
    : undefined;
}

/** The last orders of this host, newest first; those that brought the VM here are told by `howItCame`. */
export function lately(v: View, count: number): readonly string[] {
  const sinceMs = howItCame(v) === undefined ? Number.NEGATIVE_INFINITY : (v.m.mine?.sinceMs ?? 0);
  return v.snapshot.recent
    .filter((entry) => entry.order !== undefined && entry.atMs > sinceMs)
    .toReversed()
    .slice(0, count)
    .map((entry) => `${span(v.now - entry.atMs)} ago: ${orderWords(entry)}`);
}
