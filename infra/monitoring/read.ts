/** Reads the alert rules and the dashboard of this folder, for the test that holds them against what is exported. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const text = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** The part of YAML that `rules.yaml` keeps to: two levels of keys below a list, each value on one line. */
function readAlerts(yaml: string): readonly Alert[] {
  return yaml
    .split(/^ +- alert: */m)
    .slice(1)
    .map((block) => {
      const lines = block.split('\n');
      const section = (name: string) => {
        const from = lines.findIndex((line) => line.trim() === `${name}:`);
        const rest = from < 0 ? [] : lines.slice(from + 1);
        const end = rest.findIndex((line) => !/^ {10}\S/.test(line));
        const pairs = (end < 0 ? rest : rest.slice(0, end)).map((line) => /^ +(\w+): *(.*)$/.exec(line) ?? []);
        return Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
      };
      const expr = lines.map((line) => /^ +expr: *(.*)$/.exec(line)?.[1]).find((found) => found !== undefined);
      return {
        alert: lines[0]?.trim() ?? '',
        expr: expr ?? '',
        labels: section('labels'),
        annotations: section('annotations'),
      };
    });
}

export const ALERTS = readAlerts(text('rules.yaml'));

const dashboard = z.object({
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]), type: z.string() }),
  ),
});

/** Panels with their queries. */
export function dashboardExpressions(): readonly { readonly title: string; readonly expressions: readonly string[] }[] {
  const { panels } = dashboard.parse(JSON.parse(text('dashboard.json')));
  return panels
    .filter(({ type }) => type !== 'row')
    .map(({ title, targets }) => ({ title, expressions: targets.map(({ expr }) => expr) }));
}

const WORDS = new Set([
  'by',
  'on',
  'without',
  'and',
  'or',
  'unless',
  'ignoring',
  'group_left',
  'group_right',
  'bool',
  'offset',
]);

/** Names of metrics in an expression of Prometheus: what is neither a label, a text, a function nor a word of the language. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const found = [...bare.matchAll(/\b[a-z_][a-z0-9_]*\b(?!\s*\()/gi)].map(([name]) => name);
  return [...new Set(found.filter((name) => !WORDS.has(name) && !/^\d/.test(name)))];
}
