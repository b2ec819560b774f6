/** Operations of a cluster: those that run with the step they are at, and those that ran. */
import { html } from 'hono/html';
import type { OperationState, OperationView } from '../../../workflows/model/operation.ts';
import type { OperationReport, OperationSummary } from '../../ports.ts';
import type { OperationsSeen } from '../operations-feed.ts';
import {
  badge,
  clusterPath,
  operationLabel,
  operationPath,
  operationTitle,
  part,
  trouble,
  when,
  type Html,
  type Tone,
} from './words.ts';

const TONES: Readonly<Record<OperationState, Tone>> = {
  queued: 'calm',
  running: 'busy',
  parked: 'warn',
  aborting: 'busy',
  done: 'good',
  aborted: 'calm',
};

type Ending = Pick<OperationSummary, 'state' | 'execution'>;

/** A workflow that Temporal ended never said how it ended. */
export function stateBadge({ state, execution }: Ending): Html {
  if (execution === 'failed' || execution === 'terminated' || execution === 'timed-out') return badge('bad', execution);
  return badge(TONES[state], state === 'parked' ? 'parked: waits for a person' : state);
}

const PASSED = new Set(['done', 'already-done', 'not-needed', 'skipped']);

interface Progress {
  readonly at: number;
  readonly of: number;
  readonly title: string;
}

export function progressOf({ steps }: Pick<OperationView, 'steps'>): Progress | undefined {
  const index = steps.findIndex(({ state }) => !PASSED.has(state));
  const step = steps[index];
  return step === undefined ? undefined : { at: index + 1, of: steps.length, title: step.title };
}

function stepWords(report: OperationReport | undefined, row: OperationSummary): Html {
  const progress = report === undefined ? undefined : progressOf(report);
  if (progress === undefined) return html`${row.step === undefined ? '' : html`<p>Step: ${row.step}</p>`}`;
  const { at, of, title } = progress;
  return html`<p>Step ${at} of ${of}: <b>${title}</b></p>
    <progress max="${of}" value="${at - 1}" aria-label="Steps done">${at - 1} of ${of}</progress>
    ${report?.waitsFor === undefined ? '' : html`<p>Waits for ${report.waitsFor}</p>`}`;
}

function failureOf(report: OperationReport | undefined): Html {
  const failure = report?.steps.find(({ state }) => state === 'parked')?.failure;
  return failure === undefined ? html`` : trouble('warn', failure.what, failure.why, failure.remedy);
}

function running(row: OperationSummary, seen: OperationsSeen, now: Date): Html {
  const reply = seen.shown.get(row.id);
  const report = reply?.outcome === 'found' ? reply.report : undefined;
  return html`<li class="card">
    <p>
      <a href="${operationPath(row.id)}"><b>${operationTitle(row.operation)}</b> ${operationLabel(row)}</a>
      ${stateBadge(report ?? row)}
    </p>
    <p>${row.id}, since ${when(row.started, now)}</p>
    ${stepWords(report, row)} ${failureOf(report)}
  </li>`;
}

function past(row: OperationSummary, now: Date): Html {
  return html`<li>
    ${stateBadge(row)} <a href="${operationPath(row.id)}">${operationTitle(row.operation)} ${operationLabel(row)}</a>
    <span class="quiet">${row.closed === undefined ? '' : when(row.closed, now)}</span>
  </li>`;
}

function newsOf(rows: readonly OperationSummary[], seen: OperationsSeen): string {
  const words = rows.map((row) => {
    const reply = seen.shown.get(row.id);
    const progress = reply?.outcome === 'found' ? progressOf(reply.report) : undefined;
    const step = progress === undefined ? '' : `, step ${progress.at} of ${progress.of}: ${progress.title}`;
    return `${operationTitle(row.operation)} ${operationLabel(row)} ${row.state}${step}`;
  });
  return words.join('. ') || 'No operation runs';
}

/** What Temporal's silence looks like beside what was seen last. */
export function silence({ failure, atMs }: OperationsSeen, now: Date): Html {
  if (failure === undefined) return html``;
  const last = atMs === 0 ? '' : html`<p>What follows was seen at ${when(new Date(atMs).toISOString(), now)}.</p>`;
  const remedy =
    'The page tries again by itself. GET /readyz says what is missing; see whether the Temporal server runs.';
  return html`${trouble('bad', 'Temporal does not answer', failure, remedy)}${last}`;
}

/** The part of the cluster's page that is told of changes. */
export function operationsPart(cluster: string, seen: OperationsSeen, now: Date): Html {
  const open = seen.operations.filter(({ execution }) => execution === 'running');
  const ended = seen.operations.filter(({ execution }) => execution !== 'running').slice(0, 10);
  return part(
    {
      id: 'operations',
      title: 'Operations',
      from: clusterPath(cluster, '/parts/operations'),
      everyS: 5,
      events: `/ui/events?cluster=${encodeURIComponent(cluster)}`,
      news: newsOf(open, seen),
      stale: seen.failure !== undefined,
    },
    html`${silence(seen, now)}
      <div class="last">
        <h3>Running</h3>
        ${
          open.length === 0
            ? html`<p>None.</p>`
            : html`<ul class="plain">
                ${open.map((row) => running(row, seen, now))}
              </ul>`
        }
        <h3>Past</h3>
        ${
          ended.length === 0
            ? html`<p>None is kept.</p>`
            : html`<ul class="rows">
                ${ended.map((row) => past(row, now))}
              </ul>`
        }
      </div>`,
  );
}
