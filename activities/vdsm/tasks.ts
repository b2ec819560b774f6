/** Asynchronous storage verbs answer with a task; its end, not the verb's answer, says what became of it (vdsm.md 9). */
import { CounterpartError } from '../errors.ts';
import type { CallOptions, VdsmClient } from './client.ts';
import { pause, systemClock, type Clock } from './clock.ts';
import { codeError, isCode, unknownOutcome } from './errors.ts';
import type { VdsmVerbs } from './verbs.ts';

export type TaskStatus = VdsmVerbs['Task.getStatus']['result'];

export interface TaskOptions extends Pick<CallOptions, 'signal' | 'correlationId'> {
  /** Told at each poll, e.g. a Temporal activity's heartbeat. */
  readonly heartbeat?: (status: TaskStatus) => void;
  /** Default 1 s. */
  readonly pollMs?: number;
  /** Default 10 min; creating a large preallocated volume takes longer. */
  readonly timeoutMs?: number;
  /** For messages: the verb that started the task. */
  readonly verb?: string;
  readonly clock?: Clock;
}

const CLEAR_TRIES = 3;
/** The last poll before the deadline gets a real chance. */
const POLL_MS_MIN = 1_000;

function retryable(error: unknown): boolean {
  return error instanceof CounterpartError && error.facts.kind === 'retryable';
}

/**
 * Follows a task to its end and clears it, this one only: other people's finished tasks are theirs to read.
 *
 * A lost connection or a restart of VDSM does not end the wait: tasks survive it.
 * @throws CounterpartError with the task's code (`isCode(e, 212)` …); `vdsm/task-timeout`, `vdsm/task-lost` with
 * `outcomeUnknown`; or the signal's reason (the task goes on: use Task.stop)
 */
export async function runTask(
  client: Pick<VdsmClient, 'call' | 'name'>,
  taskId: string,
  options: TaskOptions = {},
): Promise<void> {
  const { clock = systemClock, verb = `task ${taskId}` } = options;
  const status = await finished(client, taskId, verb, clock, options);
  await clear(client, taskId, clock, options);
  if (status.taskResult === 'success') return;
  const leftovers = status.taskResult === 'cleanFailure' ? '; the roll-back failed too and left something behind' : '';
  // A failure may carry code 0: it must still be one.
  const code = status.code === 0 ? 411 : status.code;
  const reason = status.message === '' ? 'VDSM gave no reason' : status.message;
  throw codeError(client.name, verb, code, `${reason} (task result ${status.taskResult}${leftovers})`);
}

async function finished(
  client: Pick<VdsmClient, 'call' | 'name'>,
  taskId: string,
  verb: string,
  clock: Clock,
  options: TaskOptions,
): Promise<TaskStatus> {
  const { signal, heartbeat, pollMs = 1_000, timeoutMs = 600_000 } = options;
  const deadline = clock.now() + timeoutMs;
  let last = 'nothing heard of it';
  for (;;) {
    const left = deadline - clock.now();
    if (left <= 0) throw unknownOutcome(client.name, verb, 'task-timeout', `not finished in ${timeoutMs} ms: ${last}`);
    try {
      const status = await client.call(
        'Task.getStatus',
        { taskID: taskId },
        callOptions(options, Math.min(60_000, Math.max(left, POLL_MS_MIN))),
      );
      heartbeat?.(status);
      if (status.taskState === 'finished') return status;
      last = `state ${status.taskState}`;
    } catch (error) {
      if (isCode(error, 401)) {
        throw unknownOutcome(client.name, verb, 'task-lost', 'the host does not know the task any more', error);
      }
      if (signal?.aborted === true || !retryable(error)) throw error;
      // A poll that our own deadline cut off says nothing about the task.
      if (error instanceof CounterpartError && clock.now() < deadline) last = error.facts.why;
    }
    await pause(clock, Math.min(pollMs, Math.max(0, deadline - clock.now())), signal);
  }
}

/** The outcome is known by now: a task that can't be cleared must not change it, it only lingers in VDSM's list. */
async function clear(
  client: Pick<VdsmClient, 'call'>,
  taskId: string,
  clock: Clock,
  options: TaskOptions,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.call('Task.clear', { taskID: taskId }, callOptions(options, 30_000));
      return;
    } catch (error) {
      if (options.signal?.aborted === true || !retryable(error) || tries >= CLEAR_TRIES) return;
    }
    await pause(clock, options.pollMs ?? 1_000);
  }
}

function callOptions(options: TaskOptions, timeoutMs: number): CallOptions {
  const { signal, correlationId } = options;
  return {
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}
