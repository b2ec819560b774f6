/** All steps of all operations as activities. */
import { asActivity } from './border.activities.ts';
import type { Counterparts } from './counterparts.ts';
import { globalMaintenanceSteps } from './global-maintenance.steps.ts';
import type { StepContext } from './step-context.ts';
import { upgradeSteps } from './upgrade.steps.ts';

type StepFunction = (context: StepContext, input: never) => Promise<unknown>;
export type StepActivity = (input: never) => Promise<unknown>;

export function stepActivities(counterparts: Counterparts): Record<string, StepActivity> {
  const steps: Record<string, StepFunction> = {
    ...upgradeSteps(counterparts),
    ...globalMaintenanceSteps(counterparts),
  };
  return Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, asActivity(step)]));
}
