/** `npm run simulate -- --seeds N --first-seed K --hosts 2..8`, or `--seed N` for one seed told as a story. */
import { parseArgs } from 'node:util';
import { runSeed, type SeedResult } from './run.ts';
import { shrink } from './shrink.ts';
import { Summary } from './summary.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    'first-seed': { type: 'string', default: '1' },
    seed: { type: 'string' },
    hosts: { type: 'string', default: '2..8' },
    hours: { type: 'string', default: '6' },
    'every-beat': { type: 'boolean', default: false },
    prove: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
  },
});

function stamp(ms: number): string {
  const s = ms / 1000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(s / 3600)}:${two((s / 60) % 60)}:${(s % 60).toFixed(3).padStart(6, '0')}`;
}

function whole(text: string, name: string, min: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min)
    throw new Error(`--${name} is ${JSON.stringify(text)}; a whole number from ${min} is meant`);
  return value;
}

function hostRange(text: string): [number, number] {
  const [, low, high] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
  const from = whole(low ?? text, 'hosts', 1);
  return [from, high === undefined ? from : whole(high, 'hosts', from)];
}

function tell(result: SeedResult): void {
  for (const violation of result.violations)
    console.log(`seed ${result.seed}: ${violation.id} at ${stamp(violation.atMs)}: ${violation.text}`);
}

const hosts = hostRange(values.hosts);
const hours = whole(values.hours, 'hours', 1);
const leaps = values['every-beat'] ? 'none' : values.prove ? 'proved' : 'made';
if (values.seed !== undefined) {
  const seed = whole(values.seed, 'seed', 0);
  let now = () => 0;
  const result = runSeed({
    seed,
    hosts,
    hours,
    leaps,
    story: (text) => console.log(`${stamp(now())} ${text}`),
    clock: (read) => (now = read),
  });
  tell(result);
  if (values.shrink && result.violations.length > 0) console.log(shrink({ seed, hosts, hours }));
  console.log(`seed ${seed}: ${result.plan}; trace ${result.trace >>> 0}`);
  process.exitCode = result.violations.length > 0 ? 1 : 0;
} else {
  const first = whole(values['first-seed'], 'first-seed', 0);
  const count = whole(values.seeds, 'seeds', 1);
  const summary = new Summary();
  for (let seed = first; seed < first + count; seed += 1) {
    const result = runSeed({ seed, hosts, hours, leaps });
    summary.add(result);
    if (result.violations.length > 0) {
      tell(result);
      if (values.shrink) console.log(shrink({ seed, hosts, hours }));
    }
  }
  console.log(summary.text());
  process.exitCode = summary.violations > 0 ? 1 : 0;
}
