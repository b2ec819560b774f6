/** Follows an operation: one line per change, until it ends or needs a person. */
import { setTimeout as pause } from 'node:timers/promises';
import type { OperationState, OperationView, StepView } from '../../workflows/model/operation.ts';
import type { ExecutionStatus } from '../ports.ts';
import { clockTime, failureLines, headline, outcomeLines, stepLine } from './words.ts';

/** What is watched: the workflow's view, and where known how Temporal sees it. */
export type Watched = OperationView & { readonly execution?: ExecutionStatus; readonly note?: string };

export interface WatchOptions {
  readonly signal?: AbortSignal;
  /** Between two looks; default 500. */
  readonly intervalMs?: number;
  /** Go on at a parked step: somebody else is at it. Default false: a parked operation waits for a person. */
  readonly throughParked?: boolean;
  /** Errors of `fetchView` that pass; they are told once and tried again for `patienceMs` (default 60 s). */
  readonly isTransient?: (error: unknown) => boolean;
  readonly patienceMs?: number;
}

const ENDED: readonly OperationState[] = ['done', 'aborted'];

/** True when nothing will change any more. */
export function hasEnded(view: Watched): boolean {
  return ENDED.includes(view.state) || (view.execution !== undefined && view.execution !== 'running');
}

/** Two views, and what is to be said about the way from one to the other. */
export function changes(before: Watched | undefined, now: Watched): string[] {
  const lines: string[] = [];
  if (before === undefined) lines.push(headline(now));
  const tell = (step: StepView, old: StepView | undefined, text: string) => {
    if (step.state === (old?.state ?? 'pending') && step.summary === old?.summary) return;
    lines.push(`${clockTime(step.endedAt ?? step.startedAt ?? now.startedAt)}  ${text}`);
    for (const note of step.notes ?? []) if (!old?.notes?.includes(note)) lines.push(`        note: ${note}`);
    lines.push(...failureLines(step, now));
  };
  for (const [index, step] of now.steps.entries()) {
    const old = before?.steps.find(({ name }) => name === step.name);
    tell(step, old, stepLine(step, index + 1, now.steps.length));
  }
  for (const [index, step] of now.undo.entries()) {
    tell(step, before?.undo[index], `undo ${stepLine(step, index + 1, now.undo.length)}`);
  }
  if (now.waitsFor !== undefined && now.waitsFor !== before?.waitsFor)
    lines.push(`          waits for: ${now.waitsFor}`);
  if (now.note !== undefined && now.note !== before?.note) lines.push(`          note: ${now.note}`);
  if (before !== undefined && now.state !== before.state) lines.push(`          ${now.id} is ${now.state}`);
  if (now.outcome !== undefined && now.outcome !== before?.outcome) lines.push(...outcomeLines(now.outcome));
  return lines;
}

/** Keeps asking through passing errors; tells the first of a row. */
function patient(
  fetchView: () => Promise<Watched>,
  onLine: (line: string) => void,
  options: WatchOptions,
): () => Promise<Watched | undefined> {
  let troubleSince: number | undefined;
  return async () => {
    try {
      const view = await fetchView();
      if (troubleSince !== undefined) onLine('          answers again');
      troubleSince = undefined;
      return view;
    } catch (error) {
      if (options.isTransient?.(error) !== true) throw error;
      if (troubleSince === undefined)
        onLine(`          no answer, trying again: ${error instanceof Error ? error.message : String(error)}`);
      troubleSince ??= Date.now();
      if (Date.now() - troubleSince > (options.patienceMs ?? 60_000)) throw error;
      return undefined;
    }
  };
}

/**
 * Calls `onLine` with each change. Resolves to the last view when the operation has ended, when it is parked (unless
 * `throughParked`), or when the signal is aborted after at least one view.
 * @throws what `fetchView` throws, unless it passes; the signal's reason when aborted before the first view.
 */
export async function watchOperation(
  fetchView: () => Promise<Watched>,
  onLine: (line: string) => void,
  options: WatchOptions = {},
): Promise<Watched> {
  const { signal, intervalMs = 500, throughParked = false } = options;
  const look = patient(fetchView, onLine, options);
  let last: Watched | undefined;
  for (;;) {
    const view = await look();
    if (view !== undefined) {
      for (const line of changes(last, view)) onLine(line);
      last = view;
      if (hasEnded(view) || (view.state === 'parked' && !throughParked)) return view;
    }
    if (signal?.aborted === true && last !== undefined) return last;
    await pause(intervalMs, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (last === undefined) throw error;
    });
  }
}
