/**
 * `npm run test:matrix`: the whole crash matrix, each step of each operation with each disturbance, printed as tables;
 * exit 1 when a cell ends otherwise than undisturbed. Options after `--`: --operation NAME, --step N, --jobs N (3).
 */
import { parseArgs } from 'node:util';
import { PLAYS } from '../../infra/plays/all.ts';
import type { Play } from '../../infra/plays/play.ts';
import { runCell, undisturbed } from './cells.ts';
import { DISTURBANCES } from './disturb.ts';
import { openGround, type Ground } from './ground.ts';

const { values } = parseArgs({
  options: { operation: { type: 'string' }, step: { type: 'string' }, jobs: { type: 'string', default: '3' } },
});
const say = (line = '') => process.stdout.write(`${line}\n`);
const WIDTH = 14;

/** Runs the work, `jobs` at a time, in order of beginning. */
async function side<T>(jobs: number, work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < work.length; index = next++) {
      const one = work[index];
      if (one !== undefined) results[index] = await one();
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

const totals = { passed: 0, failed: 0, unmet: 0 };
/** Of the table that is being made. */
let faults: string[] = [];

const stepOf = ({ summary }: { readonly summary: string }) => Number(/^\d+/.exec(summary)?.[0]);

async function cell(
  ground: Ground,
  play: Play,
  at: Parameters<typeof runCell>[2],
  which: (typeof DISTURBANCES)[number],
) {
  const name = `${play.name}-${at.activityId}-${which}`;
  const step = stepOf(at);
  if (which === 'aborted' && step > (play.lastAbortable ?? step)) return 'committed';
  const { wrong, met } = await runCell(ground, play, at, which, name).catch((error: unknown) => ({
    wrong: error instanceof Error ? error.message : String(error),
    met: true,
  }));
  if (wrong !== undefined) {
    totals.failed += 1;
    faults.push(`${at.summary}, ${which}: ${wrong}`);
    return 'OTHER END';
  }
  if (!met) {
    totals.unmet += 1;
    return '–';
  }
  totals.passed += 1;
  return 'same end';
}

async function table(ground: Ground, play: Play, jobs: number): Promise<void> {
  say();
  say(`${play.name}: ${play.title}`);
  faults = [];
  const beganMs = performance.now();
  const all = await undisturbed(ground, play, `${play.name}-undisturbed`);
  const scheduled = all.filter((at) => values.step === undefined || stepOf(at) === Number(values.step));
  const work = scheduled.flatMap((at) => DISTURBANCES.map((which) => () => cell(ground, play, at, which)));
  const verdicts = await side(jobs, work);
  const wide = Math.max(0, ...scheduled.map(({ summary }) => summary.length));
  say(`  ${''.padEnd(wide)}  ${DISTURBANCES.map((which) => which.padEnd(WIDTH)).join('')}`);
  scheduled.forEach(({ summary }, row) => {
    const cells = DISTURBANCES.map((_, column) => verdicts[row * DISTURBANCES.length + column] ?? '');
    say(`  ${summary.padEnd(wide)}  ${cells.map((verdict) => verdict.padEnd(WIDTH)).join('')}`);
  });
  for (const fault of faults) say(`  ${fault}`);
  say(`  after ${Math.round((performance.now() - beganMs) / 1000)} s`);
}

const plays = PLAYS.filter((play) => values.operation === undefined || play.name === values.operation);
if (plays.length === 0) {
  say(`There is no operation ${values.operation}: ${PLAYS.map((play) => play.name).join(', ')}`);
  process.exit(2);
}
const ground = await openGround();
try {
  for (const play of plays) await table(ground, play, Number(values.jobs));
} finally {
  await ground.close();
}
say();
say(
  `–: the step calls nobody whom that could meet. The worker is killed with SIGKILL; error, answer-lost and down strike VDSM and engine.`,
);
say(`${totals.passed} cells passed, ${totals.failed} failed, ${totals.unmet} not met`);
process.exit(totals.failed > 0 ? 1 : 0);
