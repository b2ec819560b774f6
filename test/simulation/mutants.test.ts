import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { runSeed } from './run.ts';
import { parseScenario, runScenario } from './scenario.ts';

const scenario = (name: string) =>
  parseScenario(readFileSync(new URL(`./scenarios/${name}.txt`, import.meta.url), 'utf8'));

describe('deliberate mistakes are found', () => {
  it('there are at least twenty', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
  });

  it.each(MUTANTS.filter((mutant) => mutant.by.length > 0))('$name: by a scenario', (mutant) => {
    for (const name of mutant.by) expect(runScenario(scenario(name), { mutant }), name).not.toEqual([]);
  });

  it.each(MUTANTS.filter((mutant) => mutant.by.length === 0))('$name: by random seeds', (mutant) => {
    const broken = Array.from({ length: 12 }, (_, index) => index + 1).some(
      (seed) => runSeed({ seed, hosts: [2, 4], hours: 1, mutant }).violations.length > 0,
    );
    expect(broken).toBe(true);
  });
});
