/** Asynchronous storage tasks of one host (vdsm.md 9). */
import { randomUUID } from 'node:crypto';
import type { LabClock } from '../clock.ts';
import { fail, VdsmError } from './errors.ts';
import type { JsonObject } from './python.ts';

/** VDSM's inner states that a lab task goes through. */
type State = 'queued' | 'running' | 'finished' | 'aborting' | 'recovered' | 'failed';

const OUTER: Readonly<Record<State, readonly [state: string, result: string]>> = {
  queued: ['running', ''],
  running: ['running', ''],
  aborting: ['aborting', ''],
  finished: ['finished', 'success'],
  recovered: ['finished', 'cleanSuccess'],
  failed: ['finished', 'cleanFailure'],
};

interface Task {
  readonly id: string;
  readonly verb: string;
  readonly abort: AbortController;
  state: State;
  code: number;
  message: string;
}

/** What a job may throw to leave something behind: the task ends as `cleanFailure`. */
export class LeftoverError extends VdsmError {}

export class TaskTable {
  readonly #tasks = new Map<string, Task>();
  readonly #clock: LabClock;

  constructor(clock: LabClock) {
    this.#clock = clock;
  }

  /** Starts `job` after `delayMs` of lab time; the id is the verb's result. Errors of the job end up in the task. */
  start(verb: string, delayMs: number, job: () => Promise<void> | void): string {
    const task = this.#add(verb);
    void this.#run(task, delayMs, job);
    return task.id;
  }

  /** A task whose work the caller drives, such as a data stream. `end` takes its error, if any. */
  begin(verb: string): { readonly id: string; end(error?: unknown): void } {
    const task = this.#add(verb);
    task.state = 'running';
    return { id: task.id, end: (error) => this.#finish(task, error) };
  }

  /** @throws VdsmError 401 */
  status(id: string): JsonObject {
    return this.#status(this.#get(id));
  }

  /** @throws VdsmError 401 */
  info(id: string): JsonObject {
    const task = this.#get(id);
    return { id: task.id, verb: task.verb };
  }

  statuses(): JsonObject {
    return Object.fromEntries([...this.#tasks.values()].map((task) => [task.id, this.#status(task)]));
  }

  infos(): JsonObject {
    return Object.fromEntries([...this.#tasks.keys()].map((id) => [id, this.info(id)]));
  }

  /** Inner view of all tasks, `Host.getAllTasks`. */
  details(): JsonObject {
    const detail = (task: Task) => ({
      id: task.id,
      verb: task.verb,
      state: task.state,
      code: task.code,
      message: task.message,
      result: '',
      tag: 'spm',
    });
    return Object.fromEntries([...this.#tasks.values()].map((task) => [task.id, detail(task)]));
  }

  /** @throws VdsmError 401; a finished task stays as it is. */
  stop(id: string): void {
    this.#get(id).abort.abort();
  }

  /** @throws VdsmError 401, 403 while it runs */
  revert(id: string): void {
    this.#finished(id).state = 'recovered';
  }

  /** @throws VdsmError 401, 403 while it runs */
  clear(id: string): void {
    this.#finished(id);
    this.#tasks.delete(id);
  }

  /** Forgets everything, as a host does that lost power. */
  reset(): void {
    for (const task of this.#tasks.values()) task.abort.abort();
    this.#tasks.clear();
  }

  #add(verb: string): Task {
    const task: Task = {
      id: randomUUID(),
      verb,
      abort: new AbortController(),
      state: 'queued',
      code: 0,
      message: 'Task is initializing',
    };
    this.#tasks.set(task.id, task);
    return task;
  }

  #get(id: string): Task {
    const task = this.#tasks.get(id);
    if (task === undefined) throw fail.unknownTask(id);
    return task;
  }

  #finished(id: string): Task {
    const task = this.#get(id);
    if (OUTER[task.state][0] !== 'finished') throw fail.taskNotFinished(id);
    return task;
  }

  #status(task: Task): JsonObject {
    const [taskState, taskResult] = OUTER[task.state];
    return { taskID: task.id, taskState, taskResult, code: task.code, message: task.message };
  }

  async #run(task: Task, delayMs: number, job: () => Promise<void> | void): Promise<void> {
    task.state = 'running';
    task.message = 'running job 1 of 1';
    await this.#clock.sleep(delayMs, task.abort.signal);
    try {
      if (task.abort.signal.aborted) throw fail.taskAborted();
      await job();
      this.#finish(task);
    } catch (error) {
      this.#finish(task, error);
    }
  }

  #finish(task: Task, error?: unknown): void {
    if (error === undefined) {
      task.state = 'finished';
      task.message = '1 jobs completed successfully';
      return;
    }
    const known =
      error instanceof VdsmError ? error : fail.general(error instanceof Error ? error.message : 'unknown error');
    task.state = error instanceof LeftoverError ? 'failed' : 'recovered';
    task.code = known.code;
    task.message = known.message;
  }
}
