/**
 * Cuts a failing seed down to a scenario file that fails the same way: faults are left out as long as the same invariant still
 * breaks, then hosts, then the time after it broke.
 */
import { runScript, scriptOf, type RunOptions, type Script, type SeedOptions } from './run.ts';
import type { Leaps } from './cluster.ts';
import type { Violation } from './invariants.ts';

const TIME_MAX_MS = 60_000;
const VARIATIONS = 4;

export interface Shrunk {
  /** A scenario file (scenario.ts); a comment line when the seed breaks nothing. */
  readonly text: string;
  readonly script: Script;
  /** Faults before. */
  readonly before: number;
}

/** The first violation, of a script that ends with it. */
function broken(script: Script, options: RunOptions): Violation | undefined {
  return runScript(script, options).violations[0];
}

/** Deterministic apart from its time limit. */
export function shrink(seedOptions: SeedOptions & RunOptions, triesMax = 400): Shrunk {
  // Scenarios run without leaps; if the violation were one of leaps, it would have to be looked for with them.
  const quick = cut(seedOptions, 'made', triesMax);
  return quick.fails ? quick : cut(seedOptions, 'none', triesMax);
}

function cut(
  seedOptions: SeedOptions & RunOptions,
  leaps: Leaps,
  triesMax: number,
): Shrunk & { readonly fails: boolean } {
  const options: RunOptions = { mutant: seedOptions.mutant, leaps };
  let script = scriptOf(seedOptions);
  const before = script.faults.length;
  const first = broken(script, options);
  if (first === undefined) return { text: `# seed ${script.seed} breaks nothing\n`, script, before, fails: false };
  const beganMs = performance.now();
  let tries = 0;
  const spent = () => tries >= triesMax || performance.now() - beganMs > TIME_MAX_MS;
  // Without one fault all that comes after it may come otherwise: other random numbers of the world are tried as well.
  const takes = (candidate: Script, variations = VARIATIONS) => {
    for (let variation = 0; variation < variations && !spent(); variation += 1) {
      tries += 1;
      const varied = { ...candidate, variation: (candidate.variation + variation) % 1000 };
      const found = broken(varied, options);
      if (found?.id !== first.id) continue;
      script = endingWith(varied, found);
      return true;
    }
    return false;
  };
  script = endingWith(script, first);
  for (let last = 4; last < script.faults.length / 2; last *= 2)
    if (takes(onlyLast(script, last), 2 * VARIATIONS)) break;
  for (let size = Math.ceil(script.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < script.faults.length && !spent();) {
      const faults = script.faults.filter((_, index) => index < at || index >= at + size);
      if (!takes({ ...script, faults })) at += size;
    }
  }
  while (script.kinds.length > 1 && !spent() && takes({ ...script, kinds: script.kinds.slice(0, -1) }));
  const quietMs = (script.faults.at(-1)?.atMs ?? 0) + 600_000;
  if (script.heals && quietMs < script.endMs) takes({ ...script, endMs: quietMs });
  const last = broken(script, { ...options, leaps: 'none' });
  return { text: scenarioText(script, last ?? first), script, before, fails: last?.id === first.id };
}

/** The last faults alone, soon after the hosts were switched on. */
function onlyLast(script: Script, count: number): Script {
  const faults = script.faults.slice(-count);
  const earlierMs = Math.max(0, (faults[0]?.atMs ?? 0) - 600_000);
  return {
    ...script,
    endMs: script.endMs - earlierMs,
    faults: faults.map((fault) => ({ ...fault, atMs: fault.atMs - earlierMs })),
  };
}

/** What comes after the violation is left out: faults, and the healing if it broke before. */
function endingWith(script: Script, { atMs }: Violation): Script {
  const heals = script.heals && atMs >= script.endMs;
  const endMs = heals ? script.endMs : Math.min(script.endMs, Math.ceil(atMs) + 1000);
  return { ...script, heals, endMs, faults: script.faults.filter((fault) => fault.atMs <= endMs) };
}

/** As test/simulation/scenarios has them. */
export function scenarioText(script: Script, violation: Violation): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const head = [
    `# ${script.about}, shrunk; breaks ${violation.id} at ${seconds(violation.atMs)}`,
    `why     seed ${script.seed}: ${violation.text}`,
    `hosts   ${script.kinds.map((kind) => (kind === 'bellwether' ? 'ours' : 'reference')).join(' ')}`,
    `profile ${script.profile}`,
    `seed    ${script.seed}${script.variation === 0 ? '' : ` ${script.variation}`}`,
  ];
  const priorities = script.priorities.slice(0, script.kinds.length);
  if (priorities.some((priority) => priority !== 0)) head.push(`priority ${priorities.join(' ')}`);
  const faults = script.faults.map(({ atMs, number, name }) => `at ${seconds(atMs)} fault ${number} ${name}`);
  return [...head, ...faults, `end     ${seconds(script.endMs)}${script.heals ? ' healed' : ''}`, ''].join('\n');
}
