/**
 * `npm run simulate -- --seeds N --first-seed K --hosts 2..8 --jobs 2`, or `--seed N` for one seed told as a story.
 *
 *     --hours N        of trouble per seed (by its density of faults: 4 to 144)
 *     --minutes N      no new seed after that long
 *     --every-beat     without leaps (leap.ts)
 *     --prove          leaps, each beat of them asked
 *     --twins N        each Nth seed also with other wall clocks (16; 0: none)
 *     --bounds N       repeats of the table of bounds (100; 0: no table)
 *     --shrink DIR     scenario files of failing seeds go there (default: only the first is printed)
 */
import { parseArgs } from 'node:util';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundsTable } from './bounds.ts';
import { runPool } from './pool.ts';
import { runSeed, type SeedOptions, type SeedResult } from './run.ts';
import { shrink } from './shrink.ts';
import { Summary } from './summary.ts';

/** A long run says this often how far it is; a signal ends it in good order, with its summary. */
const TELLS_MS = 60_000;
const PRINTED_LINES = 60;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    'first-seed': { type: 'string', default: '1' },
    seed: { type: 'string' },
    hosts: { type: 'string', default: '2..8' },
    hours: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    twins: { type: 'string', default: '16' },
    bounds: { type: 'string', default: '100' },
    shrink: { type: 'string' },
    'every-beat': { type: 'boolean', default: false },
    prove: { type: 'boolean', default: false },
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

let printed = 0;
/** As a scenario file, which fails the same way. One that stayed long is for a file. */
function show(seed: number, scenario: string | undefined): void {
  if (scenario === undefined) return;
  if (values.shrink !== undefined) {
    const file = join(values.shrink, `seed-${seed}.txt`);
    writeFileSync(file, scenario);
    console.log(`seed ${seed}: shrunk to ${file}`);
    return;
  }
  printed += 1;
  const lines = scenario.split('\n').length;
  if (lines > PRINTED_LINES) console.log(`seed ${seed}: shrunk to ${lines} lines; --shrink DIR writes them down`);
  else if (printed === 1) console.log(scenario);
}

const common = {
  hosts: hostRange(values.hosts),
  hours: values.hours === undefined ? undefined : whole(values.hours, 'hours', 1),
  leaps: values['every-beat'] ? 'none' : values.prove ? 'proved' : 'made',
} as const;

function story(seed: number): void {
  let now = () => 0;
  const options: SeedOptions = { ...common, seed };
  const told = (text: string) => console.log(`${stamp(now())} ${text}`);
  const result = runSeed({ ...options, story: told, clock: (read) => (now = read) });
  tell(result);
  if (result.violations.length > 0) show(seed, shrink(options).text);
  console.log(`seed ${seed}: ${result.plan}; trace ${result.trace >>> 0}`);
  process.exitCode = result.violations.length > 0 ? 1 : 0;
}

async function many(): Promise<void> {
  let seed = whole(values['first-seed'], 'first-seed', 0);
  const last = seed + whole(values.seeds, 'seeds', 1);
  const twins = whole(values.twins, 'twins', 0);
  const jobs = whole(values.jobs, 'jobs', 1);
  const repeats = whole(values.bounds, 'bounds', 0);
  const endMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : 60_000 * whole(values.minutes, 'minutes', 1);
  const summary = new Summary();
  const beganMs = performance.now();
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));
  let toldMs = beganMs;
  await runPool({
    jobs,
    next: () => {
      if (stopped || seed >= last || performance.now() - beganMs > endMs) return undefined;
      seed += 1;
      const number = seed - 1;
      const shrinks = values.shrink !== undefined || summary.violations === 0;
      return { options: { ...common, seed: number }, twin: twins > 0 && number % twins === 0, shrinks };
    },
    done: (done) => {
      summary.add(done);
      tell(done.result);
      show(done.result.seed, done.scenario);
      if (performance.now() - toldMs < TELLS_MS) return;
      toldMs = performance.now();
      console.error(`so far: ${summary.line()}`);
    },
  });
  const text = summary.text(jobs);
  const bounds = repeats === 0 ? undefined : boundsTable('default', repeats);
  if (bounds !== undefined) console.log(bounds.text);
  console.log(text);
  process.exitCode = summary.violations > 0 || bounds?.kept === false ? 1 : 0;
}

if (values.seed === undefined) await many();
else story(whole(values.seed, 'seed', 0));
