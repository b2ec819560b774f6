/**
 * Every operation under Temporal: it asks for the cluster, runs its body step by step, tells the ticket, and takes back
 * what it did when it is aborted. An operation's own folder says what its steps are and nothing of all this.
 */
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { acquireCluster, releaseCluster } from '../cluster/lock.ts';
import type { OperationResult, OperationTiming, ReportActivities, StepCall } from '../model/operation.ts';
import type { OperationInput, OperationRequest } from '../model/requests.ts';
import { runBody, type OperationDefinition } from './definition.ts';
import { followedByTicket } from '../ticket/start.ts';
import { OperationStateKeeper } from './operation-state.ts';
import { OperationAborted, TemporalRunner } from './temporal-runner.ts';
import { WindowGuard } from './window-guard.ts';

/** A ticket that can't be told must not hold up the end of an abort. */
const tell = proxyActivities<ReportActivities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '5 minutes',
  summary: 'Tell the ticket that the operation was aborted',
});

class Operation<R extends OperationRequest, A extends ReportActivities> {
  readonly #definition: OperationDefinition<R, A>;
  readonly #request: R;
  readonly #call: StepCall;
  readonly #keeper: OperationStateKeeper;
  readonly #runner: TemporalRunner<A>;
  readonly #window: WindowGuard | undefined;
  readonly #timing: OperationTiming;

