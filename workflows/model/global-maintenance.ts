/** Global maintenance on or off: through VDSM and storage alone, so that it works while the engine is down. */
import type { BoardFacts } from './hosted-engine.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';

const MINUTE = 60_000;

export interface GlobalMaintenanceActivities extends ReportActivities {
  /** Finds the HA metadata through any host. */
  inspectBoard: Step<object, BoardFacts>;
  enterGlobalMaintenance: Step<{ readonly facts: BoardFacts }, null>;
  leaveGlobalMaintenance: Step<{ readonly facts: BoardFacts }, null>;
}

export const GLOBAL_MAINTENANCE_STEPS = [
  { name: 'preconditions', title: 'Find the HA metadata through a host that works', attemptMs: 2 * MINUTE },
  { name: 'switch', title: 'Switch global maintenance and see it on storage and on each host', attemptMs: 3 * MINUTE },
  { name: 'hold', title: 'Keep it until the time that was asked for', attemptMs: MINUTE },
  { name: 'leave', title: 'Leave global maintenance', attemptMs: 3 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
