/**
 * Workflow `maintenanceWindow`: one opening of a maintenance window, started by its schedule. It opens, runs its
 * operations one after the other, and closes in every ending.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { operationId } from '../model/ids.ts';
import { utcText } from '../model/operation-window.ts';
import type { OperationRequest } from '../model/requests.ts';
import {
  closesAt,
  freezeAt,
  nextOpening,
  openingKey,
  WINDOW_MESSAGES,
  type WindowInput,
  type WindowOperationView,
  type WindowResult,
  type WindowView,
} from '../model/window.ts';
import { dismissCloser, startCloser } from './closer.ts';
import { Follower } from './follow.ts';
import { WindowKeeper } from './keeper.ts';
import { switchOff, switchOn, type Switched } from './maintenance.ts';

/** The calendar's time, which an opening that was caught up or jittered is later than. */
const SCHEDULED_AT = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** What the opening before this one left. */
function waitingOf(last: unknown): readonly string[] {
  if (typeof last !== 'object' || last === null || !('waiting' in last) || !Array.isArray(last.waiting)) return [];
  return last.waiting.filter((id): id is string => typeof id === 'string');
}

class WindowOpening {
  readonly #input: WindowInput;
  readonly #opensAt: number;
  readonly #until: number;
  readonly #key: string;
  readonly #requests: ReadonlyMap<string, OperationRequest>;
  readonly #follower: Follower;
  readonly #keeper: WindowKeeper;
  #waiting: readonly string[];
  #switched: Switched | undefined;
  /** Openings that began before there were closers have none. */
  readonly #watched: boolean;

