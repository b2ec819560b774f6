/** Taking hosted engine from a host, and the host out of the engine if asked for. */
import type { HostFacts, HostMaintenanceActivities } from './host-maintenance.ts';
import type { HostWorkerActivities, SshAccess } from './host-worker.ts';
import type { BoardFacts } from './hosted-engine.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';

const MINUTE = 60_000;

export interface RemoveHostFacts extends HostFacts {
  readonly board: BoardFacts;
  /** Of HA: the slot on the whiteboard. */
  readonly hostId: number;
  /** False: hosted engine is not deployed there. */
  readonly deployed: boolean;
  /** True: Bellwether's worker writes its slot. Left out: the reference's agent, or nobody. */
  readonly ours?: boolean;
}

type OfLeavingHost = { readonly facts: RemoveHostFacts };

export interface RemoveHostActivities
  extends
    ReportActivities,
    Pick<
      HostMaintenanceActivities,
      | 'moveEngineVmAway'
      | 'enterHaMaintenance'
      | 'enterEngineMaintenance'
      | 'activateHost'
      | 'restoreEngineState'
      | 'restoreEngineVmPlace'
      | 'restoreHaState'
    >,
    Pick<HostWorkerActivities, 'withdrawWorker'> {
  /** Undefined facts: the engine does not know the host, there is nothing to do. */
  inspectLeavingHost: Step<
    { readonly host: string; readonly dead?: boolean; readonly ssh?: SshAccess },
    RemoveHostFacts | null
  >;
  /** Tells the engine that nobody will ever hear of the host again. */
  giveUpDeadHost: Step<OfLeavingHost, null>;
  /** Compensation of `withdrawWorker`. */
  restoreWorker: Step<OfLeavingHost & { readonly ssh: SshAccess }, null>;
  undeployHost: Step<OfLeavingHost, null>;
  /** Sees that nobody writes the slot any more, and empties it. */
  clearSlot: Step<OfLeavingHost, null>;
  removeHostFromEngine: Step<OfLeavingHost, null>;
  verifyHostRemoved: Step<OfLeavingHost & { readonly fromEngine: boolean }, readonly string[]>;
}

export const REMOVE_HOST_STEPS = [
  { name: 'preconditions', title: 'Look at the host and at who else can run the engine VM', attemptMs: 2 * MINUTE },
  { name: 'move-engine-vm', title: 'Move the engine VM to another host', attemptMs: 10 * MINUTE },
  {
    name: 'worker-leaves',
    title: 'Put ovirt-ha-agent and ovirt-ha-broker back in the place of the host worker',
    attemptMs: 8 * MINUTE,
  },
  { name: 'ha-maintenance', title: 'Set local HA maintenance and see it', attemptMs: 3 * MINUTE },
  {
    name: 'engine-maintenance',
    title: 'Move the host to maintenance in the engine, or give it up there',
    attemptMs: 32 * MINUTE,
  },
  { name: 'undeploy', title: 'Let the engine take hosted engine from the host', attemptMs: 60 * MINUTE },
  { name: 'clear-slot', title: 'See the HA agent gone and empty its slot', attemptMs: 5 * MINUTE },
  { name: 'leave', title: 'Activate the host without hosted engine, or remove it', attemptMs: 17 * MINUTE },
  { name: 'verify', title: 'Verify from outside', attemptMs: 5 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
