/**
 * Runs an operation's steps durably: one activity per step with its time limits and retries, parking when a step fails
 * for good, compensation in reverse order on abort or cancellation.
 */
import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import {
  MESSAGES,
  type OperationTiming,
  type OperationView,
  type OperatorAction,
  type OperatorCommand,
  type StepFailure,
  type StepOutcome,
  type StepPlan,
} from '../model/operation.ts';
import { stepFailure } from './failure.ts';
import type { OperationStateKeeper } from './operation-state.ts';
import type { StepRunner, Undo } from './runner.ts';
import type { WindowGuard } from './window-guard.ts';

type Decision = 'retry' | 'skip' | 'abort';

/** Thrown through the operation's body when an operator aborts it: the body has nothing to catch. */
export class OperationAborted extends Error {
  override readonly name = 'OperationAborted';
}

const UNDO_ATTEMPT_MS = 600_000;

/** The form in the Temporal UI shows it above an empty field. */
const COMMAND_DATA = 'Data: {"by": "your name"} and, if you like, a "reason".';

/** A refusal is for a person, who would be shown the stack beside it. */
function refusal(message: string): ApplicationFailure {
  const failure = ApplicationFailure.create({ message, type: 'refused', nonRetryable: true });
  failure.stack = '';
  return failure;
}

/** What the operation around the steps gives its runner. */
export interface Surroundings {
  /** Waits for a time without the cluster; has it again when it settles, however that comes. */
  readonly letGo: (untilMs: number) => Promise<void>;
  /** The same for any other wait. */
  readonly letGoWhile: (wait: () => Promise<void>) => Promise<void>;
  /** Present when a maintenance window runs the operation; only then may there be more commands than without. */
  readonly window?: WindowGuard;
}

export class TemporalRunner<A extends object> implements StepRunner<A> {
  readonly #keeper: OperationStateKeeper;
  readonly #timing: OperationTiming;
  readonly #surroundings: Surroundings;
  #undos: Undo<A>[] = [];
  #decision: { readonly action: Decision; readonly by: OperatorCommand } | undefined;
  #abortedBy: OperatorCommand | undefined;
  #current: CancellationScope | undefined;
  #committed = false;
  /** What the operation does again when an operator has answered: its steps, or its compensations. */
  #afterPark: 'running' | 'aborting' = 'running';

  constructor(keeper: OperationStateKeeper, timing: OperationTiming, surroundings: Surroundings) {
    this.#keeper = keeper;
    this.#timing = timing;
    this.#surroundings = surroundings;
    this.#listen();
  }

  /** True after the point of no return. */
  get committed(): boolean {
    return this.#committed;
  }

  get abortedBy(): OperatorCommand | undefined {
    return this.#abortedBy;
  }

