import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { parseScenario, runScenario } from './scenario.ts';

const scenario = (name: string) =>
  parseScenario(readFileSync(new URL(`./scenarios/${name}.txt`, import.meta.url), 'utf8'));

describe('deliberate mistakes are found', () => {
  it('there are at least twenty', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
  });

  it.each(MUTANTS)('$name: by a scenario', (mutant) => {
    expect(mutant.by).not.toEqual([]);
    for (const name of mutant.by) expect(runScenario(scenario(name), { mutant }), name).not.toEqual([]);
  });
});
