/** An opening's side of the operations that it runs: it starts or wakes them, and hears how they go. */
import { condition, defineSignal, getExternalWorkflowHandle, proxyActivities, setHandler } from '@temporalio/workflow';
import type { OperationWindow } from '../model/operation-window.ts';
import type { OperationRequest } from '../model/requests.ts';
import { WINDOW_MESSAGES, type OperationTold, type WindowActivities, type WindowInput } from '../model/window.ts';

export interface OperationEnd {
  readonly state: 'done' | 'aborted' | 'failed' | 'waits';
  readonly summary: string;
}

/** A terminated operation tells nothing; it is noticed after so long. */
const LOOK_MS = 300_000;

const activities = (summary: string): WindowActivities =>
  proxyActivities<WindowActivities>({
    startToCloseTimeout: '20 seconds',
    summary,
    retry: { maximumInterval: '10 seconds' },
  });

export class Follower {
  readonly #window: OperationWindow;
  readonly #told = new Map<string, OperationTold>();
  /** The window is to close before its time. */
  #closing = false;

  constructor(window: OperationWindow) {
    this.#window = window;
    setHandler(defineSignal<[OperationTold]>(WINDOW_MESSAGES.told), (told) => void this.#told.set(told.id, told), {
      description: 'Sent by an operation of this opening: it has ended, or waits for the next opening',
    });
  }

  /** What runs now ends its step, then parks. */
  close(): void {
    this.#closing = true;
  }

  async start(request: OperationRequest, { timing }: WindowInput): Promise<void> {
    const window = this.#window;
    await activities(`Start ${request.operation}`).startWindowOperation({ request, timing, window });
  }

  /** @returns false when it has ended meanwhile */
  async wake(id: string): Promise<boolean> {
    return this.#tell(id, WINDOW_MESSAGES.opens, this.#window);
  }

  async #tell(id: string, message: string, word: OperationWindow | string): Promise<boolean> {
    return getExternalWorkflowHandle(id)
      .signal(message, word)
      .then(
        () => true,
        () => false,
      );
  }

  #over(): boolean {
    return this.#closing || Date.now() >= Date.parse(this.#window.until);
  }

  /** Until the operation ends, or waits for the next opening: at the window's end it is told to. */
  async follow(id: string): Promise<OperationEnd> {
    let asked = false;
    for (;;) {
      if (this.#over() && !asked) {
        asked = true;
        // Else it has ended: with a word that is on its way, or terminated.
        if (!(await this.#tell(id, WINDOW_MESSAGES.closes, this.#window.opening)) && !this.#told.has(id)) {
          const end = await activities(`How did ${id} end?`).windowOperationEnd({ id });
          if (!end.running) return end;
        }
      }
      const left = Math.max(1, Date.parse(this.#window.until) - Date.now());
      const patience = asked ? LOOK_MS : Math.min(LOOK_MS, left);
      const heard = () => this.#told.has(id) || (this.#closing && !asked);
      const woken = await condition(heard, patience, { summary: `Until ${id} tells how it stands` });
      const told = this.#told.get(id);
      if (told !== undefined) return told;
      if (woken || (!asked && this.#over())) continue;
      const end = await activities(`Does ${id} still run?`).windowOperationEnd({ id });
      if (!end.running) return end;
    }
  }
}
