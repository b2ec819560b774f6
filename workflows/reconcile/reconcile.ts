/** Workflow `reconcile`: what each source says, side by side; repairs what the request names, one step each. */
import { NOUNS } from '../model/words.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import {
  RECONCILE_STEPS,
  REPAIR_STEPS,
  keyOf,
  repairStep,
  type Difference,
  type Look,
  type ReconcileActivities,
  type RepairTarget,
} from '../model/reconcile.ts';
import type { OperationInput, ReconcileRequest } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';
import { lookLines } from './table.ts';

type Runner = StepRunner<ReconcileActivities>;

interface Repairs {
  /** One each, however many differences it mends: the engine writes all its copies at once. */
  readonly targets: readonly RepairTarget[];
  readonly mended: readonly Difference[];
}

function chosen({ differences }: Look, repair: readonly string[]): Repairs {
  const mended = differences.filter(
    ({ kind, target }) => target !== undefined && (repair.includes('safe') || repair.includes(kind)),
  );
  const byStep = new Map(
    mended.flatMap(({ target }) => (target === undefined ? [] : [[repairStep(target).name, target] as const])),
  );
  return { targets: [...byStep.values()], mended };
}

async function repairAll(run: Runner, call: StepCall, look: Look, { targets, mended }: Repairs): Promise<Look> {
  const { backUp, verify } = REPAIR_STEPS;
  const input = { ...call, facts: look.facts };
  run.extend([backUp, ...targets.map(repairStep), verify]);
  await run.step(backUp, (a) => a.takeBackup({ ...input, phase: 'before' }));
  // Each repair is whole by itself, and what it mends was wrong: none of them is taken back.
  run.commit();
  for (const target of targets) {
    await run.step(repairStep(target), (a) => a.repairDifference({ ...input, target }));
  }
  return run.step(verify, (a) => a.verifyRepairs({ ...call, repaired: mended.map(keyOf) }));
}

async function compare(run: Runner, call: StepCall, { repair }: ReconcileRequest): Promise<OperationEnd> {
  const look = await run.step(planOf(RECONCILE_STEPS, 'look'), (a) => a.lookForDifferences({ ...call, repair }));
  const repairs = chosen(look, repair);
  if (repairs.targets.length === 0) {
    const why = repair.length === 0 ? [] : [`Nothing to repair: no difference of ${repair.join(', ')} was found.`];
    return { state: 'nothing-to-do', lines: [...why, ...lookLines(look)] };
  }
  const after = await repairAll(run, call, look, repairs);
  const names = repairs.mended.map(keyOf).join(', ');
  return { state: 'done', lines: [`Repaired, and seen to be so: ${names}. What is left:`, ...lookLines(after)] };
}

const run = operationWorkflow<ReconcileRequest, ReconcileActivities>({
  noun: NOUNS.reconcile,
  steps: RECONCILE_STEPS,
  body: compare,
  stays: 'Repairs that were done stay: each of them is whole by itself.',
});

export async function reconcile(input: OperationInput<ReconcileRequest>): Promise<OperationResult> {
  return run(input);
}
