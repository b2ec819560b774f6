/** All steps of all operations as activities. */
import { addHostSteps } from './add-host.steps.ts';
import { asActivity } from './border.activities.ts';
import { backupSteps } from './backup.steps.ts';
import type { Counterparts } from './counterparts.ts';
import { editSteps } from './edit.steps.ts';
import { globalMaintenanceSteps } from './global-maintenance.steps.ts';
import { hostMaintenanceSteps } from './host-maintenance.steps.ts';
import { installSteps } from './install.steps.ts';
import { removeHostSteps } from './remove-host.steps.ts';
import { reconcileSteps } from './reconcile.steps.ts';
import { restoreSteps } from './restore.steps.ts';
import { rollingUpdateSteps } from './rolling-update.steps.ts';
import type { StepContext } from './step-context.ts';
import { upgradeSteps } from './upgrade.steps.ts';

type StepFunction = (context: StepContext, input: never) => Promise<unknown>;
export type StepActivity = (input: never) => Promise<unknown>;

export function stepActivities(counterparts: Counterparts): Record<string, StepActivity> {
  const steps: Record<string, StepFunction> = {
    ...upgradeSteps(counterparts),
    ...installSteps(counterparts),
    ...globalMaintenanceSteps(counterparts),
    ...hostMaintenanceSteps(counterparts),
    ...rollingUpdateSteps(counterparts),
    ...editSteps(counterparts),
    ...addHostSteps(counterparts),
    ...removeHostSteps(counterparts),
    ...backupSteps(counterparts),
    ...restoreSteps(counterparts),
    ...reconcileSteps(counterparts),
  };
  return Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, asActivity(step)]));
}