  #listen(): void {
    setHandler(defineQuery<OperationView>(MESSAGES.view), () => this.#keeper.view, {
      description: 'Steps of the operation, their states, and what can be done now',
    });
    this.#accept('retry', `Try the parked step again. ${COMMAND_DATA}`);
    this.#accept('skip', `Leave the parked step out, only where that can do no harm. ${COMMAND_DATA}`);
    this.#accept('abort', `Stop, and take back what was done so far in reverse order. ${COMMAND_DATA}`);
  }

  /** Validators are synchronous on purpose: an async one never rejects (orchestration.md, finding 2). */
  #accept(action: OperatorAction, description: string): void {
    const validator = (command: OperatorCommand): void => {
      if (typeof command?.by !== 'string' || command.by.trim() === '')
        throw refusal(`${action} needs "by": who asks for it?`);
      const { state, actions } = this.#keeper.view;
      if (actions.includes(action)) return;
      const allowed =
        actions.length === 0 ? 'nothing can be asked of it any more' : `possible now: ${actions.join(', ')}`;
      throw refusal(`can't ${action}: the operation is ${state}; ${allowed}`);
    };
    const handler = (command: OperatorCommand): OperationView => {
      if (action === 'abort') this.#abort(command);
      else this.#decide(action, command);
      return this.#keeper.view;
    };
    setHandler(defineUpdate<OperationView, [OperatorCommand]>(action), handler, { validator, description });
  }

  /** Taken at once: a second operator's word must meet the validator, not replace the first one's. */
  #decide(action: Decision, by: OperatorCommand): void {
    this.#decision = { action, by };
    this.#keeper.state(this.#afterPark, this.#afterPark === 'running' ? ['abort'] : []);
  }

  #abort(command: OperatorCommand): void {
    this.#abortedBy = command;
    this.#decision = { action: 'abort', by: command };
    this.#keeper.state('aborting', []);
    this.#current?.cancel();
  }

  /** The next opening of its window has come: what waits for it goes on. */
  windowOpened(name: string): void {
    if (this.#keeper.view.actions.includes('retry')) this.#decide('retry', { by: `window:${name}` });
  }

  /** Work before the first step (the wait for the cluster) that an abort ends. @throws OperationAborted */
  async untilAborted<T>(work: () => Promise<T>): Promise<T> {
    this.checkAborted();
    const scope = new CancellationScope();
    this.#current = scope;
    try {
      return await scope.run(work);
    } catch (error) {
      if (isCancellation(error)) this.checkAborted();
      throw error;
    } finally {
      this.#current = undefined;
      this.checkAborted();
    }
  }

  /** @throws OperationAborted when an operator has asked for it. */
  checkAborted(): void {
    if (this.#abortedBy !== undefined) throw new OperationAborted();
  }

  async step<T>(plan: StepPlan, call: (activities: A) => Promise<StepOutcome<T>>, undo?: Undo<A>): Promise<T> {
    this.checkAborted();
    // Registered before the act: an act that happened although its answer was lost must be taken back too.
    if (undo !== undefined) this.#undos.push(undo);
    const outcome = await this.#untilDecided(plan, call);
    if (outcome === undefined) throw new Error(`step ${plan.name} can't be skipped`);
    return outcome.value;
  }

  async optional<T>(plan: StepPlan, call: (activities: A) => Promise<StepOutcome<T>>): Promise<T | undefined> {
    return (await this.#untilDecided(plan, call))?.value;
  }

  async #untilDecided<T>(
    plan: StepPlan,
    call: (activities: A) => Promise<StepOutcome<T>>,
  ): Promise<StepOutcome<T> | undefined> {
    for (;;) {
      this.checkAborted();
      if (this.#surroundings.window !== undefined) await this.#untilItFits(plan, this.#surroundings.window);
      this.#keeper.stepStarts(plan.name);
      const result = await this.#attempt(this.#summary(plan), plan.attemptMs, call);
      if ('outcome' in result) {
        const { done, summary, notes } = result.outcome;
        const state = done === 'before' ? 'already-done' : 'done';
        this.#keeper.stepIs(plan.name, { state, summary, ...(notes === undefined ? {} : { notes }) });
        return result.outcome;
      }
      this.checkAborted();
      this.#keeper.stepIs(plan.name, { state: 'parked', failure: stepFailure(result.error) });
      const actions = ['retry', ...(plan.skippable === true ? (['skip'] as const) : []), 'abort'] as const;
      const decision = await this.#park(plan.title, actions, 'running');
      if (decision === 'abort') throw new OperationAborted();
      if (decision === 'skip') {
        this.#keeper.stepIs(plan.name, { state: 'skipped', summary: `skipped by ${this.#decidedBy}` });
        return undefined;
      }
    }
  }

  /** Parks until enough of a window is left for the step. @throws OperationAborted */
  async #untilItFits(plan: StepPlan, window: WindowGuard): Promise<void> {
    for (;;) {
      const failure = window.tooShortFor(plan);
      if (failure === undefined) return;
      this.#keeper.stepIs(plan.name, { state: 'parked', failure });
      const decision = await this.#park(plan.title, ['retry', 'abort'], 'running', failure);
      if (decision === 'abort') throw new OperationAborted();
      this.checkAborted();
    }
  }

  extend(plans: readonly StepPlan[]): void {
    this.#keeper.extend(plans);
  }

  async hold(plan: StepPlan, until: string, summary: string): Promise<void> {
    this.checkAborted();
    this.#keeper.stepStarts(plan.name);
    this.#keeper.state('running', ['abort'], `${until}: ${plan.title}`);
    await this.untilAborted(() => this.#surroundings.letGo(Date.parse(until)));
    this.#keeper.state('running', ['abort']);
    this.#keeper.stepIs(plan.name, { state: 'done', summary });
  }

  #decidedBy = '';

  async #park(
    title: string,
    actions: readonly OperatorAction[],
    after: 'running' | 'aborting',
    tooShort?: StepFailure,
  ): Promise<Decision> {
    this.#decision = undefined;
    this.#afterPark = after;
    const waitsFor = tooShort === undefined ? `an operator: ${title}` : `its window: ${tooShort.what}`;
    this.#keeper.state('parked', actions, waitsFor);
    const decided = () => this.#decision !== undefined;
    const { window } = this.#surroundings;
    if (window === undefined) await condition(decided);
    else {
      if (tooShort === undefined) await condition(() => decided() || window.closed);
      if (!decided()) await this.#waitForNext(window, waitsFor, decided);
    }
    const decision = this.#decision as { action: Decision; by: OperatorCommand } | undefined;
    this.#decidedBy = decision?.by.by ?? '';
    return decision?.action ?? 'retry';
  }

  /** A window must be able to close: what is parked at its end lets others have the cluster until somebody decides. */
  async #waitForNext(window: WindowGuard, waitsFor: string, decided: () => boolean): Promise<void> {
    await this.#surroundings.letGoWhile(async () => {
      if (!decided()) await window.tell('waits', `waits for ${waitsFor}`);
      await condition(decided);
    });
    this.#keeper.state(this.#afterPark, this.#afterPark === 'running' ? ['abort'] : []);
  }

  /** Not "1/13": the Temporal UI makes a fraction of that. */
  #summary({ name, title }: StepPlan): string {
    const { steps } = this.#keeper.view;
    return `${steps.findIndex((step) => step.name === name) + 1} of ${steps.length}: ${title}`;
  }

  /** One scheduling of the activity with all its retries. Cancellation of the workflow passes through. */
  async #attempt<T>(
    summary: string,
    attemptMs: number,
    call: (activities: A) => Promise<StepOutcome<T>>,
  ): Promise<{ outcome: StepOutcome<T> } | { error: unknown }> {
    const { firstRetryMs, maxRetryMs, stepPatienceMs, heartbeatMs } = this.#timing;
    const activities = proxyActivities<A>({
      summary,
      startToCloseTimeout: attemptMs,
      scheduleToCloseTimeout: attemptMs + stepPatienceMs,
      heartbeatTimeout: heartbeatMs,
      retry: { initialInterval: firstRetryMs, maximumInterval: maxRetryMs, backoffCoefficient: 2 },
      // An undo must not start while the act still runs.
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }) as A;
    const scope = new CancellationScope();
    this.#current = scope;
    try {
      return { outcome: await scope.run(() => call(activities)) };
    } catch (error) {
      if (isCancellation(error) && this.#abortedBy === undefined) throw error;
      return { error };
    } finally {
      this.#current = undefined;
    }
  }

  notNeeded(names: readonly string[], why: string): void {
    for (const name of names) this.#keeper.stepIs(name, { state: 'not-needed', summary: why });
  }

  commit(): void {
    // An abort that came with the last step's result was promised to take that step back.
    this.checkAborted();
    this.#committed = true;
    this.#undos = this.#undos.filter((undo) => undo.always === true);
  }

  discardUndo(name: string): void {
    this.#undos = this.#undos.filter((undo) => undo.name !== name);
  }

  /** Takes back what was done, last first. An undo that fails for good parks like a step; it may be skipped knowingly. */
  async compensate(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (const undo of this.#undos.toReversed()) await this.#undo(undo);
      this.#undos = [];
    });
  }

  async #undo(undo: Undo<A>): Promise<void> {
    for (;;) {
      this.#keeper.undoStarts(undo.name, undo.title);
      const result = await this.#attempt(`Undo: ${undo.title}`, UNDO_ATTEMPT_MS, undo.run);
      if ('outcome' in result) {
        this.#keeper.undoIs(undo.name, { state: 'undone', summary: result.outcome.summary });
        return;
      }
      this.#keeper.undoIs(undo.name, { state: 'parked', failure: stepFailure(result.error) });
      const decision = await this.#park(undo.title, ['retry', 'skip'], 'aborting');
      if (decision === 'skip') {
        this.#keeper.undoIs(undo.name, { state: 'skipped', summary: `left as it is by ${this.#decidedBy}` });
        return;
      }
    }
  }
}
