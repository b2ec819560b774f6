/** Workflow `upgradeHostedEngine`. */
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import { acquireCluster, releaseCluster } from '../cluster/lock.ts';
import type { OperationInput, UpgradeRequest } from '../model/requests.ts';
import { UPGRADE_STEPS, type StepCall, type UpgradeActivities, type UpgradeSummary } from '../model/upgrade.ts';
import { OperationStateKeeper } from '../steps/operation-state.ts';
import { OperationAborted, TemporalRunner } from '../steps/temporal-runner.ts';
import { runUpgrade } from './steps.ts';

/** A ticket that can't be told must not hold up the end of an abort. */
const tell = proxyActivities<Pick<UpgradeActivities, 'reportToTicket'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '5 minutes',
  summary: 'Tell the ticket that the operation was aborted',
});

export interface OperationResult {
  readonly state: 'done' | 'nothing-to-do' | 'aborted' | 'refused';
  readonly lines: readonly string[];
}

class Upgrade {
  readonly #request: UpgradeRequest;
  readonly #call: StepCall;
  readonly #keeper: OperationStateKeeper;
  readonly #runner: TemporalRunner<UpgradeActivities>;

  constructor({ request, timing }: OperationInput<UpgradeRequest>) {
    const { workflowId, runStartTime } = workflowInfo();
    this.#request = request;
    this.#call = { operationId: workflowId, cluster: request.cluster, startedAt: runStartTime.toISOString() };
    const { operation, cluster, ticket, requestedBy } = request;
    const identity = { id: workflowId, operation, cluster, requestedBy, ...(ticket === undefined ? {} : { ticket }) };
    this.#keeper = new OperationStateKeeper(identity, UPGRADE_STEPS);
    this.#runner = new TemporalRunner<UpgradeActivities>(this.#keeper, timing);
  }

  async run(): Promise<OperationResult> {
    const { cluster, ticket, ifBusy, key } = this.#request;
    const lock = { operationId: this.#call.operationId, label: ticket ?? key, ifBusy };
    try {
      const answer = await this.#runner.untilAborted(() => acquireCluster(cluster, lock, this.#keeper));
      if (answer.state === 'refused') return this.#refused(answer.busyWith);
      this.#keeper.state('running', ['abort']);
      const summary = await runUpgrade(this.#runner, this.#call, this.#request);
      return this.#done(summary);
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
      await CancellationScope.nonCancellable(() => releaseCluster(cluster, this.#call.operationId));
    }
  }

  #who(): string {
    const command = this.#runner.abortedBy;
    return command?.reason === undefined ? (command?.by ?? 'unknown') : `${command.by} (${command.reason})`;
  }

  #done(summary: UpgradeSummary): OperationResult {
    this.#keeper.end('done', summary.lines.join('\n\n'));
    return { state: summary.state, lines: summary.lines };
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
    const stays = this.#runner.committed ? ['The engine manages its own VM already: that stays.'] : [];
    const lines = [
      `The upgrade was ${why}.`,
      ...stays,
      ...(undone.length === 0 ? ['Nothing had to be taken back.'] : undone),
    ];
    const { ticket } = this.#request;
    if (ticket !== undefined) {
      const report = { ...this.#call, ticket, state: 'aborted', lines };
      await CancellationScope.nonCancellable(() => tell.reportToTicket(report)).catch(() => undefined);
    }
    this.#keeper.end('aborted', lines.join('\n\n'));
    return { state: 'aborted', lines };
  }
}

/** Upgrades a hosted engine whose VM is still defined by a vm.conf. Steps: `UPGRADE_STEPS`. */
export async function upgradeHostedEngine(input: OperationInput<UpgradeRequest>): Promise<OperationResult> {
  return upgradeOf(input).run();
}

/** A workflow started by hand may bring anything; a plain error would fail its task for ever instead of the workflow. */
function upgradeOf(input: OperationInput<UpgradeRequest>): Upgrade {
  try {
    return new Upgrade(input);
  } catch (error) {
    const message = `the input is no upgrade request (${String(error)}); start it through the front door`;
    throw ApplicationFailure.create({ message, type: 'bad-input', nonRetryable: true });
  }
}
