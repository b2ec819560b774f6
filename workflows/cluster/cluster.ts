/** The entity `cluster/<name>`: grants the cluster to one operation at a time, in the order of asking. */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ALERTS_MAX,
  CLUSTER_MESSAGES,
  HISTORY_MAX,
  type ClusterState,
  type HostAlert,
  type LockActivities,
  type LockAnswer,
  type LockRequest,
  type OperationEnding,
} from '../model/cluster.ts';
import { MESSAGES } from '../model/operation.ts';
import { clusterMarkdown } from './details.ts';

function describeHolder(holder: LockRequest): ReturnType<LockActivities['describeHolder']> {
  const summary = `Does ${holder.label}, which holds the cluster, still run?`;
  return proxyActivities<LockActivities>({ startToCloseTimeout: '20 seconds', summary }).describeHolder(holder);
}

/** Begins where a run that was ended in Temporal stopped; one that made room for this has handed all over. */
async function remembered(state: ClusterState): Promise<ClusterState> {
  const { continuedFromExecutionRunId, runId } = workflowInfo();
  const { cluster, holder, queue, history } = state;
  const handedOver = continuedFromExecutionRunId !== undefined || holder !== undefined || queue.length > 0;
  if (handedOver || history.length > 0 || !patched('remember')) return state;
  const summary = 'What did the entity know, if it was there before?';
  const { lastClusterState } = proxyActivities<LockActivities>({ startToCloseTimeout: '20 seconds', summary });
  return (await lastClusterState({ cluster, runId })) ?? state;
}

/** A holder that ended without a word (terminated) is noticed after so long, when somebody waits. */
const STALE_CHECK = '15 seconds';
const STALE_SUMMARY = 'Until the next look at who holds the cluster';

class Cluster {
  state: ClusterState;
  /** Requests are answered one after the other: two that interleave could both be granted. */
  #turn: Promise<unknown>;
  #work = false;

  constructor(state: ClusterState) {
    this.state = state;
    this.#turn = this.#remember();
    this.#show();
  }

  async #remember(): Promise<void> {
    const known = await remembered(this.state);
    if (known === this.state) return;
    const { alerts = [] } = this.state;
    this.state = known;
    this.#work = true;
    for (const alert of alerts) this.tell(alert);
    this.#show();
  }

  request(lock: LockRequest): Promise<LockAnswer> {
    const answer = this.#turn.then(() => this.#answer(lock));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #answer(lock: LockRequest): Promise<LockAnswer> {
    const { state } = this;
    for (;;) {
      // Those who wait come first: the last holder's release may have come together with this request.
      await this.#handOver();
      const { holder } = state;
      if (holder === undefined || holder.operationId === lock.operationId) {
        this.#grant(lock);
        return { state: 'granted' };
      }
      const holding = await describeHolder(holder);
      if (!holding.running) this.release(holder.operationId);
      else if (state.holder === holder) return this.#busy(lock, holding.text);
    }
  }

  #busy(lock: LockRequest, busyWith: string): LockAnswer {
    if (lock.ifBusy === 'refuse') return { state: 'refused', busyWith };
    const { queue } = this.state;
    if (!queue.some((waiting) => waiting.operationId === lock.operationId)) queue.push(lock);
    const position = queue.findIndex((waiting) => waiting.operationId === lock.operationId) + 1;
    this.#show();
    return { state: 'queued', position, busyWith };
  }

  #grant(lock: LockRequest): void {
    if (this.state.holder?.operationId === lock.operationId) return;
    this.state.holder = lock;
    const { operationId, label } = lock;
    this.state.history.push({ operationId, label, grantedAt: new Date().toISOString() });
    if (this.state.history.length > HISTORY_MAX) this.state.history.shift();
    this.#show();
  }

  release(operationId: string, end?: OperationEnding): void {
    const { state } = this;
    state.queue = state.queue.filter((waiting) => waiting.operationId !== operationId);
    if (state.holder?.operationId === operationId) {
      delete state.holder;
      const releasedAt = new Date().toISOString();
      state.history = state.history.map((entry) =>
        entry.operationId === operationId && entry.releasedAt === undefined
          ? { ...entry, releasedAt, ...(end === undefined ? {} : { end }) }
          : entry,
      );
    }
    this.#work = true;
    this.#show();
  }

  tell(alert: HostAlert): void {
    const { alerts = [] } = this.state;
    if (alerts.some((known) => known.id === alert.id)) return;
    this.state.alerts = [...alerts, alert].slice(-ALERTS_MAX);
    this.#show();
  }

  /** Hands the cluster to the next in the queue; one that is gone is passed over. */
  async #handOver(): Promise<void> {
    while (this.state.holder === undefined) {
      const next = this.state.queue.shift();
      if (next === undefined) return;
      this.#grant(next);
      try {
        await getExternalWorkflowHandle(next.operationId).signal(MESSAGES.granted);
      } catch {
        this.release(next.operationId);
      }
    }
  }

  async #releaseStale(): Promise<void> {
    const { holder } = this.state;
    if (holder === undefined) return;
    const holding = await describeHolder(holder);
    if (!holding.running) this.release(holder.operationId);
  }

  async serve(): Promise<never> {
    await this.#turn;
    const full = () => workflowInfo().continueAsNewSuggested;
    // The run before may have been released while it made room for this one.
    await this.#handOver();
    for (;;) {
      const ready = () => this.#work || full();
      if (this.state.queue.length === 0) await condition(() => ready() || this.state.queue.length > 0);
      else if (!(await condition(ready, STALE_CHECK, { summary: STALE_SUMMARY }))) await this.#releaseStale();
      this.#work = false;
      await this.#handOver();
      if (full()) {
        await condition(allHandlersFinished);
        return continueAsNew<typeof cluster>(this.state);
      }
    }
  }

  #show(): void {
    setCurrentDetails(clusterMarkdown(this.state, workflowInfo().namespace));
  }
}

/** Started by the first operation that asks for the cluster; never ends, starts anew when its history grows long. */
export async function cluster(state: ClusterState): Promise<never> {
  const entity = new Cluster({ ...state, queue: [...state.queue], history: [...state.history] });
  setHandler(defineQuery<ClusterState>(CLUSTER_MESSAGES.view), () => entity.state, {
    description: 'Who holds the cluster, who waits, what happened last',
  });
  setHandler(defineSignal<[string, OperationEnding?]>(CLUSTER_MESSAGES.release), (id, end) => entity.release(id, end), {
    description: 'Sent by an operation at its end (arguments: its workflow id, and how it ended)',
  });
  setHandler(defineSignal<[HostAlert]>(CLUSTER_MESSAGES.alert), (alert) => entity.tell(alert), {
    description: 'Sent by the front door: what a host worker told',
  });
  setHandler(defineUpdate<LockAnswer, [LockRequest]>(CLUSTER_MESSAGES.request), (lock) => entity.request(lock), {
    description: 'Sent by an operation before its first step',
  });
  return entity.serve();
}
