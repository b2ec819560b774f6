/** A journal line for a person at 3 a.m.: when, which host, which rule in words, what was ordered, on what, and what else was possible. */
import { inputsWords, orderWords, ruleWords, spanWords } from './words.ts';
import type { Line } from './line.ts';
import type { Reason } from '../core/types.ts';
import type { JournalEntry } from '../env.ts';

const field = (name: string, text: string) => `  ${name.padEnd(8)} ${text}`;

/** The host's name where the board had it. */
function namer(entry: JournalEntry): (id: number) => string {
  const peers = entry.observation.board?.peers ?? [];
  return (id) => {
    const name = peers.find((peer) => peer.id === id)?.hostname ?? '';
    return name === '' ? `host ${id}` : `host ${id} (${name})`;
  };
}

function other(reason: Reason, name: (id: number) => string, chosen: number | undefined): string {
  const { id, score, priority, exhausted } = reason.inputs;
  const rank = `score ${score}, priority ${priority}${exhausted === true ? ', failed there too often' : ''}`;
  const who = typeof id === 'number' ? name(id) : 'another host';
  return field(id === chosen ? 'chosen' : 'not', `${who}: ${rank}`);
}

function decisionLines(line: Line & { readonly kind: 'decision' }): readonly string[] {
  const { entry } = line;
  const name = namer(entry);
  const [own, ...rest] = entry.reasons;
  const rule = own?.rule ?? 'unknown';
  const { when, does } = ruleWords(rule);
  const { score, action } = entry.decision;
  const moved = entry.before.state === entry.state ? entry.state : `${entry.before.state} → ${entry.state}`;
  const out = [
    `${stamp(line.at)}  ${name(entry.hostId)}  ${moved}  (line ${line.seq})`,
    field('rule', `${rule}: ${when}`),
    field('does', does),
    field('order', orderWords(entry.order, name)),
    field('inputs', inputsWords(own?.inputs ?? {}, entry.atMs)),
  ];
  if (own !== undefined && own.sinceMs < entry.atMs) out.push(field('since', spanWords(entry.atMs - own.sinceMs)));
  const taken = score.penalties.map((penalty) => `${penalty.name} -${penalty.points}`).join(', ');
  const why = score.zeroBecause ?? taken;
  out.push(field('score', why === '' ? String(entry.score) : `${entry.score} (${why})`));
  const chosen = action?.action.kind === 'migrate' ? action.action.to : entry.decision.memory.stopping?.to;
  out.push(...rest.map((reason) => other(reason, name, chosen)));
  for (const alert of entry.decision.alerts) out.push(field('alert', alert.text));
  return out;
}

const stamp = (iso: string) => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

/** Several lines of text, without an end of line. */
export function showLine(line: Line): string {
  if (line.kind === 'torn') {
    return `${stamp(line.at)}  the line before was not whole: ${line.bytes} bytes are kept in ${line.keptAs}  (line ${line.seq})`;
  }
  if (line.kind === 'missed') {
    return `${stamp(line.at)}  ${line.count} decisions since ${stamp(line.since)} could not be written: ${line.why}  (line ${line.seq})`;
  }
  return decisionLines(line).join('\n');
}
