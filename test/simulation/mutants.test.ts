import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { parseScenario, runScenario } from './scenario.ts';

const scenario = (name: string) =>
  parseScenario(readFileSync(new URL(`./scenarios/${name}.txt`, import.meta.url), 'utf8'));

describe('deliberate mistakes are found', () => {
  it('there are at least forty, each with a name of its own', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(MUTANTS.map((mutant) => mutant.name)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)('$name: by a scenario', (mutant) => {
    expect(mutant.by).not.toEqual([]);
    for (const name of mutant.by) expect(runScenario(scenario(name), { mutant }), name).not.toEqual([]);
  });
});
