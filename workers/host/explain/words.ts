/** How screens say times and names, and how they stay within a terminal. Pure. */
import { plain } from '../cli/board-text.ts';

export const WIDTH = 100;
const LABEL = 10;
/** Longer host names are cut: a name must not fill the line it stands in. */
const NAME = 40;

/** `23 s`, `4 min 5 s`, `2 h 3 min`, `3 days 4 h`. Negative times count as 0. */
export function span(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  if (total < 120) return `${total} s`;
  if (total < 7200) return `${Math.floor(total / 60)} min ${total % 60} s`;
  if (total < 172_800) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86_400)} days ${Math.floor((total % 86_400) / 3600)} h`;
}

/** Whole seconds of a span that is over or not: never below 0. */
export function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / 100) / 10);
}

/** `host2`, or `host 2 (he2.example.com)` where the name says nothing of the id. */
export function hostName(id: number, hostname: string): string {
  const clean = plain(hostname);
  if (clean === '') return `host ${id}`;
  if (clean === `host${id}`) return clean;
  return `host ${id} (${clean.length > NAME ? `${clean.slice(0, NAME - 1)}…` : clean})`;
}

/** Lines of at most `width`; a word that is longer is cut into pieces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((each) => each.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Each text begins a line of its own; the label stands before the first. */
export function labelled(label: string, texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => wrap(plain(text), WIDTH - LABEL - 2).map((line, index) => (index === 0 ? line : `  ${line}`)))
    .map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL)}${line}`.trimEnd());
}
