/** The table of rules for people, made from the rules themselves. */
import { RULES } from './rules.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** Markdown; README.md holds it between two marks, and a test compares. */
export function ruleTable(): string {
  const rows = RULES.map(
    (rule, index) => `| ${index + 1} | ${rule.group} | \`${rule.name}\` | ${cell(rule.when)} | ${cell(rule.does)} |`,
  );
  return ['| # | where | rule | when | then |', '|---|---|---|---|---|', ...rows].join('\n');
}
