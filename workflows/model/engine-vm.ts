/** An edit of the engine VM: done only when the OVF that hosts start it from has the change. */
import type { HostedEngineFacts } from './hosted-engine.ts';
import { REPORT_STEP, type ReportActivities, type Step, type StepPlan } from './operation.ts';
import type { EngineVmChange } from './requests.ts';

const MINUTE = 60_000;

/** What the engine says of its own VM, as far as it lets one change it (engine.md 10). */
export interface EngineVmState {
  readonly description: string;
  readonly comment: string;
  readonly memoryMiB: number;
  readonly maxMemoryMiB: number;
  readonly guaranteedMemoryMiB: number;
  readonly cpu: { readonly sockets: number; readonly cores: number; readonly threads: number };
  readonly nics: readonly {
    readonly id: string;
    readonly name: string;
    /** Name of the vNIC profile; empty: none. */
    readonly profile: string;
    readonly linked: boolean;
  }[];
  readonly disks: readonly { readonly id: string; readonly name: string; readonly sizeGiB: number }[];
}

export interface EditFacts extends HostedEngineFacts {
  readonly before: EngineVmState;
}

export interface EditEngineVmActivities extends ReportActivities {
  /** Refuses what can't work before the engine is asked for anything. */
  inspectEdit: Step<{ readonly change: EngineVmChange }, EditFacts>;
  /** Notices that somebody else has changed the same meanwhile. */
  editEngineVm: Step<{ readonly facts: EditFacts; readonly change: EngineVmChange }, null>;
  revertEngineVm: Step<{ readonly facts: EditFacts; readonly change: EngineVmChange }, null>;
  /** Has the engine write the OVF, and waits until both copies hold the change. */
  persistEngineVm: Step<{ readonly facts: EditFacts; readonly change: EngineVmChange }, readonly string[]>;
}

export const EDIT_STEPS = [
  {
    name: 'preconditions',
    title: 'Check the change against the engine VM, its hosts and its storage',
    attemptMs: 2 * MINUTE,
  },
  { name: 'edit', title: 'Change the engine VM in the engine', attemptMs: 2 * MINUTE },
  { name: 'persist', title: 'See the change in both copies of the OVF on storage', attemptMs: 10 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];
