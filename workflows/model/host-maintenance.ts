/**
 * Maintenance of a host, in the engine and for HA as one: into it and out of it. The two can get out of step (engine.md
 * 11.3), so each side is looked at and set by itself, whatever the other one says.
 */
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';

const MINUTE = 60_000;

/** What an operation learnt of a host before it touched it; what is taken back goes back to this. */
export interface HostFacts {
  readonly host: { readonly id: string; readonly name: string; readonly address: string; readonly vdsmPort?: number };
  readonly engineVm: { readonly id: string; readonly name: string };
  readonly before: {
    /** The host's status in the engine (engine.md 9). */
    readonly status: string;
    /** As the host itself reports it: what the engine knows of a host in maintenance is stale. */
    readonly localMaintenance: boolean;
    /** 0 to 3400. */
    readonly score: number;
    /** Left out: it did not. */
    readonly runsEngineVm?: boolean;
  };
}

type OfHost = { readonly facts: HostFacts };

/** The sides of a host's maintenance, one by one. */
export interface HostMaintenanceActivities extends ReportActivities {
  /** Refuses when the engine VM runs there and nobody else could run it. */
  inspectHostToEnter: Step<{ readonly host: string }, HostFacts>;
  inspectHostToLeave: Step<{ readonly host: string }, HostFacts>;
  moveEngineVmAway: Step<OfHost, null>;
  enterHaMaintenance: Step<OfHost, null>;
  enterEngineMaintenance: Step<OfHost & { readonly reason: string }, null>;
  /** Sees both sides in maintenance, and sets the HA side again if it was lost meanwhile. */
  verifyInMaintenance: Step<OfHost, null>;
  activateHost: Step<OfHost, null>;
  leaveHaMaintenance: Step<OfHost, null>;
  /** Sees the host up, its agent active, and its score at `score` at least. */
  verifyInService: Step<OfHost & { readonly score: number }, null>;
  /** Compensations: each side as `facts.before` has it. */
  restoreEngineVmPlace: Step<OfHost, null>;
  restoreEngineState: Step<OfHost, null>;
  restoreHaState: Step<OfHost, null>;
}

/** In the engine it is in maintenance, or on its way there. */
export function isInEngineMaintenance(status: string): boolean {
  return status === 'maintenance' || status === 'preparing_for_maintenance';
}

export const ENTER_HOST_MAINTENANCE_STEPS = [
  { name: 'preconditions', title: 'Look at the host and at who else could run the engine VM', attemptMs: 2 * MINUTE },
  { name: 'move-engine-vm', title: 'Move the engine VM to another host', attemptMs: 10 * MINUTE },
  { name: 'ha-maintenance', title: 'Set local HA maintenance and see it', attemptMs: 3 * MINUTE },
  { name: 'engine-maintenance', title: 'Move the host to maintenance in the engine', attemptMs: 32 * MINUTE },
  { name: 'verify', title: 'See both the engine and HA in maintenance', attemptMs: 4 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];

export const LEAVE_HOST_MAINTENANCE_STEPS = [
  { name: 'preconditions', title: 'Look at the host in the engine and at its HA agent', attemptMs: 2 * MINUTE },
  { name: 'activate', title: 'Activate the host in the engine', attemptMs: 17 * MINUTE },
  { name: 'ha-active', title: 'End local HA maintenance and see it', attemptMs: 3 * MINUTE },
  { name: 'verify', title: 'See the host up, its agent active and its score above 0', attemptMs: 12 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
