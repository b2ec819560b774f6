/** VDSM's 8 workers and its queue of 80 requests, shared by all clients of a host (vdsm.md 4). */
import { fail } from './errors.ts';

export class WorkerPool {
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  readonly #workers: number;
  readonly #queue: number;

  constructor(workers = 8, queue = 80) {
    this.#workers = workers;
    this.#queue = queue;
  }

  /** Runs `job` when a worker is free. @throws VdsmError 1100 at once when the queue is full. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#workers) {
      if (this.#waiting.length >= this.#queue) {
        throw fail.exhausted({ resource: 'jsonrpc', current_tasks: this.#waiting.length, reason: 'Too many tasks' });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#busy += 1;
    }
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }
}
