/** The sentences of all rules, by the rule's name. A test compares with the rules of the core. */
import { guardWords } from './why-guards.ts';
import { hostingWords } from './why-hosting.ts';
import { standbyWords } from './why-standby.ts';
import type { Words } from './why-words.ts';

const WORDS: ReadonlyMap<string, Words> = new Map<string, Words>(
  Object.entries({ ...guardWords, ...hostingWords, ...standbyWords }),
);

export const EXPLAINED: readonly string[] = [...WORDS.keys()];

/** A rule without sentences (a snapshot of a newer worker) is told by its name alone. */
export function wordsOf(rule: string): Words {
  return WORDS.get(rule) ?? { why: () => `Its rule “${rule}” decides. This program is older and knows no more of it.` };
}
