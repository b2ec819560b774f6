/**
 * What every operation looks like from outside: its steps, their states, and what a person can do now (design.md "An
 * operation"). Pure data: workflows write it, the API, the command line and the Temporal UI read it.
 */

export type StepState =
  | 'pending'
  | 'running'
  | 'parked'
  | 'done'
  /** The check found the effect there already; nothing was changed. */
  | 'already-done'
  /** The operation did not need it. */
  | 'not-needed'
  | 'skipped'
  /** Given up unfinished: the operation was aborted while it ran or was parked. Its failure, if any, is kept. */
  | 'stopped'
  | 'undoing'
  | 'undone';

export type OperationState = 'queued' | 'running' | 'parked' | 'aborting' | 'done' | 'aborted';

/** Why a step stopped for good, in the words that an operator needs. */
export interface StepFailure {
  /** Stable name of the cause, e.g. `engine/data-center-not-up`. */
  readonly type: string;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  /** How often it was tried before it was given up. */
  readonly attempts: number;
}

export type OperatorAction = 'retry' | 'skip' | 'abort';

/** An operator's word, with who said it: it stays in the history for the auditor. */
export interface OperatorCommand {
  readonly by: string;
  readonly reason?: string;
}

export interface StepView {
  readonly name: string;
  readonly title: string;
  readonly state: StepState;
  /** ISO time. */
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** What came out of it, one line. */
  readonly summary?: string;
  readonly notes?: readonly string[];
  readonly failure?: StepFailure;
}

export interface OperationView {
  readonly id: string;
  readonly operation: string;
  readonly cluster: string;
  readonly ticket?: string;
  readonly requestedBy: string;
  readonly state: OperationState;
  /** What it waits for now, if it waits. */
  readonly waitsFor?: string;
  readonly steps: readonly StepView[];
  /** Compensations that ran or run, in the order in which they ran. */
  readonly undo: readonly StepView[];
  readonly actions: readonly OperatorAction[];
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly outcome?: string;
}

/** What a step's activity answers. */
export interface StepOutcome<T> {
  /** `before`: the check found it done already. */
  readonly done: 'now' | 'before';
  readonly summary: string;
  readonly notes?: readonly string[];
  readonly value: T;
}

/** A step as the operation's list names it. */
export interface StepPlan {
  readonly name: string;
  readonly title: string;
  /** Leaving it out can't harm: `skip` is offered when it is parked. */
  readonly skippable?: boolean;
  /** Longest honest single attempt, milliseconds. */
  readonly attemptMs: number;
  /**
   * What must be left of a maintenance window before it begins, when that is not `attemptMs`: with the steps that must
   * follow without a pause; those have 0 themselves.
   */
  readonly windowMs?: number;
}

/** How patient an operation is; the lab and the tests are less so. */
export interface OperationTiming {
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** All attempts of one step together, beside the length of one attempt; after it the step parks. */
  readonly stepPatienceMs: number;
  /** A worker silent for so long is taken for dead and its step is tried again. */
  readonly heartbeatMs: number;
}

export const DEFAULT_TIMING: OperationTiming = {
  firstRetryMs: 1000,
  maxRetryMs: 30_000,
  stepPatienceMs: 600_000,
  heartbeatMs: 10_000,
};

/** Names of the messages that an operation understands. */
export const MESSAGES = {
  view: 'operation',
  retry: 'retry',
  skip: 'skip',
  abort: 'abort',
  granted: 'clusterGranted',
} as const;

/** Every call of a step carries it: it names the operation in VDSM's and the engine's logs, and ids are derived from it. */
export interface StepCall {
  readonly operationId: string;
  readonly cluster: string;
  /** ISO time of the operation's start: the one clock of everything that must come out the same when repeated. */
  readonly startedAt: string;
}

/** One activity: one step, which checks, acts and verifies, so that repeating it is safe. */
export type Step<I, T> = (input: StepCall & I) => Promise<StepOutcome<T>>;

/** What an operation's body answers when it came to its end. */
export interface OperationEnd {
  readonly state: 'done' | 'nothing-to-do';
  /** For the ticket and the operation's page. */
  readonly lines: readonly string[];
}

export interface OperationResult {
  readonly state: 'done' | 'nothing-to-do' | 'aborted' | 'refused';
  readonly lines: readonly string[];
}

/** The activity that every operation ends with. */
export interface ReportActivities {
  reportToTicket: Step<{ readonly ticket: string; readonly state: string; readonly lines: readonly string[] }, null>;
}

const MINUTE_MS = 60_000;

/** The last step of every operation. */
export const REPORT_STEP = {
  name: 'report',
  title: 'Report to the ticket',
  skippable: true,
  attemptMs: MINUTE_MS,
  windowMs: 0,
} as const satisfies StepPlan;

/** @throws Error for a name that is not in the list: a mistake of ours. */
export function planOf<P extends StepPlan>(steps: readonly P[], name: P['name']): P {
  const found = steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`no step ${name}`);
  return found;
}
