/** Workflow `backupConfiguration`: the configuration to S3, and older backups out of it. */
import { NOUNS } from '../model/words.ts';
import { BACKUP_STEPS, type BackupActivities, type TakenBackup } from '../model/backup.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { BackupRequest, OperationInput } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<BackupActivities>;

const plan = (name: (typeof BACKUP_STEPS)[number]['name']) => planOf(BACKUP_STEPS, name);

/** For the ticket: where it is, and what it lacks. */
export function backupLines({ bucket, manifestKey, objects, bytes, notTaken }: TakenBackup): string[] {
  return [
    `Backup: s3://${bucket}/${manifestKey} (${objects} objects, ${bytes} bytes, read back).`,
    ...notTaken.map(({ name, why }) => `Not in the backup: ${name}: ${why}.`),
  ];
}

async function backUp(run: Runner, call: StepCall, { keep }: BackupRequest): Promise<OperationEnd> {
  const facts = await run.step(plan('preconditions'), (a) => a.inspectStorage(call));
  const backup = await run.step(plan('back-up'), (a) => a.takeBackup({ ...call, facts, phase: 'manual' }), {
    name: 'undo-back-up',
    title: 'Remove what this operation put into S3',
    run: (a) => a.discardBackup(call),
  });
  // The backup is complete: from here on it stays, and what the next step removes does not come back.
  run.commit();
  const lines = backupLines(backup);
  if (keep === undefined) {
    run.notNeeded(['remove-old'], 'the request does not say how many to keep');
    return { state: 'done', lines };
  }
  const removed = await run.optional(plan('remove-old'), (a) => a.removeOldBackups({ ...call, keep, backup }));
  if (removed === undefined) return { state: 'done', lines };
  return { state: 'done', lines: [...lines, `Older backups removed: ${removed.length} (${keep} are kept).`] };
}

const run = operationWorkflow<BackupRequest, BackupActivities>({
  noun: NOUNS.backup,
  steps: BACKUP_STEPS,
  body: backUp,
  stays: 'The new backup stays; older ones that were removed already do not come back.',
});

export async function backupConfiguration(input: OperationInput<BackupRequest>): Promise<OperationResult> {
  return run(input);
}
