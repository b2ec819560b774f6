/** What an operation knows of the maintenance window that runs it, and what still fits into it. Pure. */
import type { StepFailure, StepPlan } from './operation.ts';

/** The opening that an operation runs in: part of its input, and renewed by each opening. */
export interface OperationWindow {
  readonly name: string;
  /** Workflow id of the opening, which is told how the operation goes. */
  readonly opening: string;
  /** ISO time. */
  readonly until: string;
  /** ISO time of the next opening, if there is one. */
  readonly next?: string;
}

const MINUTE_MS = 60_000;

/** `2026-11-21 22:00 UTC` */
export function utcText(time: string | number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const minutes = (ms: number): string => `${Math.max(0, Math.ceil(ms / MINUTE_MS))} min`;

/** Why a step can't begin in what is left of the window, as a person reads it; undefined when it can. */
export function tooShort(
  plan: StepPlan,
  { name, until, next }: OperationWindow,
  now: number,
  closed: boolean,
): StepFailure | undefined {
  const { attemptMs, windowMs = attemptMs } = plan;
  const left = Date.parse(until) - now;
  if (windowMs === 0 || (!closed && windowMs <= left)) return undefined;
  const opens = next === undefined ? '' : ` (opens at ${utcText(next)})`;
  const takes = `the step may take ${minutes(windowMs)}, and ${minutes(left)} are left`;
  return {
    type: 'window/too-short',
    what: `the window ${name} closes at ${utcText(until)}; it goes on in the next one${opens}`,
    why: closed || left <= 0 ? `the window is closed` : takes,
    remedy: 'Nothing: the next opening goes on with it. Or abort it, which takes back what was done.',
    attempts: 0,
  };
}
