/** Operations in plain lines, for the terminal and the demo. Pure: no clock, no terminal codes. */
import type { OperationView, StepView } from '../../workflows/model/operation.ts';

/** `14:26:05` of an ISO time, UTC: the logs of hosts and engine are easiest to compare in one zone. */
export function clockTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? '--:--:--' : time.toISOString().slice(11, 19);
}

/** `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function took(step: StepView): string {
  if (step.startedAt === undefined || step.endedAt === undefined) return '';
  return duration(Date.parse(step.endedAt) - Date.parse(step.startedAt));
}

/** `[ 4/13] convert                   done          0.4 s  from the request` */
export function stepLine(step: StepView, number: number, of: number): string {
  const place = `[${String(number).padStart(String(of).length)}/${of}]`;
  const row = `${place} ${step.name.padEnd(25)} ${step.state.padEnd(13)} ${took(step).padStart(9)}`;
  const words = step.summary ?? (step.state === 'running' || step.state === 'parked' ? step.title : '');
  return `${row}  ${words}`.trimEnd();
}

/** Why a step is parked, and what can be done. */
export function failureLines(step: StepView, view: Pick<OperationView, 'id' | 'actions'>): string[] {
  if (step.failure === undefined) return [];
  const { what, why, remedy, attempts, type } = step.failure;
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return [
    `        what failed: ${what} (${type}, after ${tries})`,
    `        why:         ${why}`,
    `        remedy:      ${remedy}`,
    ...view.actions.map((action) => `        then:        npx bellwether operation ${action} ${view.id}`),
  ];
}

function undoLine(step: StepView): string {
  return `  undo  ${step.name.padEnd(25)} ${step.state.padEnd(13)} ${took(step).padStart(9)}  ${step.summary ?? ''}`.trimEnd();
}

/** First line: what, where, for whom, in which state. */
export function headline(view: OperationView): string {
  const ticket = view.ticket === undefined ? '' : `, ticket ${view.ticket}`;
  const end = view.endedAt === undefined ? '' : `, ended ${clockTime(view.endedAt)} UTC`;
  return `${view.id}  ${view.state}  (by ${view.requestedBy}${ticket}, started ${clockTime(view.startedAt)} UTC${end})`;
}

/** An outcome may be several paragraphs (it is Markdown in the Temporal UI). */
export function outcomeLines(outcome: string): string[] {
  const [first = '', ...rest] = outcome.split('\n').filter((line) => line.trim() !== '');
  return [`  outcome: ${first}`, ...rest.map((line) => `           ${line}`)];
}

/** The whole operation: headline, each step, what was undone, what it waits for, how it ended. */
export function formatOperation(view: OperationView & { readonly note?: string }): string[] {
  const lines = [headline(view)];
  for (const [index, step] of view.steps.entries()) {
    lines.push(`  ${stepLine(step, index + 1, view.steps.length)}`);
    for (const note of step.notes ?? []) lines.push(`        note: ${note}`);
    lines.push(...failureLines(step, view));
  }
  lines.push(...view.undo.flatMap((step) => [undoLine(step), ...failureLines(step, view)]));
  if (view.waitsFor !== undefined) lines.push(`  waits for: ${view.waitsFor}`);
  if (view.outcome !== undefined) lines.push(...outcomeLines(view.outcome));
  if (view.note !== undefined) lines.push(`  note: ${view.note}`);
  return lines;
}