  constructor(definition: OperationDefinition<R, A>, { request, timing, window }: OperationInput<R>) {
    const { workflowId, runStartTime } = workflowInfo();
    this.#definition = definition;
    this.#request = request;
    this.#timing = timing;
    this.#call = { operationId: workflowId, cluster: request.cluster, startedAt: runStartTime.toISOString() };
    const { operation, cluster, ticket, requestedBy } = request;
    const identity = { id: workflowId, operation, cluster, requestedBy, ...(ticket === undefined ? {} : { ticket }) };
    this.#keeper = new OperationStateKeeper(identity, definition.steps);
    this.#window = window === undefined ? undefined : new WindowGuard(workflowId, window);
    this.#runner = new TemporalRunner<A>(this.#keeper, timing, {
      letGo: (untilMs) => this.#withoutCluster(() => this.#sleepUntil(untilMs)),
      letGoWhile: (wait) => this.#withoutCluster(wait),
      ...(this.#window === undefined ? {} : { window: this.#window }),
    });
    this.#listenToWindow();
  }

  #listenToWindow(): void {
    const window = this.#window;
    window?.listen({
      opened: () => this.#runner.windowOpened(window.name),
      closed: () => {
        // It keeps its place; should its turn come, the first step finds that there is no window.
        const { state, waitsFor = 'the cluster' } = this.#keeper.view;
        if (state === 'queued') void window.tell('waits', `waits for ${waitsFor}`);
      },
    });
  }

  #acquire() {
    const { cluster, ticket, ifBusy, key } = this.#request;
    const lock = { operationId: this.#call.operationId, label: ticket ?? key, ifBusy };
    return acquireCluster(cluster, lock, this.#keeper);
  }

  async #sleepUntil(untilMs: number): Promise<void> {
    const left = untilMs - Date.now();
    if (left > 0) await sleep(left, { summary: 'Until the time that the request names' });
  }

  /** Lets others have the cluster while this operation only waits. */
  async #withoutCluster(wait: () => Promise<void>): Promise<void> {
    await releaseCluster(this.#request.cluster, this.#call.operationId);
    try {
      await wait();
    } finally {
      // Whatever comes now changes the cluster again: its end, or what is taken back.
      await CancellationScope.nonCancellable(() => this.#acquireAnyway());
    }
  }

  async #acquireAnyway(): Promise<void> {
    const { cluster, ticket, key } = this.#request;
    const lock = { operationId: this.#call.operationId, label: ticket ?? key, ifBusy: 'queue' } as const;
    await acquireCluster(cluster, lock, this.#keeper);
  }

  async run(): Promise<OperationResult> {
    try {
      if (this.#request.tracker !== undefined) await followedByTicket(this.#request, this.#timing);
      const answer = await this.#runner.untilAborted(() => this.#acquire());
      if (answer.state === 'refused') return this.#refused(answer.busyWith);
      this.#keeper.state('running', ['abort']);
      const summary = await runBody(this.#definition, this.#runner, this.#call, this.#request);
      // Asked for while the last step ran: what was promised is kept.
      this.#runner.checkAborted();
      this.#keeper.end('done', summary.lines.join('\n\n'));
      return { state: summary.state, lines: summary.lines };
    } catch (error) {
      if (error instanceof OperationAborted) return await this.#aborted(`aborted by ${this.#who()}`);
      // Cancelling the workflow means the same as aborting the operation; anything else is a defect, and even then
      // nothing that was done half may stay.
      const cancelled = isCancellation(error);
      await this.#aborted(cancelled ? 'cancelled in Temporal' : `stopped by a defect: ${String(error)}`);
      if (cancelled) throw error;
      // A plain error would fail the workflow's task for ever instead of the workflow.
      throw ApplicationFailure.create({ message: String(error), type: 'unexpected', nonRetryable: true });
    } finally {
      await CancellationScope.nonCancellable(() => this.#release());
      if (this.#window !== undefined) await CancellationScope.nonCancellable(() => this.#tellEnd());
    }
  }

  /** After the release: the opening must find the cluster free. */
  async #tellEnd(): Promise<void> {
    const { state, outcome = '' } = this.#keeper.view;
    const [summary = ''] = outcome.split('\n');
    await this.#window?.tell(state === 'done' ? 'done' : 'aborted', summary);
  }

  #release(): Promise<void> {
    const { state, outcome = '' } = this.#keeper.view;
    const [summary = ''] = outcome.split('\n');
    return releaseCluster(this.#request.cluster, this.#call.operationId, { state, summary });
  }

  #who(): string {
    const command = this.#runner.abortedBy;
    return command?.reason === undefined ? (command?.by ?? 'unknown') : `${command.by} (${command.reason})`;
  }

  #refused(busyWith: string): OperationResult {
    const outcome = `Refused: the cluster is busy with ${busyWith}. Nothing was changed.`;
    this.#keeper.end('aborted', outcome);
    return { state: 'refused', lines: [outcome] };
  }

  async #aborted(why: string): Promise<OperationResult> {
    this.#keeper.stopOpenStep();
    this.#keeper.state('aborting', []);
    await this.#runner.compensate();
    const undone = this.#keeper.view.undo.map((step) => `${step.title}: ${step.summary ?? step.state}`);
    const { noun, stays } = this.#definition;
    const lines = [
      `The ${noun} was ${why}.`,
      ...(this.#runner.committed && stays !== undefined ? [stays] : []),
      ...(undone.length === 0 ? ['Nothing had to be taken back.'] : undone),
    ];
    const { ticket, tracker } = this.#request;
    if (ticket !== undefined && tracker === undefined) {
      const report = { ...this.#call, ticket, state: 'aborted', lines };
      await CancellationScope.nonCancellable(() => tell.reportToTicket(report)).catch(() => undefined);
    }
    this.#keeper.end('aborted', lines.join('\n\n'));
    return { state: 'aborted', lines };
  }
}

/** A workflow of the definition. Started by hand it may be brought anything, which fails the workflow with a word. */
export function operationWorkflow<R extends OperationRequest, A extends ReportActivities>(
  definition: OperationDefinition<R, A>,
): (input: OperationInput<R>) => Promise<OperationResult> {
  return (input) => {
    let operation: Operation<R, A>;
    try {
      operation = new Operation(definition, input);
    } catch (error) {
      // A plain error would fail its task for ever instead of the workflow.
      const message = `the input is no request for the ${definition.noun} (${String(error)}); start it through the front door`;
      throw ApplicationFailure.create({ message, type: 'bad-input', nonRetryable: true });
    }
    return operation.run();
  };
}
