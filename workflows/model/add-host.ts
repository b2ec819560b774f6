/** Adding a hosted-engine host: a machine that the engine does not know, or a host of the engine without hosted engine. */
import type { AddHostFacts } from './add-host-facts.ts';
import type { HostMaintenanceActivities } from './host-maintenance.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';
import type { HostWorkerActivities, SshAccess } from './host-worker.ts';
import type { HostAccess } from './requests.ts';

export type { AddHostFacts } from './add-host-facts.ts';

const MINUTE = 60_000;

/** A host on which hosted engine was deployed. */
export interface DeployedHost {
  /** The engine's id. */
  readonly id: string;
  /** Of HA: the slot on the whiteboard and the id for sanlock. */
  readonly hostId: number;
}

type OfNewHost = { readonly facts: AddHostFacts };

export interface AddHostActivities
  extends
    ReportActivities,
    HostWorkerActivities,
    Pick<HostMaintenanceActivities, 'enterEngineMaintenance' | 'restoreEngineState'> {
  inspectNewHost: Step<
    {
      readonly host: string;
      readonly address: string;
      readonly vdsmPort?: number;
      readonly access: HostAccess;
      readonly agent: 'reference' | 'bellwether';
      /** With agent bellwether. */
      readonly ssh?: SshAccess;
    },
    AddHostFacts
  >;
  /** Adds the host, or installs it again, and waits for the end. Stops at once when the installation failed. */
  deployHost: Step<OfNewHost & { readonly access: HostAccess; readonly sshPort?: number }, DeployedHost>;
  /** Compensation: no hosted engine on the host, its slot empty, and not in the engine if this operation added it. */
  withdrawHost: Step<OfNewHost, null>;
  /** Up in the engine, configured, active, a score above 0, in no maintenance; its id and slot its own. */
  verifyDeployedHost: Step<OfNewHost, readonly string[]>;
  /** Reads the engine VM's definition through the host itself. */
  verifyDefinitionReadable: Step<OfNewHost, readonly string[]>;
}

export const ADD_HOST_STEPS = [
  { name: 'preconditions', title: 'Look at the engine, its VM and the host', attemptMs: 2 * MINUTE },
  { name: 'engine-maintenance', title: 'Move the host to maintenance in the engine', attemptMs: 32 * MINUTE },
  { name: 'deploy', title: 'Let the engine install the host with hosted engine', attemptMs: 60 * MINUTE },
  { name: 'verify', title: 'See the host up and its HA agent active with a score above 0', attemptMs: 17 * MINUTE },
  { name: 'definition', title: 'Read the engine VM’s definition through the host', attemptMs: 5 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
