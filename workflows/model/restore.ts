/** Restore of items of a backup: shown first, applied only when asked for. */
import type { BackupActivities, StorageFacts } from './backup.ts';
import type { BackupRef, BoardFacts } from './hosted-engine.ts';
import { REPORT_STEP, type Step, type StepPlan } from './operation.ts';
import type { RestorableItem } from './requests.ts';

const MINUTE = 60_000;

export interface VerifiedBackup extends BackupRef {
  /** ISO time. */
  readonly takenAt: string;
}

export interface ItemDifference {
  readonly item: RestorableItem;
  /** What would change, a line each; empty: nothing. */
  readonly lines: readonly string[];
  /** What the reader must know beside it: slots that are left alone, who writes the item next. */
  readonly notes: readonly string[];
}

interface Restoring {
  readonly facts: StorageFacts;
  readonly item: RestorableItem;
  /** The backup that is restored from. */
  readonly from: BackupRef;
  /** The backup of the state before. */
  readonly before: BackupRef;
}

export interface RestoreActivities extends Pick<BackupActivities, 'inspectStorage' | 'takeBackup' | 'reportToTicket'> {
  /** Every object of the backup is read and hashed. */
  verifyBackup: Step<{ readonly backup: string; readonly items: readonly RestorableItem[] }, VerifiedBackup>;
  compareWithBackup: Step<
    {
      readonly facts: StorageFacts;
      readonly from: BackupRef;
      readonly items: readonly RestorableItem[];
      /** True: it was restored, so a difference is a failure. */
      readonly expectSame?: boolean;
    },
    readonly ItemDifference[]
  >;
  enterGlobalMaintenance: Step<{ readonly facts: BoardFacts }, null>;
  leaveGlobalMaintenance: Step<{ readonly facts: BoardFacts }, null>;
  restoreItem: Step<Restoring, null>;
  /** Compensation: the item as it was before. */
  putItemBack: Step<Restoring, null>;
}

/** In this order, whatever the request's: the whole archive before its single files. */
export const RESTORE_ITEMS = [
  { item: 'configuration-archive', step: 'restore-configuration-archive', title: 'Restore the configuration archive' },
  { item: 'hosted-engine.conf', step: 'restore-hosted-engine-conf', title: 'Restore the shared hosted-engine.conf' },
  { item: 'vm.conf', step: 'restore-vm-conf', title: 'Restore the shared vm.conf' },
  { item: 'ovf', step: 'restore-ovf', title: 'Restore the OVF in both OVF_STORE copies' },
  { item: 'ha-slots', step: 'restore-ha-slots', title: 'Restore the slots of hosts whose agent does not run' },
] as const satisfies readonly { readonly item: RestorableItem; readonly step: string; readonly title: string }[];

export const RESTORE_STEPS = [
  { name: 'read-backup', title: 'Read the backup and check every checksum', attemptMs: 5 * MINUTE },
  { name: 'preconditions', title: 'Find the hosted-engine storage through a host that works', attemptMs: 2 * MINUTE },
  { name: 'compare', title: 'Compare the backup with what is there now', attemptMs: 3 * MINUTE },
  { name: 'enter-global-maintenance', title: 'Set global maintenance and see it on storage', attemptMs: 3 * MINUTE },
  { name: 'back-up-before', title: 'Back up the present state to S3', attemptMs: 5 * MINUTE },
  ...RESTORE_ITEMS.map(({ step: name, title }) => ({ name, title, attemptMs: 5 * MINUTE })),
  { name: 'verify', title: 'Compare again, with fresh eyes', attemptMs: 3 * MINUTE },
  { name: 'leave-global-maintenance', title: 'Leave global maintenance', attemptMs: 3 * MINUTE, windowMs: 0 },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
