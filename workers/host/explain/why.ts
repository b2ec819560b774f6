/** `bellwether-host why`: one screen in plain words. Needs no board, no VDSM, no storage, not even a first round. Pure. */
import { RULES } from '../core/rules.ts';
import { byTurn, candidateOf } from '../core/peers.ts';
import type { PeerMemory } from '../core/types.ts';
import type { Snapshot } from '../snapshot.ts';
import { factsOf } from './facts.ts';
import { boardAgeMs, peerHindrance, isStuck, lives, nameOf, peersOf, viewOf, type View } from './view.ts';
import { howItCame, lately, whereIsIt } from './why-where.ts';
import { wordsOf } from './why-rules.ts';
import type { Due } from './why-words.ts';
import { labelled, span } from './words.ts';

export const LINES = 24;
const OTHERS = 5;

const GLOSSARY: readonly (readonly [RegExp, string])[] = [
  [/\blease\b/, 'lease: the lock on the storage that only the host of the engine VM can have (by sanlock)'],
  [/\bboard\b/, 'board: what all hosts write to the shared storage every few seconds (HA metadata)'],
  [/\bbeats?\b/, 'beat: one round of a worker: it reads the board, decides, and writes its own part'],
  [/\bVDSM\b/, 'VDSM: the service that runs the VMs of a host'],
  [/\bscore\b/, 'score: 0 to 3400, how fit a host is to run the engine VM'],
];

/** Texts of one label, and how soon they give way when the screen is full (0: never). */
interface Section {
  readonly label: string;
  readonly givesWay: number;
  readonly texts: readonly string[];
  /** Not more of them than this. */
  readonly most?: number;
}

/** The first texts, and how many there are beyond them. */
function shown({ label, texts }: Section, count: number): readonly string[] {
  const more = texts.length - count;
  if (more <= 0) return labelled(label, texts);
  if (label !== 'others') return labelled(label, texts.slice(0, count));
  return labelled(label, [...texts.slice(0, count), `and ${more} more: \`bellwether-host status\``]);
}

/** Cut to one screen: what matters least goes first, from its end. */
function fit(sections: readonly Section[]): string {
  const counts = new Map(sections.map((each) => [each, Math.min(each.texts.length, each.most ?? LINES)]));
  const lines = () => sections.flatMap((each) => shown(each, counts.get(each) ?? 0));
  for (let level = Math.max(...sections.map((each) => each.givesWay)); level > 0; level -= 1) {
    for (const section of sections) {
      for (let count = counts.get(section) ?? 0; section.givesWay === level && count > 0;) {
        if (lines().length <= LINES) return lines().join('\n');
        count -= 1;
        counts.set(section, count);
      }
    }
  }
  return lines().slice(0, LINES).join('\n');
}

/** Before or after this host, where it is the order that decides who starts the engine VM. */
function turn(v: View, peer: PeerMemory): string {
  if (v.hosting || v.s.elsewhere !== undefined || v.s.cannotRun !== '') return '';
  const { settings } = v.o;
  const exhausted = v.m.failures.length >= v.t.failuresHere;
  const own = { id: settings.hostId, score: v.m.score, priority: settings.priority, exhausted };
  return `, goes ${byTurn(candidateOf(peer.report, v.t), own) < 0 ? 'before' : 'after'} this host`;
}

/** Could it start the engine VM, and if not, why not. */
function otherHost(v: View, peer: PeerMemory): string {
  const { id, vm, score, said } = peer.report;
  const kind = said === undefined ? ', the reference’s agent' : '';
  const hindrance = peerHindrance(v, peer);
  const has = vm === 'up' ? 'has the engine VM' : undefined;
  if (hindrance !== '') {
    const had = vm === 'up' ? `${lives(v, peer) ? 'has' : 'had'} the engine VM; ` : 'cannot start it: ';
    return `${nameOf(v, id)}: ${had}${hindrance}${kind}`;
  }
  const network = said !== undefined && said.network < 1 ? `, network ${Math.round(said.network * 100)} %` : '';
  return `${nameOf(v, id)}: ${has ?? 'could start it'} (score ${score}${network}${kind})${vm === 'up' ? '' : turn(v, peer)}`;
}

