/** What a ticket is told, as plain text: every ticket system shows that, and none can be tricked by it. */
import type { OperationView, StepState, StepView } from '../../workflows/model/operation.ts';
import { NOUNS } from '../../workflows/model/words.ts';
import type { TicketPhase } from '../../workflows/model/ticket.ts';

/** Where a reader finds the operation itself; what is unknown is left out. */
export interface OperationLinks {
  /** Of the front door's page or API. */
  readonly operation?: (id: string) => string;
  readonly temporalUi?: (id: string) => string;
}

const MARKS: Readonly<Record<StepState, string>> = {
  pending: '     ',
  running: 'runs ',
  parked: 'WAITS',
  done: 'done ',
  'already-done': 'done ',
  'not-needed': '-    ',
  skipped: 'left ',
  stopped: 'stop ',
  undoing: 'runs ',
  undone: 'undone',
};

const ENDINGS = {
  done: 'is done',
  aborted: 'was aborted',
  failed: 'was ended by Temporal before its end; look whether global maintenance was left on',
} as const;

const nouns: ReadonlyMap<string, string> = new Map(Object.entries(NOUNS));
/** Their ids name the host behind the cluster. */
const OF_A_HOST = /^((add|remove)-host|(enter|leave)-host-maintenance)$/;

/** In a sentence: "The removal of host3 (cluster Default) is done." */
function title({ id, operation, cluster }: OperationView): string {
  const noun = nouns.get(operation) ?? operation;
  const host = OF_A_HOST.test(operation) ? id.split('/')[2] : undefined;
  return host === undefined
    ? `${noun} of cluster ${cluster}`
    : `${noun.replace(/ of a host$/, '')} of ${host} (cluster ${cluster})`;
}

/** Links, and the command that works without any. */
function where({ id }: OperationView, links: OperationLinks): string[] {
  const operation = links.operation?.(id);
  const temporalUi = links.temporalUi?.(id);
  return [
    ...(operation === undefined ? [] : [`Operation: ${operation}`]),
    ...(temporalUi === undefined ? [] : [`Temporal UI: ${temporalUi}`]),
    `In a shell: npx bellwether operation show ${id}`,
  ];
}

function lines(steps: readonly StepView[]): string[] {
  return steps.map(({ state, title: name }, index) => `${String(index + 1).padStart(2)}. ${MARKS[state]} ${name}`);
}

/** The list of steps as it stands. */
export function progressText({ steps, undo, state }: OperationView): string {
  const back = undo.length === 0 ? [] : ['Taken back:', ...lines(undo)];
  return [`State: ${state}`, ...lines(steps), ...back].join('\n');
}

export function parkedStep({ steps, undo }: OperationView): StepView | undefined {
  return [...undo, ...steps].find((step) => step.state === 'parked');
}

/** What failed, why, what is needed, and how to answer. */
export function parkedText(view: OperationView, links: OperationLinks, answers: boolean): string {
  const step = parkedStep(view);
  if (step?.failure === undefined) return `The ${title(view)} waits for ${view.waitsFor ?? 'somebody'}.`;
  const { what, why, remedy, attempts } = step.failure;
  const head =
    attempts === 0
      ? `The ${title(view)} waits for its maintenance window, at: ${step.title}`
      : `The ${title(view)} waits for a person, at: ${step.title}`;
  const answer = view.actions.map((action) => `  bellwether ${action}`).join('\n');
  return [
    head,
    `What: ${what}`,
    `Why: ${why}${attempts === 0 ? '' : ` (tried ${attempts === 1 ? 'once' : `${attempts} times`})`}`,
    `What to do: ${remedy}`,
    ...(answers
      ? ['', 'Then answer with a comment that begins with one of these, and a reason if you like:', answer]
      : []),
    `${answers ? 'or in' : 'In'} a shell: npx bellwether operation ${view.actions.join('|')} ${view.id}`,
    ...where(view, links).slice(0, -1),
  ].join('\n');
}

export function acceptedText(view: OperationView, links: OperationLinks): string {
  return [`Bellwether has taken this: ${title(view)}, asked for by ${view.requestedBy}.`, ...where(view, links)].join(
    '\n',
  );
}

export function endedText(view: OperationView, phase: TicketPhase, links: OperationLinks): string {
  const ending = phase === 'aborted' || phase === 'failed' ? ENDINGS[phase] : ENDINGS.done;
  return [
    `The ${title(view)} ${ending}.`,
    ...(view.outcome === undefined ? [] : ['', view.outcome.replaceAll('\n\n', '\n')]),
    '',
    progressText(view),
    '',
    ...where(view, links),
  ].join('\n');
}

/** The one comment of systems that can edit: all of it, as it stands. */
export function statusText(view: OperationView, phase: TicketPhase, links: OperationLinks, answers: boolean): string {
  if (phase === 'done' || phase === 'aborted' || phase === 'failed') return endedText(view, phase, links);
  const parked = phase === 'parked' ? ['', parkedText(view, {}, answers)] : [];
  return [acceptedText(view, links), ...parked, '', progressText(view)].join('\n');
}
