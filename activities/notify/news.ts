/** What is new, compared with what was told: pure, so that every sequence of sights can be tried. */
import type { HostAlert } from '../../workflows/model/cluster.ts';
import type { OperationView, StepView } from '../../workflows/model/operation.ts';
import type { News, NotifierMemory, ToldParking } from '../../workflows/model/notify.ts';

/** Parked again for the same reason within this: told before. */
const SAME_MS = 600_000;
/** Of operations whose end nobody saw. */
const FORGET_MS = 7 * 86_400_000;
/** Visibility may show an end that much later than it was. */
export const LATE_MS = 600_000;
/** Clocks of hosts are not ours. */
const CLOCKS_MS = 600_000;

export interface Ended {
  readonly id: string;
  readonly cluster: string;
  readonly operation: string;
  readonly ticket?: string;
  readonly closedAt: string;
  /** In Temporal's words: COMPLETED, TERMINATED, … */
  readonly execution: string;
  readonly state: string;
  /** Its last words, where a worker could tell them. */
  readonly outcome?: string;
}

export interface Sight {
  readonly parked: readonly OperationView[];
  readonly ended: readonly Ended[];
  readonly alerts: readonly { readonly cluster: string; readonly alerts: readonly HostAlert[] }[];
}

const ms = (iso: string) => Date.parse(iso);

function parkedStep(view: OperationView): StepView | undefined {
  return [...view.undo, ...view.steps].find((step) => step.state === 'parked');
}

/** Without the why, which may hold times and counts. */
function reasonOf(step: StepView): string {
  return `${step.name}: ${step.failure?.type ?? ''} ${step.failure?.what ?? ''}`.slice(0, 500);
}

const named = ({ id, ticket, operation, cluster }: Pick<Ended, 'id' | 'ticket' | 'operation' | 'cluster'>) =>
  `${ticket ?? id} (${operation} of ${cluster})`;

function parkedNews(view: OperationView, step: StepView, now: Date): News {
  const { id, cluster, ticket, actions } = view;
  const { failure } = step;
  const commands = actions.map((action) => `npx bellwether operation ${action} ${id}`);
  return {
    id: `parked/${id}/${step.startedAt ?? now.toISOString()}`,
    kind: 'parked',
    cluster,
    at: now.toISOString(),
    title: `${named(view)} is parked at: ${step.title}`,
    happened: failure === undefined ? `It waits for ${view.waitsFor ?? 'an operator'}` : failure.what,
    ...(failure === undefined ? {} : { why: failure.why }),
    todo: [...(failure === undefined ? [] : [failure.remedy]), ...commands],
    operation: id,
    ...(ticket === undefined ? {} : { ticket }),
  };
}

function endedNews(ended: Ended): News {
  const { id, cluster, ticket, closedAt, execution, state, outcome } = ended;
  const done = execution === 'COMPLETED' && state === 'done';
  const torn = !done && state !== 'aborted';
  const [first = '', ...rest] = (outcome ?? '').split('\n\n');
  const words = torn ? `Temporal ended it (${execution.toLowerCase()}) before it could take back its steps` : first;
  return {
    id: `ended/${id}`,
    kind: done ? 'done' : 'failed',
    cluster,
    at: closedAt,
    title: `${named(ended)} ${done ? 'is done' : torn ? 'was ended from outside' : 'was aborted'}`,
    happened: words === '' ? `It ended in state ${state}` : words,
    ...(rest.length === 0 ? {} : { why: rest.join('\n') }),
    todo: done
      ? []
      : [...(torn ? ['Check whether global maintenance was left on.'] : []), `npx bellwether operation show ${id}`],
    operation: id,
    ...(ticket === undefined ? {} : { ticket }),
  };
}

function alertNews(cluster: string, alert: HostAlert): News {
  return {
    id: `alert/${cluster}/${alert.id}`,
    kind: 'host-alert',
    cluster,
    at: alert.at,
    title: `${alert.host}: ${alert.text}`.slice(0, 200),
    happened: alert.text,
    ...(alert.did === '' ? {} : { why: alert.did }),
    todo: [...(alert.todo === '' ? [] : [alert.todo]), `npx bellwether status ${cluster}`],
  };
}

/** One that is parked now: the memory of it, and the news if it is some. */
function parkedNow(told: ToldParking | undefined, view: OperationView, now: Date): { told: ToldParking; news?: News } {
  const step = parkedStep(view);
  const reason = step === undefined ? (view.waitsFor ?? '') : reasonOf(step);
  const startedAt = step?.startedAt ?? '';
  const seenAt = now.toISOString();
  const same =
    told !== undefined &&
    (told.startedAt === startedAt || (told.reason === reason && ms(seenAt) - ms(told.seenAt) <= SAME_MS));
  const next = { reason, startedAt, seenAt };
  if (same) return { told: next };
  const shown: StepView = step ?? { name: '', title: 'a step', state: 'parked' };
  return { told: next, news: parkedNews(view, shown, now) };
}

/** @returns what is new in the sight, and what to remember of it. */
export function newsIn(memory: NotifierMemory, sight: Sight, now: Date): { memory: NotifierMemory; news: News[] } {
  const news: News[] = [];
  const parked: Record<string, ToldParking> = {};
  for (const [id, told] of Object.entries(memory.parked)) {
    const over = sight.ended.some((ended) => ended.id === id) || now.getTime() - ms(told.seenAt) > FORGET_MS;
    if (!over) parked[id] = told;
  }
  for (const view of sight.parked) {
    const seen = parkedNow(memory.parked[view.id], view, now);
    parked[view.id] = seen.told;
    if (seen.news !== undefined) news.push(seen.news);
  }
  const fresh = sight.ended.filter(({ id }) => !memory.ended.includes(id));
  news.push(...fresh.map(endedNews));
  const since = new Date(Math.max(ms(memory.since), now.getTime() - LATE_MS)).toISOString();
  const ended = sight.ended.filter(({ closedAt }) => closedAt >= since).map(({ id }) => id);
  const alerts: Record<string, readonly string[]> = { ...memory.alerts };
  for (const { cluster, alerts: all } of sight.alerts) {
    const told = memory.alerts[cluster] ?? [];
    const recent = all.filter(({ at }) => !(ms(at) < ms(memory.begun) - CLOCKS_MS));
    news.push(...recent.filter(({ id }) => !told.includes(id)).map((alert) => alertNews(cluster, alert)));
    alerts[cluster] = all.map(({ id }) => id);
  }
  return { memory: { ...memory, since, ended, parked, alerts }, news };
}