  constructor(input: WindowInput) {
    const { definition } = input;
    const { cluster, name, operations, ticket } = definition;
    const { workflowId, typedSearchAttributes, startTime, lastResult } = workflowInfo();
    this.#input = input;
    this.#watched = definition.globalMaintenance && patched('closer');
    this.#opensAt = (typedSearchAttributes.get(SCHEDULED_AT) ?? startTime).getTime();
    this.#until = closesAt(definition, this.#opensAt);
    this.#key = openingKey(name, this.#opensAt);
    this.#waiting = waitingOf(lastResult);
    const requests = operations.map((asked, index): OperationRequest => {
      const own = { key: `${this.#key}-${index + 1}`, requestedBy: `window:${name}` };
      return { ...asked, ...own, ...(ticket === undefined ? {} : { ticket }) };
    });
    this.#requests = new Map(requests.map((request) => [operationId(request), request]));
    const until = new Date(this.#until).toISOString();
    const next = nextOpening(definition, this.#until);
    const nextText = next === undefined ? {} : { next: new Date(next).toISOString() };
    this.#follower = new Follower({ name, opening: workflowId, until, ...nextText });
    const pending = (id: string): WindowOperationView => ({ id, operation: id.split('/')[0] ?? '', state: 'pending' });
    this.#keeper = new WindowKeeper({
      cluster,
      name,
      state: 'opening',
      openedAt: new Date(this.#opensAt).toISOString(),
      until,
      globalMaintenance: definition.globalMaintenance ? 'not yet' : 'not asked for',
      operations: [...this.#waiting, ...this.#requests.keys()].map(pending),
    });
    setHandler(defineQuery<WindowView>(WINDOW_MESSAGES.view), () => this.#keeper.view, {
      description: 'How the opening stands, and each of its operations',
    });
  }

  /** Why it does not open at all. */
  #notNow(): string | undefined {
    const freeze = freezeAt(this.#input.definition.freezes, this.#opensAt);
    if (freeze !== undefined) return `skipped: freeze ${freeze.summary}`;
    if (Date.now() < this.#until) return undefined;
    return `skipped: too late, it was to close at ${utcText(this.#until)}`;
  }

  async run(): Promise<WindowResult> {
    const why = this.#notNow();
    if (why !== undefined) {
      for (const { id } of this.#keeper.view.operations) this.#keeper.operation(id, { state: 'not-started' });
      // What waits goes on waiting.
      return this.#end({ state: 'skipped', lines: [why], waiting: this.#waiting });
    }
    let early: string | undefined;
    try {
      early = await this.#work();
    } catch (error) {
      early = isCancellation(error) ? 'cancelled in Temporal' : `stopped by a defect: ${String(error)}`;
    }
    return CancellationScope.nonCancellable(async () => {
      await this.#letFinish();
      const left = await this.#close();
      if (this.#watched) await dismissCloser({ window: this.#input, key: this.#key });
      return this.#closed(early, left);
    });
  }

  /** @returns why it ends before all was done */
  async #work(): Promise<string | undefined> {
    if (this.#input.definition.globalMaintenance) {
      this.#keeper.state('opening', 'global maintenance to be on');
      if (this.#watched) await this.#startCloser();
      this.#switched = await switchOn(this.#input, this.#key, this.#until);
      const { state, why } = this.#switched;
      const words = { ours: 'on', before: `stays on: ${why}`, 'not-on': `not on: ${why}`, unknown: `unknown: ${why}` };
      this.#keeper.maintenance(words[state]);
      if (state === 'not-on' || state === 'unknown') return `global maintenance could not be switched on: ${why}`;
    }
    this.#keeper.state('open');
    for (const { id } of this.#keeper.view.operations) {
      if (Date.now() >= this.#until) return 'time ran out';
      const state = await this.#operation(id);
      if (state === 'waits') return 'an operation is parked';
      if (state !== 'done') return `${id} ${state === 'aborted' ? 'was aborted' : 'failed'}`;
    }
    return undefined;
  }

  async #operation(id: string): Promise<WindowOperationView['state']> {
    const request = this.#requests.get(id);
    if (request !== undefined) await this.#follower.start(request, this.#input);
    // Ended between the openings, by an operator.
    else if (!(await this.#follower.wake(id))) {
      this.#keeper.operation(id, { state: 'done', summary: 'it had ended since the last opening' });
      return 'done';
    }
    this.#keeper.operation(id, { state: 'running' });
    const { state, summary } = await this.#follower.follow(id);
    this.#keeper.operation(id, { state, summary });
    return state;
  }

  #startCloser(): Promise<void> {
    const operations = this.#keeper.view.operations.map(({ id }) => id);
    return startCloser({ opening: workflowInfo().workflowId, window: this.#input, key: this.#key, operations });
  }

  /** Cut short from outside: what runs ends its step, as at the window's end. */
  async #letFinish(): Promise<void> {
    const running = this.#keeper.view.operations.find(({ state }) => state === 'running');
    if (running === undefined) return;
    this.#follower.close();
    this.#keeper.state('closing', `${running.id} to end its step`);
    const { state, summary } = await this.#follower.follow(running.id);
    this.#keeper.operation(running.id, { state, summary });
  }

  /** @returns what could not be closed */
  async #close(): Promise<string | undefined> {
    const state = this.#switched?.state;
    // Before it was known, too: a cancellation in the middle of the switching on.
    if (state === undefined || state === 'before' || state === 'not-on') return undefined;
    this.#keeper.state('closing', 'global maintenance to be off');
    const left = await switchOff(this.#input, this.#key);
    this.#keeper.maintenance(left === undefined ? 'off again, seen on storage' : `may still be ON: ${left}`);
    return left;
  }

  #closed(early: string | undefined, left: string | undefined): WindowResult {
    for (const { id, state } of this.#keeper.view.operations)
      if (state === 'pending') this.#keeper.operation(id, { state: 'not-started' });
    const { operations, globalMaintenance } = this.#keeper.view;
    // An opening that never came to what waits leaves it to the next one.
    const untouched = (id: string, state: string) => state === 'not-started' && !this.#requests.has(id);
    const waiting = operations.filter(({ id, state }) => state === 'waits' || untouched(id, state)).map(({ id }) => id);
    const done = operations.filter(({ state }) => state === 'done').length;
    const count = `${done} of ${operations.length} operations done`;
    const parked = operations.find(({ state }) => state === 'waits');
    const first = early === undefined ? `${count}.` : `Closed early: ${early}; ${count}.`;
    const lines = [
      parked === undefined ? first : `Parked: ${parked.id} goes on in the next opening; ${count}.`,
      ...(this.#switched === undefined ? [] : [`Global maintenance: ${globalMaintenance}.`]),
      ...(left === undefined ? [] : ['See that global maintenance is off: npx bellwether maintenance global off.']),
    ];
    const state = parked !== undefined ? 'parked' : early === undefined && left === undefined ? 'done' : 'closed-early';
    return this.#end({ state, lines, waiting });
  }

  #end(result: WindowResult): WindowResult {
    this.#keeper.end(result);
    return result;
  }
}

/** Started by the schedule `window/<cluster>/<name>`; its last result tells the next opening what waits for it. */
export async function maintenanceWindow(input: WindowInput): Promise<WindowResult> {
  let opening: WindowOpening;
  try {
    opening = new WindowOpening(input);
  } catch (error) {
    // A plain error would fail its task for ever instead of the workflow.
    const message = `the input is no maintenance window (${String(error)}); create it through the front door`;
    throw ApplicationFailure.create({ message, type: 'bad-input', nonRetryable: true });
  }
  return opening.run();
}