function others(v: View): readonly string[] {
  const lines = [
    ...peersOf(v).map((peer) => otherHost(v, peer)),
    ...(v.o.board?.unreadable ?? []).map(({ id, why }) => `host ${id}: its notes cannot be read (${why})`),
  ];
  if (lines.length === 0) return ['none is known'];
  const ageMs = boardAgeMs(v);
  return ageMs > 0 ? [`as read ${span(ageMs)} ago, when the storage answered last:`, ...lines] : lines;
}

/** In seconds; long ones are said in minutes as well. */
function countdown(ms: number): string {
  const left = Math.max(0, Math.round(ms / 1000));
  return left < 600 ? `${left} s` : `${left} s (${span(ms)})`;
}

function dueLines(v: View, due: readonly Due[]): readonly string[] {
  return due
    .filter((each) => each.atMs >= v.now - v.t.beatMs)
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(0, 3)
    .map((each) => `in ${countdown(each.atMs - v.now)}: ${each.what}`);
}

function ruleLine(v: View): string {
  const row = RULES.findIndex((rule) => rule.name === v.rule) + 1;
  return `${v.rule}${row > 0 ? ` (row ${row} in README.md)` : ''} for ${span(v.now - v.reason.sinceMs)}; journal: ${v.snapshot.journalFile}`;
}

/** While an order is awaited, what it was given for is of more interest than the waiting. */
function because(v: View): string {
  const own = wordsOf(v.rule).why(v);
  const waiting = v.rule === 'order-running' || v.rule === 'fact-before-order';
  const when = waiting ? RULES.find((rule) => rule.name === v.m.rule)?.when : undefined;
  return when === undefined ? own : `${own} It was given because ${when} (rule ${v.m.rule}).`;
}

const section = (label: string, texts: readonly string[], givesWay = 0): Section => ({ label, texts, givesWay });

function noRound(snapshot: Snapshot): string {
  const { storage } = snapshot;
  const age =
    storage === undefined
      ? 'has not answered yet'
      : `${storage.ok ? 'answered' : 'failed'} ${span(snapshot.nowMs - storage.atMs)} ago`;
  return fit([
    section('engine', ['Where the engine VM is cannot be told: this worker has not finished a first round.']),
    section('why', [
      `It began ${span(snapshot.nowMs - snapshot.startedMs)} ago on ${snapshot.hostname} (process ${snapshot.pid}). Before its first decision it reads the board, as global maintenance may be set there. Until then it orders nothing.`,
    ]),
    section('waits', [`for the first reading of the board; the storage ${age}`]),
    section('you can', [
      'Wait a few seconds and ask again.',
      'If it stays so: check the path to the hosted-engine storage on this host (mount or multipath, storage server).',
      'The other hosts do not wait for this one: `bellwether-host why` there tells more.',
    ]),
    section('words', [GLOSSARY[1]?.[1] ?? ''], 1),
  ]);
}

/**
 * At most 24 lines of at most 100 columns, without a final newline. Never throws: it is asked when things are broken.
 *
 * The countdowns hold as long as nothing changes; they come from the same windows and timing that the rules use.
 */
export function explainWhy(snapshot: Snapshot): string {
  const v = viewOf(snapshot);
  if (v === undefined) return noRound(snapshot);
  const words = wordsOf(v.rule);
  const came = howItCame(v);
  const waits = words.waits?.(v);
  const stuck = `The last round of this worker was ${span(v.now - v.o.nowMs)} ago; there should be one every ${span(v.t.beatMs)}. All below is of then.`;
  const facts = factsOf(v).map((fact) => `${fact.name} ${fact.text}`);
  const sections = [
    section('WARNING', isStuck(v) ? [stuck] : []),
    section('engine', [whereIsIt(v), ...(came === undefined ? [] : [came])]),
    section('why', [because(v)]),
    section('waits', waits === undefined ? [] : [waits]),
    section('next', dueLines(v, words.due?.(v) ?? [])),
    section('before', lately(v, 2), 3),
    { ...section('others', others(v), 2), most: OTHERS },
    section('you can', words.can?.(v) ?? []),
    section('facts', [facts.join(', ')], 1),
    section('rule', [ruleLine(v)], 1),
  ];
  const text = sections.flatMap((each) => each.texts).join(' ');
  const glossary = GLOSSARY.filter(([word]) => word.test(text)).map(([, meaning]) => meaning);
  return fit([...sections, section('words', glossary, 4)]);
}
