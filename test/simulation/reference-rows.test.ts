/** The table of the reference's rows holds: the named rule decides in the named scenario, and no rule is forgotten. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../workers/host/core/rules.ts';
import type { Mutant } from './cluster.ts';
import { parseScenario, runScenario } from './scenario.ts';

const here = (path: string) => new URL(path, import.meta.url);
const text = readFileSync(here('./reference-rows.md'), 'utf8');
const named = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const rows = text.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  const [, state = '', row = '', , rules = '', shown = '', instead = ''] = cells;
  if (cells.length !== 8 || state === 'state' || state.startsWith('---')) return [];
  return [{ name: `${state}: ${row}`, rules: named(rules), shown: shown.split(', '), instead }];
});

const played = new Map<string, ReadonlySet<string>>();

/** Every rule that decided anything on any host of ours. */
function decidedIn(name: string): ReadonlySet<string> {
  const known = played.get(name);
  if (known !== undefined) return known;
  const rules = new Set<string>();
  const watching: Mutant = {
    name: 'watched',
    what: 'nothing is changed',
    decide: (original) => (memory, observation) => {
      const decision = original(memory, observation);
      for (const { rule } of decision.reasons.slice(0, 1)) rules.add(rule);
      return decision;
    },
  };
  runScenario(parseScenario(readFileSync(here(`./scenarios/${name}.txt`), 'utf8')), { mutant: watching });
  played.set(name, rules);
  return rules;
}

describe('the reference’s rows', () => {
  // 13 of guards and timers, 36 transitions of its table, some of them split by their cause.
  it('are all there', () => {
    expect(rows).toHaveLength(58);
    expect(rows.filter(({ instead }) => instead === '')).toEqual([]);
  });

  it.each(rows)('$name', ({ rules, shown }) => {
    for (const name of shown) {
      if (name.endsWith('.ts')) {
        const test = readFileSync(here(name), 'utf8');
        for (const rule of rules) expect(test).toContain(`'${rule}'`);
      } else expect([...decidedIn(name)], name).toEqual(expect.arrayContaining(rules));
    }
  });

  it('name every rule, or say that the reference has none like it', () => {
    const mentioned = named(text);
    expect(RULES.map(({ name }) => name).filter((name) => !mentioned.includes(name))).toEqual([]);
  });
});
