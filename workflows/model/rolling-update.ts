/** Updates of the hosts, one after the other: each leaves maintenance with its old score before the next one enters it. */
import type { HostFacts } from './host-maintenance.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';

const MINUTE = 60_000;

export interface RollingUpdatePlan {
  /** In this order. */
  readonly hosts: readonly string[];
}

export interface HostToUpdate {
  readonly facts: HostFacts;
  readonly updateAvailable: boolean;
}

export interface RollingUpdateActivities extends ReportActivities {
  planRollingUpdate: Step<{ readonly hosts?: readonly string[] }, RollingUpdatePlan>;
  /** As before maintenance, and the engine looks for updates of the host. */
  inspectHostToUpdate: Step<{ readonly host: string }, HostToUpdate>;
  /** The steps of `enter-host-maintenance` as one. */
  takeHostOut: Step<{ readonly facts: HostFacts; readonly reason: string }, null>;
  updateHost: Step<{ readonly facts: HostFacts }, null>;
  /** The steps of `leave-host-maintenance` as one, up to the score that the host had. */
  takeHostBack: Step<{ readonly facts: HostFacts }, null>;
  /** Compensation of `takeHostOut`: both sides as before. */
  restoreHost: Step<{ readonly facts: HostFacts }, null>;
}

export const ROLLING_UPDATE_STEPS = [
  { name: 'preconditions', title: 'Look at the hosts and set their order', attemptMs: 2 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];

/** Steps of one host, by what they do to it. A host that is out comes back, even where a maintenance window ends. */
export function hostUpdateSteps(host: string) {
  return {
    check: { name: `${host}-check`, title: `${host}: look for updates and at the other hosts`, attemptMs: 15 * MINUTE },
    maintenance: {
      name: `${host}-maintenance`,
      title: `${host}: into maintenance`,
      attemptMs: 45 * MINUTE,
      windowMs: 170 * MINUTE,
    },
    update: { name: `${host}-update`, title: `${host}: update and reboot`, attemptMs: 95 * MINUTE, windowMs: 0 },
    return: {
      name: `${host}-return`,
      title: `${host}: back in service with its old score`,
      attemptMs: 30 * MINUTE,
      windowMs: 0,
    },
  } as const satisfies Record<string, StepPlan>;
}
