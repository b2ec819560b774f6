/** Backup of the configuration: what lies on storage always, what the engine says where it answers. */
import type { BackupRef, BoardFacts, VolumeRef } from './hosted-engine.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';

const MINUTE = 60_000;

/** What lies on the hosted-engine domain, found through VDSM alone: known while the engine is down, too. */
export interface StorageFacts extends BoardFacts {
  readonly domain: BoardFacts['domain'] & { readonly configuration: VolumeRef };
}

/** Something that a backup should hold and does not. */
export interface NotTaken {
  readonly name: string;
  readonly why: string;
}

export interface TakenBackup extends BackupRef {
  readonly bytes: number;
  /** Also in the backup's manifest. */
  readonly notTaken: readonly NotTaken[];
}

export interface BackupActivities extends ReportActivities {
  inspectStorage: Step<object, StorageFacts>;
  takeBackup: Step<{ readonly facts: StorageFacts; readonly phase: 'manual' | 'before' }, TakenBackup>;
  /** Removes what this operation has put into S3 so far. */
  discardBackup: Step<object, null>;
  /** Keeps this backup and the `keep - 1` newest others of this kind; answers the manifest keys that are gone. */
  removeOldBackups: Step<{ readonly keep: number; readonly backup: BackupRef }, readonly string[]>;
}

export const BACKUP_STEPS = [
  { name: 'preconditions', title: 'Find the hosted-engine storage through a host that works', attemptMs: 2 * MINUTE },
  { name: 'back-up', title: 'Back up the configuration to S3 and read it back', attemptMs: 5 * MINUTE },
  { name: 'remove-old', title: 'Remove older backups', skippable: true, attemptMs: 5 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
