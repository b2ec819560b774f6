/** The yardstick: the same step list without durability. Each step is awaited once; what fails, fails. */
import type { StepOutcome, StepPlan } from '../../workflows/model/operation.ts';
import type { StepRunner } from '../../workflows/steps/runner.ts';

export class PlainRunner<A> implements StepRunner<A> {
  readonly #activities: A;
  /** Steps that ran, in order. */
  readonly ran: string[] = [];

  constructor(activities: A) {
    this.#activities = activities;
  }

  async step<T>(plan: StepPlan, call: (activities: A) => Promise<StepOutcome<T>>): Promise<T> {
    const { value } = await call(this.#activities);
    this.ran.push(plan.name);
    return value;
  }

  optional<T>(plan: StepPlan, call: (activities: A) => Promise<StepOutcome<T>>): Promise<T> {
    return this.step(plan, call);
  }

  notNeeded(): void {
    // Nobody looks at a plain run's list of steps.
  }

  commit(): void {
    // Without compensations there is no point of no return.
  }

  extend(): void {
    // As above.
  }

  async hold(): Promise<void> {
    // No operation of the benchmark waits.
  }

  discardUndo(): void {
    // As above.
  }
}
