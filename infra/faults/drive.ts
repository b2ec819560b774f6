/** Plays a scenario while an operation runs: acts at its step, answers for the operator when it parks. */
import type { OperationView, OperatorAction } from '../../workflows/model/operation.ts';
import type { Scenario, Stage } from './scenarios.ts';

export interface Driven {
  /** Told of each new view. */
  see(view: OperationView): Promise<void>;
}

/**
 * @param operate sends an operator's command, as a person would.
 * @returns the scenario's hands; `see` must be told each view until the operation has ended.
 */
export function driveScenario(
  scenario: Scenario | undefined,
  stage: Stage,
  operate: (action: OperatorAction) => Promise<void>,
): Driven {
  let acted = false;
  let answered = false;
  return {
    async see(view) {
      const { atStep, whenParked } = scenario ?? {};
      const reached = view.steps.find((step) => step.name === atStep?.step);
      if (atStep !== undefined && !acted && reached !== undefined && reached.state !== 'pending') {
        acted = true;
        await atStep.act(stage);
      }
      if (view.state !== 'parked') answered = false;
      else if (!answered && whenParked !== undefined) {
        answered = true;
        await operate(await whenParked(stage));
      }
    },
  };
}
