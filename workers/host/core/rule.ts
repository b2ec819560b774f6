import type { Situation } from './situation.ts';
import type { Alert, StateName, Stopping, VmAction } from './types.ts';

/** What a rule that matched wants. */
export interface Match {
  readonly state: StateName;
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
  readonly sinceMs?: number;
  readonly action?: VmAction;
  readonly stopping?: Stopping;
  /** undefined leaves the claim as it is. */
  readonly claim?: string;
  readonly alert?: Alert;
  /** Counted against the restarts of a sick engine, or the moves of an hour. */
  readonly counts?: 'engine-restart' | 'move';
}

export interface Rule {
  readonly name: string;
  readonly group: 'guard' | 'VM here' | 'VM not here';
  /** In an administrator's words; both go into the table of README.md. */
  readonly when: string;
  readonly does: string;
  match(s: Situation): Match | undefined;
}
