/** Runs an install's body on a lab without Temporal, up to a step, and takes back what it did. */
import type { InstallActivities } from '../../workflows/model/install.ts';
import type { StepOutcome, StepPlan } from '../../workflows/model/operation.ts';
import type { StepRunner, Undo } from '../../workflows/steps/runner.ts';
import { CounterpartError } from '../../activities/errors.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { installSteps } from '../../activities/install.steps.ts';
import { stepContext } from './on-lab.ts';

const TRIES_MAX = 5;

export class StoppedHere extends Error {}

export function boundSteps(counterparts: Counterparts): InstallActivities {
  const steps = installSteps(counterparts);
  return {
    preflight: (input) => steps.preflight(stepContext, input),
    createHostedEngineDomain: (input) => steps.createHostedEngineDomain(stepContext, input),
    createHostedEngineVolumes: (input) => steps.createHostedEngineVolumes(stepContext, input),
    fetchAppliance: (input) => steps.fetchAppliance(stepContext, input),
    writeHostedEngineConfiguration: (input) => steps.writeHostedEngineConfiguration(stepContext, input),
    releasePool: (input) => steps.releasePool(stepContext, input),
    removeHostedEngineDomain: (input) => steps.removeHostedEngineDomain(stepContext, input),
    startEngineVm: (input) => steps.startEngineVm(stepContext, input),
    stopEngineVm: (input) => steps.stopEngineVm(stepContext, input),
    awaitEngine: (input) => steps.awaitEngine(stepContext, input),
    prepareDataCenter: (input) => steps.prepareDataCenter(stepContext, input),
    addFirstHost: (input) => steps.addFirstHost(stepContext, input),
    quietHighAvailability: (input) => steps.quietHighAvailability(stepContext, input),
    ensureMasterDomain: (input) => steps.ensureMasterDomain(stepContext, input),
    removeMasterDomain: (input) => steps.removeMasterDomain(stepContext, input),
    convertDefinition: (input) => steps.convertDefinition(stepContext, input),
    writeOvf: (input) => steps.writeOvf(stepContext, input),
    importDomain: (input) => steps.importDomain(stepContext, input),
    awaitDomainActive: (input) => steps.awaitDomainActive(stepContext, input),
    importVm: (input) => steps.importVm(stepContext, input),
    awaitHighAvailability: (input) => steps.awaitHighAvailability(stepContext, input),
    verifyInstall: (input) => steps.verifyInstall(stepContext, input),
    backUp: (input) => steps.backUp(stepContext, input),
    reportToTicket: (input) => steps.reportToTicket(stepContext, input),
  };
}

/** What is to come back by itself is tried again, as Temporal would. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof CounterpartError && error.facts.kind === 'retryable' && tries < TRIES_MAX;
      if (!again) throw error;
    }
  }
}

export class InstallRunner implements StepRunner<InstallActivities> {
  readonly #activities: InstallActivities;
  readonly #last: string;
  readonly #undos: Undo<InstallActivities>[] = [];
  /** Steps that ran, with how. */
  readonly ran = new Map<string, 'now' | 'before'>();

  /** @param last name of the step after which it stops with `StoppedHere` */
  constructor(counterparts: Counterparts, last: string) {
    this.#activities = boundSteps(counterparts);
    this.#last = last;
  }

  async step<T>(
    plan: StepPlan,
    call: (activities: InstallActivities) => Promise<StepOutcome<T>>,
    undo?: Undo<InstallActivities>,
  ): Promise<T> {
    if (undo !== undefined) this.#undos.push(undo);
    const outcome = await patiently(() => call(this.#activities));
    this.ran.set(plan.name, outcome.done);
    if (plan.name === this.#last) throw new StoppedHere(plan.name);
    return outcome.value;
  }

  optional<T>(plan: StepPlan, call: (activities: InstallActivities) => Promise<StepOutcome<T>>): Promise<T> {
    return this.step(plan, call);
  }

  /** Last first, as an abort does. */
  async takeBack(): Promise<('now' | 'before')[]> {
    const done: ('now' | 'before')[] = [];
    for (const undo of this.#undos.toReversed()) done.push((await patiently(() => undo.run(this.#activities))).done);
    return done;
  }

  notNeeded(): void {}
  commit(): void {}
  extend(): void {}
  discardUndo(): void {}
  async hold(): Promise<void> {}
}
