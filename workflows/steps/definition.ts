/** What an operation is: its steps and its body. Knows nothing of Temporal: the benchmark runs it plainly. */
import {
  REPORT_STEP,
  type OperationEnd,
  type ReportActivities,
  type StepCall,
  type StepPlan,
} from '../model/operation.ts';
import type { OperationRequest } from '../model/requests.ts';
import type { StepRunner } from './runner.ts';

export interface OperationDefinition<R extends OperationRequest, A extends ReportActivities> {
  /** In a sentence: "The upgrade was aborted by alice." */
  readonly noun: string;
  /** All steps, in order; the last is `REPORT_STEP`. */
  readonly steps: readonly StepPlan[];
  readonly body: (run: StepRunner<A>, call: StepCall, request: R) => Promise<OperationEnd>;
  /** What an abort after the point of no return leaves, as a sentence. */
  readonly stays?: string;
}

/** The body and the report to the ticket; runs on any runner. */
export async function runBody<R extends OperationRequest, A extends ReportActivities>(
  definition: Pick<OperationDefinition<R, A>, 'body'>,
  run: StepRunner<A>,
  call: StepCall,
  request: R,
): Promise<OperationEnd> {
  const summary = await definition.body(run, call, request);
  const { ticket, tracker } = request;
  const { state, lines } = summary;
  if (tracker !== undefined) run.notNeeded([REPORT_STEP.name], 'the ticket is kept up to date all along');
  else if (ticket === undefined) run.notNeeded([REPORT_STEP.name], 'no ticket asked for it');
  else await run.optional(REPORT_STEP, (a) => a.reportToTicket({ ...call, ticket, state, lines }));
  return summary;
}
