/** The operation as Markdown: what an operator reads in the Temporal UI ("User Metadata", "Current Details"). */
import type { OperationView, OperatorAction, StepState, StepView } from '../model/operation.ts';
import { clock, plain, table } from './markdown.ts';

/** No-break spaces: a state is one word in the narrow table. */
const MARKS: Readonly<Record<StepState, string>> = {
  pending: '·',
  running: '▶\u00a0**running**',
  parked: '⏸\u00a0**parked**',
  done: '✔\u00a0done',
  'already-done': '✔\u00a0was\u00a0so\u00a0before',
  'not-needed': '–\u00a0not\u00a0needed',
  skipped: '↷\u00a0skipped',
  stopped: '■\u00a0stopped',
  undoing: '▶\u00a0**undoing**',
  undone: '✔\u00a0undone',
};

const STEP_ACTIONS: Readonly<Record<OperatorAction, string>> = {
  retry: 'try the step again, after the repair',
  skip: 'go on without this step',
  abort: 'stop, and take back in reverse order what can still be taken back',
};

/** What the same words mean while the operation takes back: there is nothing left to abort. */
const UNDO_ACTIONS: Readonly<Record<OperatorAction, string>> = {
  ...STEP_ACTIONS,
  retry: 'try to take it back again, after the repair',
  skip: 'leave it as it is, and take back the rest',
};

const now = (step: StepView): boolean => step.state === 'running' || step.state === 'parked';

function headline(view: OperationView): string {
  const position = view.steps.findIndex(now);
  const where = position < 0 ? '' : ` at step ${position + 1} of ${view.steps.length}`;
  const ticket = view.ticket === undefined ? '' : ` · ticket ${plain(view.ticket)}`;
  return `**${view.state}**${where} · cluster ${plain(view.cluster)}${ticket}`;
}

function parkedText(view: OperationView, step: StepView): string[] {
  if (step.failure === undefined) return [];
  const { what, why, remedy, attempts, type } = step.failure;
  const meaning = view.undo.includes(step) ? UNDO_ACTIONS : STEP_ACTIONS;
  // Not begun at all: it waits for the next opening of its maintenance window.
  const whom = attempts === 0 ? 'its window' : 'you';
  const tried = attempts === 0 ? '' : ` (\`${type}\`, tried ${attempts} ${attempts === 1 ? 'time' : 'times'})`;
  return [
    '',
    `### It waits for ${whom}: ${plain(step.title)}`,
    `- **What**: ${plain(what)}`,
    `- **Why**: ${plain(why)}${tried}`,
    `- **What to do**: ${plain(remedy)}`,
    `- **Then** *More Actions*, *Send an Update*, with your name as data: \`{"by":"alice"}\``,
    ...view.actions.map((action) => `- \`${action}\`: ${meaning[action]}`),
    `- or in a shell: \`npx bellwether operation ${view.actions.join('|')} ${view.id}\``,
  ];
}

/** What it does now, where it is not the operator's turn. */
function waitText({ state, waitsFor }: OperationView): string[] {
  if (waitsFor !== undefined) return ['', `Waits for ${plain(waitsFor)}`];
  if (state !== 'running' && state !== 'aborting') return [];
  return ['', 'What the step waits for, and why it is tried again: tab *Pending Activities*.'];
}

/** The first line says it, the others are the evidence. */
function outcomeText(outcome: string | undefined): string[] {
  if (outcome === undefined) return [];
  const [first = '', ...rest] = outcome.split('\n\n');
  return ['', `**${plain(first)}**`, '', ...rest.map((line) => `- ${plain(line)}`)];
}

function steps(title: string, list: readonly StepView[]): string[] {
  const rows = list.map((step, index) => [
    `${index + 1}. ${plain(step.title)}`,
    MARKS[step.state],
    clock(step.endedAt ?? step.startedAt),
  ]);
  return ['', ...table([title, 'state', 'UTC'], rows)];
}

/** Results are too wide for a table. What the outcome says already is left to it. */
function results(prefix: string, list: readonly StepView[], outcome = ''): string[] {
  return list.flatMap((step, index) => {
    if (step.state === 'not-needed') return [];
    const number = `- **${prefix}${index + 1}**`;
    const summary = step.summary === undefined ? [] : [{ text: step.summary, mark: number }];
    const notes = (step.notes ?? []).map((text) => ({ text, mark: `${number} *note*` }));
    return [...summary, ...notes]
      .filter(({ text }) => !outcome.includes(text))
      .map(({ text, mark }) => `${mark} ${plain(text)}`);
  });
}

/** Markdown of the whole view: first what the reader must do, then the steps, then what came out of each. */
export function detailsMarkdown(view: OperationView): string {
  const parked = [...view.steps, ...view.undo].find((step) => step.state === 'parked');
  const came = [...results('', view.steps, view.outcome), ...results('undo ', view.undo, view.outcome)];
  return [
    headline(view),
    ...(parked === undefined ? waitText(view) : parkedText(view, parked)),
    ...outcomeText(view.outcome),
    ...steps('step', view.steps),
    ...(view.undo.length === 0 ? [] : steps('taken back', view.undo)),
    ...(came.length === 0 ? [] : ['', '**Results**', '', ...came]),
  ].join('\n');
}
