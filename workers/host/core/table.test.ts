import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RULES } from './rules.ts';
import { ruleTable } from './table.ts';

it('the table in README.md is that of the code', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, table] = /<!-- rules -->\n([\s\S]*?)\n<!-- end of rules -->/.exec(readme) ?? [];
  expect(table).toBe(ruleTable());
});

it('each rule has a name of its own', () => {
  expect(new Set(RULES.map((rule) => rule.name)).size).toBe(RULES.length);
});
