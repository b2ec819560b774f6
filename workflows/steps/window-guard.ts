/** An operation's side of its maintenance window: what still fits, and what the opening is told. */
import { defineSignal, getExternalWorkflowHandle, setHandler } from '@temporalio/workflow';
import type { StepFailure, StepPlan } from '../model/operation.ts';
import { tooShort, type OperationWindow } from '../model/operation-window.ts';
import { WINDOW_MESSAGES, type OperationTold } from '../model/window.ts';

interface Ears {
  /** The next opening has come. */
  readonly opened: () => void;
  readonly closed: () => void;
}

export class WindowGuard {
  readonly #operationId: string;
  #window: OperationWindow;
  #closed = false;

  constructor(operationId: string, window: OperationWindow) {
    this.#operationId = operationId;
    this.#window = window;
  }

  /** Must be called before the operation's first wait. */
  listen({ opened, closed }: Ears): void {
    const opens = (window: OperationWindow): void => {
      this.#window = window;
      this.#closed = false;
      opened();
    };
    const closes = (opening: string): void => {
      // A late word of an opening before this one.
      if (opening !== this.#window.opening) return;
      this.#closed = true;
      closed();
    };
    setHandler(defineSignal<[OperationWindow]>(WINDOW_MESSAGES.opens), opens, {
      description: 'Sent by an opening of the maintenance window: it goes on',
    });
    setHandler(defineSignal<[string]>(WINDOW_MESSAGES.closes), closes, {
      description: 'Sent by the opening when it ends (argument: its workflow id)',
    });
  }

  get name(): string {
    return this.#window.name;
  }

  /** Closed by the opening's word, or by the clock should that word be late. */
  get closed(): boolean {
    return this.#closed || Date.now() >= Date.parse(this.#window.until);
  }

  tooShortFor(plan: StepPlan): StepFailure | undefined {
    return tooShort(plan, this.#window, Date.now(), this.#closed);
  }

  /** The opening may be gone: then nobody needs to know. */
  async tell(state: OperationTold['state'], summary: string): Promise<void> {
    const told: OperationTold = { id: this.#operationId, state, summary };
    await getExternalWorkflowHandle(this.#window.opening)
      .signal(WINDOW_MESSAGES.told, told)
      .catch(() => undefined);
  }
}
