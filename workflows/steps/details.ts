/** The operation as Markdown: what an operator reads in the Temporal UI ("Current details"). */
import type { OperationView, StepState, StepView } from '../model/operation.ts';

const MARKS: Readonly<Record<StepState, string>> = {
  pending: '·',
  running: '▶ running',
  parked: '⏸ **parked**',
  done: '✔ done',
  'already-done': '✔ was done before',
  'not-needed': '– not needed',
  skipped: '↷ skipped',
  stopped: '■ stopped',
  undoing: '▶ undoing',
  undone: '✔ undone',
};

/** A table cell can hold neither a pipe nor a line break. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function row(step: StepView, index: number): string {
  const time = step.endedAt ?? step.startedAt ?? '';
  return `| ${index + 1} | ${cell(step.title)} | ${MARKS[step.state]} | ${time.slice(11, 19)} | ${cell(step.summary ?? '')} |`;
}

function headline(view: OperationView): string {
  const position = view.steps.findIndex((step) => step.state === 'running' || step.state === 'parked');
  const where = position < 0 ? '' : `, step ${position + 1} of ${view.steps.length}`;
  return `**${view.state}**${where}${view.ticket === undefined ? '' : ` · ticket ${view.ticket}`} · cluster ${view.cluster}`;
}

function parkedText(view: OperationView): string[] {
  const step = [...view.steps, ...view.undo].find((candidate) => candidate.state === 'parked');
  if (step?.failure === undefined) return [];
  const { what, why, remedy, attempts, type } = step.failure;
  return [
    '',
    `### It waits for you: ${step.title}`,
    `- **What**: ${what}`,
    `- **Why**: ${why} (\`${type}\`, tried ${attempts} ${attempts === 1 ? 'time' : 'times'})`,
    `- **What to do**: ${remedy}`,
    `- **Then**: ${view.actions.map((action) => `\`${action}\``).join(', ')} as an update here, or \`bellwether operation retry ${view.id}\``,
  ];
}

export function detailsMarkdown(view: OperationView): string {
  const lines = [headline(view)];
  if (view.waitsFor !== undefined) lines.push('', `Waits for: ${view.waitsFor}`);
  if (view.outcome !== undefined) lines.push('', view.outcome);
  lines.push(
    ...parkedText(view),
    '',
    '| # | step | state | time (UTC) | result |',
    '|---|---|---|---|---|',
    ...view.steps.map(row),
  );
  if (view.undo.length > 0)
    lines.push('', '| # | taken back | state | time (UTC) | result |', '|---|---|---|---|---|', ...view.undo.map(row));
  return lines.join('\n');
}
