/** One operation: its steps, why it stopped, what was undone, what a person can do. */
import { html } from 'hono/html';
import type { OperatorAction, StepState, StepView } from '../../../workflows/model/operation.ts';
import { duration } from '../../cli/words.ts';
import type { OperationReport } from '../../ports.ts';
import type { OperationsSeen } from '../operations-feed.ts';
import type { Visitor } from '../session.ts';
import { progressOf, silence, stateBadge } from './operations.ts';
import { badge, operationPath, part, trouble, when, type Html, type Tone } from './words.ts';

const TONES: Readonly<Record<StepState, Tone>> = {
  pending: 'calm',
  running: 'busy',
  parked: 'warn',
  done: 'good',
  'already-done': 'good',
  'not-needed': 'calm',
  skipped: 'warn',
  stopped: 'bad',
  undoing: 'busy',
  undone: 'calm',
};

export const ACTION_WORDS: Readonly<Record<OperatorAction, string>> = {
  retry: 'Try again',
  skip: 'Skip the step',
  abort: 'Abort and undo',
};

function took({ startedAt, endedAt }: StepView): string {
  return startedAt === undefined || endedAt === undefined ? '' : duration(Date.parse(endedAt) - Date.parse(startedAt));
}

function failureOf({ failure }: StepView): Html {
  if (failure === undefined) return html``;
  const { what, why, remedy, attempts, type } = failure;
  const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
  return trouble('warn', what, `${why} (${type}, after ${tries})`, remedy);
}

function stepRow(step: StepView): Html {
  const current = step.state === 'running' || step.state === 'parked';
  const words = html`<p>
      <b>${step.title}</b> ${badge(TONES[step.state], step.state)} <span class="quiet">${took(step)}</span>
    </p>
    ${step.summary === undefined ? '' : html`<p>${step.summary}</p>`}
    ${(step.notes ?? []).map((note) => html`<p>Note: ${note}</p>`)} ${failureOf(step)}`;
  return current ? html`<li class="current" aria-current="step">${words}</li>` : html`<li>${words}</li>`;
}

function actions({ id, actions }: OperationReport, { role }: Visitor): Html {
  if (role !== 'operator' || actions.length === 0) return html``;
  return html`<p class="buttons">
    ${actions.map(
      (action) => html`<a class="button" href="${operationPath(id)}?do=${action}">${ACTION_WORDS[action]} …</a>`,
    )}
  </p>`;
}

function facts(report: OperationReport, now: Date): Html {
  const { id, ticket, requestedBy, startedAt, endedAt, waitsFor } = report;
  return html`<dl>
    <dt>Id</dt>
    <dd>${id}</dd>
    ${
      ticket === undefined
        ? ''
        : html`<dt>Ticket</dt>
            <dd>${ticket}</dd>`
    }
    <dt>Requested by</dt>
    <dd>${requestedBy}</dd>
    <dt>Started</dt>
    <dd>${when(startedAt, now)}</dd>
    ${
      endedAt === undefined
        ? ''
        : html`<dt>Ended</dt>
            <dd>${when(endedAt, now)}</dd>`
    }
    ${
      waitsFor === undefined
        ? ''
        : html`<dt>Waits for</dt>
            <dd>${waitsFor}</dd>`
    }
  </dl>`;
}

function links({ id }: OperationReport, temporalUi: string | undefined): Html {
  return html`<p>
    ${temporalUi === undefined ? '' : html`<a href="${temporalUi}">In the Temporal UI</a> · `}
    <a href="/operations/${encodeURIComponent(id)}">As JSON</a>
  </p>`;
}

function newsOf(report: OperationReport): string {
  const progress = progressOf(report);
  return `${report.id} is ${report.state}${progress === undefined ? '' : `, step ${progress.at} of ${progress.of}: ${progress.title}`}`;
}

interface Shown {
  readonly report: OperationReport;
  readonly visitor: Visitor;
  readonly temporalUi: string | undefined;
  readonly now: Date;
  /** Where it comes from the feed: whether Temporal was silent. */
  readonly seen?: OperationsSeen;
}

/** The operation's page, which is told of changes. */
export function operationPart({ report, visitor, temporalUi, now, seen }: Shown): Html {
  const { id, cluster, steps, undo, outcome, note } = report;
  const query = `cluster=${encodeURIComponent(cluster)}&operation=${encodeURIComponent(id)}`;
  return part(
    {
      id: 'operation',
      title: 'How it stands',
      from: `${operationPath(id)}?part=1`,
      everyS: 5,
      // What has ended does not change any more.
      events: report.execution === 'running' ? `/ui/events?${query}` : '',
      news: newsOf(report),
      stale: seen?.failure !== undefined,
    },
    html`${seen === undefined ? '' : silence(seen, now)}
      <div class="last">
        <p class="big">${stateBadge(report)}</p>
        ${facts(report, now)} ${note === undefined ? '' : trouble('warn', 'Not the whole picture', note, '')}
        ${(outcome ?? '')
          .split('\n')
          .filter(Boolean)
          .map((line) => html`<p>${line}</p>`)}
        ${actions(report, visitor)} ${links(report, temporalUi)}
        ${
          steps.length === 0
            ? ''
            : html`<h3>Steps</h3>
                <ol class="steps">
                  ${steps.map(stepRow)}
                </ol>`
        }
        ${
          undo.length === 0
            ? ''
            : html`<h3>Undone, in this order</h3>
                <ol class="steps">
                  ${undo.map(stepRow)}
                </ol>`
        }
      </div>`,
  );
}
