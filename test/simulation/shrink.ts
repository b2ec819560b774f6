/** Cuts a failing seed down: leaves faults out as long as the same invariant still breaks. */
import { runSeed, type SeedOptions } from './run.ts';

const TIME_MAX_MS = 60_000;

/** The shortest list of faults found, as lines `at name`; deterministic apart from its time limit. */
export function shrink(options: SeedOptions, triesMax = 200): string {
  const first = runSeed(options);
  const broken = first.violations[0];
  if (broken === undefined) return `seed ${options.seed} breaks nothing`;
  let kept = first.struck;
  const beganMs = performance.now();
  let tries = 0;
  const stillBreaks = (numbers: readonly number[]) => {
    tries += 1;
    const again = runSeed({ ...options, only: new Set(numbers) });
    return again.violations[0]?.id === broken.id ? again.struck : undefined;
  };
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length;) {
      if (tries >= triesMax || performance.now() - beganMs > TIME_MAX_MS) break;
      const without = kept.filter((_, index) => index < at || index >= at + size);
      const shorter = stillBreaks(without.map((fault) => fault.number));
      if (shorter === undefined) at += size;
      else kept = shorter;
    }
  }
  const lines = kept.map((fault) => `  ${(fault.atMs / 1000).toFixed(3)} s  ${fault.name}`);
  return [
    `seed ${options.seed} shrunk from ${first.struck.length} to ${kept.length} faults (${tries} tries):`,
    ...lines,
    `  then ${broken.id}: ${broken.text}`,
  ].join('\n');
}
