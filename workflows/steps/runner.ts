/**
 * The shape of every operation: a list of steps, run in order, each of which can be repeated safely.
 *
 * The steps themselves are written against this interface alone, so that the same list runs durably under Temporal
 * (`temporal-runner.ts`) and plainly in one process (the benchmark's yardstick).
 */
import type { StepOutcome, StepPlan } from '../model/operation.ts';

/** How a step's effect is taken back. Must tolerate that nothing happened: it is registered before the act. */
export interface Undo<A> {
  readonly name: string;
  readonly title: string;
  readonly run: (activities: A) => Promise<StepOutcome<unknown>>;
  /** True: it must still run after the point of no return (global maintenance is left in every ending). */
  readonly always?: boolean;
}

export interface StepRunner<A> {
  /** Runs one step to its end; parks and waits for an operator when it fails for good. */
  step<T>(plan: StepPlan, call: (activities: A) => Promise<StepOutcome<T>>, undo?: Undo<A>): Promise<T>;
  /** As `step`, for steps that an operator may skip: then the answer is undefined. */
  optional<T>(plan: StepPlan, call: (activities: A) => Promise<StepOutcome<T>>): Promise<T | undefined>;
  /** Marks steps that this run does not need. */
  notNeeded(names: readonly string[], why: string): void;
  /** The point of no return: what was done stays, only `always` compensations are kept. */
  commit(): void;
  /** Adds steps that are known only now, before the report. */
  extend(plans: readonly StepPlan[]): void;
  /** A step that waits until `until` (ISO time) and lets other operations have the cluster meanwhile. */
  hold(plan: StepPlan, until: string, summary: string): Promise<void>;
  /** A later step did what this compensation would do. */
  discardUndo(name: string): void;
}
