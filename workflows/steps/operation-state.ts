/** The operation's view, kept current in all the places where people look: query, current details, search attributes. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { OperationState, OperationView, OperatorAction, StepPlan, StepView } from '../model/operation.ts';
import { detailsMarkdown } from './details.ts';

const HE_STEP = defineSearchAttributeKey('HeStep', 'KEYWORD');
const HE_STATE = defineSearchAttributeKey('HeState', 'KEYWORD');

interface Identity {
  readonly id: string;
  readonly operation: string;
  readonly cluster: string;
  readonly ticket?: string;
  readonly requestedBy: string;
}

/** Time inside a workflow is Temporal's: `Date` is replaced there and replays to the same value. */
function nowIso(): string {
  return new Date().toISOString();
}

export class OperationStateKeeper {
  #view: OperationView;

  constructor(identity: Identity, plans: readonly StepPlan[]) {
    this.#view = {
      ...identity,
      state: 'queued',
      steps: plans.map(({ name, title }) => ({ name, title, state: 'pending' })),
      undo: [],
      actions: ['abort'],
      startedAt: nowIso(),
    };
    setCurrentDetails(detailsMarkdown(this.#view));
  }

  get view(): OperationView {
    return this.#view;
  }

  #set(change: Partial<OperationView>): void {
    this.#view = { ...this.#view, ...change };
    setCurrentDetails(detailsMarkdown(this.#view));
  }

  /** Steps that are known only now; the report stays the last one. */
  extend(plans: readonly StepPlan[]): void {
    const { steps } = this.#view;
    const added = plans.map(({ name, title }): StepView => ({ name, title, state: 'pending' }));
    this.#set({ steps: [...steps.slice(0, -1), ...added, ...steps.slice(-1)] });
  }

  /** Another state of the whole; `waitsFor` undefined = it waits for nothing but its own step. */
  state(state: OperationState, actions: readonly OperatorAction[], waitsFor?: string): void {
    const { waitsFor: _gone, ...rest } = this.#view;
    this.#view = rest;
    this.#set({ state, actions, ...(waitsFor === undefined ? {} : { waitsFor }) });
    upsertSearchAttributes([{ key: HE_STATE, value: state }]);
  }

  end(state: 'done' | 'aborted', outcome: string): void {
    this.state(state, []);
    this.#set({ outcome, endedAt: nowIso() });
  }

  stepStarts(name: string): void {
    this.#step('steps', name, { state: 'running', startedAt: nowIso() });
    upsertSearchAttributes([{ key: HE_STEP, value: name }]);
  }

  stepIs(name: string, change: Partial<StepView> & Pick<StepView, 'state'>): void {
    this.#step('steps', name, change.state === 'parked' ? change : { endedAt: nowIso(), ...change });
  }

  /** The operation was aborted: the step that ran or waited does so no more. Why it was parked stays to be read. */
  stopOpenStep(): void {
    const stop = (step: StepView): StepView =>
      step.state === 'running' || step.state === 'parked' ? { ...step, state: 'stopped', endedAt: nowIso() } : step;
    this.#set({ steps: this.#view.steps.map(stop) });
  }

  undoStarts(name: string, title: string): void {
    if (this.#view.undo.some((step) => step.name === name)) this.#step('undo', name, { state: 'undoing' });
    else this.#set({ undo: [...this.#view.undo, { name, title, state: 'undoing', startedAt: nowIso() }] });
  }

  undoIs(name: string, change: Partial<StepView> & Pick<StepView, 'state'>): void {
    this.#step('undo', name, change.state === 'parked' ? change : { endedAt: nowIso(), ...change });
  }

  #step(list: 'steps' | 'undo', name: string, change: Partial<StepView>): void {
    const renew = (step: StepView): StepView => {
      if (step.name !== name) return step;
      const { failure: _old, ...rest } = step;
      return { ...rest, ...change };
    };
    this.#set({ [list]: this.#view[list].map(renew) });
  }
}
