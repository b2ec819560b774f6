/**
 * What is measured and logged about steps and about the calls they make. Context comes from the activity under way, so the
 * clients, which know no Temporal, need not carry it. Metrics go through the SDK's meter: one exporter serves all.
 */
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import type { MetricCounter, MetricHistogram } from '@temporalio/common';
import { WORKFLOW_TYPES } from '../workflows/model/requests.ts';
import type { CallFacts, CallObserver } from './observe.ts';

export type StepEnd = 'done' | 'already-done' | 'failed' | 'given-up' | 'stopped';

interface Instruments {
  readonly steps: MetricCounter;
  readonly stepSeconds: MetricHistogram;
  readonly calls: MetricCounter;
  readonly callSeconds: MetricHistogram;
}

/** An activity's meter carries its name, so each has its own; there are some sixty. */
const known = new Map<string, Instruments>();

function instrumentsOf({ info, metricMeter: meter }: Context): Instruments {
  const found = known.get(info.activityType);
  if (found !== undefined) return found;
  const seconds = (name: string, what: string) => meter.createHistogram(name, 'float', 's', what);
  const made: Instruments = {
    steps: meter.createCounter('bellwether_steps', '', 'Attempts of steps, by how they ended.'),
    stepSeconds: seconds('bellwether_step_duration_seconds', 'Length of one attempt of a step.'),
    calls: meter.createCounter('bellwether_calls', '', 'Calls to engine and VDSM, by how they ended.'),
    callSeconds: seconds('bellwether_call_duration_seconds', 'Length of a call to engine or VDSM.'),
  };
  known.set(info.activityType, made);
  return made;
}

/** The part of the workflow's id that says what it is: `upgrade` of `upgrade/Default/CHG1`. */
const operationOf = ({ info }: Context) => info.workflowExecution?.workflowId.split('/')[0] ?? '';

const ENDED_WELL: readonly StepEnd[] = ['done', 'already-done'];

/** One attempt of an activity came to its end. The line carries operation, step and attempt, as all of its log do. */
export function stepEnded(context: Context, end: StepEnd, ms: number, error?: string): void {
  const facts = { outcome: end, ms: Math.round(ms), ...(error === undefined ? {} : { why: error }) };
  if (!ENDED_WELL.includes(end)) context.log.info('step', facts);
  // Looks come every few seconds.
  else if (operationOf(context) in WORKFLOW_TYPES) context.log.info('step', facts);
  else context.log.debug('step', facts);
  const { steps, stepSeconds } = instrumentsOf(context);
  const tags = { operation: operationOf(context), step: context.info.activityType };
  steps.add(1, { ...tags, outcome: end });
  stepSeconds.record(ms / 1000, tags);
}

function called(context: Context, { counterpart, subject, call, ms, error, correlationId }: CallFacts): void {
  const { calls, callSeconds } = instrumentsOf(context);
  calls.add(1, { counterpart, call, error: error ?? 'none' });
  callSeconds.record(ms / 1000, { counterpart, call });
  const facts = {
    counterpart,
    subject,
    call,
    ms: Math.round(ms),
    correlationId,
    ...(error === undefined ? {} : { error }),
  };
  if (error === undefined) context.log.debug('call', facts);
  else context.log.info('call failed', facts);
}

/** For the clients; calls outside of any activity are not counted. */
export const observeCall: CallObserver = (facts) => {
  const context = asyncLocalStorage.getStore();
  if (context !== undefined) called(context, facts);
};
