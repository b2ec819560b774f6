/** Workflow `restoreConfiguration`: shows what items of a backup would change, and puts them back when asked to. */
import { NOUNS } from '../model/words.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { OperationInput, RestoreRequest } from '../model/requests.ts';
import { RESTORE_ITEMS, RESTORE_STEPS, type ItemDifference, type RestoreActivities } from '../model/restore.ts';
import type { StorageFacts } from '../model/backup.ts';
import type { BackupRef } from '../model/hosted-engine.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<RestoreActivities>;

const plan = (name: (typeof RESTORE_STEPS)[number]['name']) => planOf(RESTORE_STEPS, name);

const MAINTENANCE_UNDO = 'undo-global-maintenance';

function differenceLines(differences: readonly ItemDifference[]): string[] {
  return differences.flatMap(({ item, lines, notes }) => [
    ...(lines.length === 0 ? [`${item}: as in the backup.`] : lines.map((line) => `${item}: ${line}`)),
    ...notes.map((note) => `${item}: note: ${note}`),
  ]);
}

/** Everything that changes something, in global maintenance and with a backup of the state before. */
async function apply(
  run: Runner,
  call: StepCall,
  facts: StorageFacts,
  from: BackupRef,
  differences: readonly ItemDifference[],
): Promise<BackupRef> {
  const input = { ...call, facts };
  await run.step(plan('enter-global-maintenance'), (a) => a.enterGlobalMaintenance(input), {
    name: MAINTENANCE_UNDO,
    title: 'Leave global maintenance',
    always: true,
    run: (a) => a.leaveGlobalMaintenance(input),
  });
  const before = await run.step(plan('back-up-before'), (a) => a.takeBackup({ ...input, phase: 'before' }));
  const changed = new Set(differences.filter(({ lines }) => lines.length > 0).map(({ item }) => item));
  for (const { item, step } of RESTORE_ITEMS) {
    if (!changed.has(item)) {
      run.notNeeded([step], differences.some((one) => one.item === item) ? 'it is as in the backup' : 'not asked for');
      continue;
    }
    const restoring = { ...input, item, from, before };
    await run.step(plan(step), (a) => a.restoreItem(restoring), {
      name: `undo-${step}`,
      title: `Put back what ${item} was before`,
      run: (a) => a.putItemBack(restoring),
    });
  }
  await run.step(plan('verify'), (a) => a.compareWithBackup({ ...input, from, items: [...changed], expectSame: true }));
  // Restored and seen from outside: from here on it stays.
  run.commit();
  await run.step(plan('leave-global-maintenance'), (a) => a.leaveGlobalMaintenance(input));
  run.discardUndo(MAINTENANCE_UNDO);
  return before;
}

async function restore(run: Runner, call: StepCall, request: RestoreRequest): Promise<OperationEnd> {
  const { backup, items } = request;
  const { takenAt, ...from } = await run.step(plan('read-backup'), (a) => a.verifyBackup({ ...call, backup, items }));
  const facts = await run.step(plan('preconditions'), (a) => a.inspectStorage(call));
  const differences = await run.step(plan('compare'), (a) => a.compareWithBackup({ ...call, facts, from, items }));
  const shown = differenceLines(differences);
  const different = differences.some(({ lines }) => lines.length > 0);
  if (!request.apply || !different) {
    const rest = RESTORE_STEPS.map(({ name }) => name).slice(RESTORE_STEPS.indexOf(plan('compare')) + 1, -1);
    run.notNeeded(rest, different ? 'the request asks to see the differences only' : 'nothing differs');
    const first = different
      ? `Nothing was changed; this would change from the present to the backup of ${takenAt}:`
      : `Nothing to restore: all is as in the backup of ${takenAt}.`;
    return { state: 'nothing-to-do', lines: [first, ...shown] };
  }
  const before = await apply(run, call, facts, from, differences);
  const kept = `The state before is kept: s3://${before.bucket}/${before.manifestKey}.`;
  return { state: 'done', lines: [`Restored from the backup of ${takenAt}:`, ...shown, kept] };
}

const run = operationWorkflow<RestoreRequest, RestoreActivities>({
  noun: NOUNS.restore,
  steps: RESTORE_STEPS,
  body: restore,
  stays: 'What was restored stays; the state before is in the backup that this operation took.',
});

export async function restoreConfiguration(input: OperationInput<RestoreRequest>): Promise<OperationResult> {
  return run(input);
}
