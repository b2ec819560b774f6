/** A cluster's page, and the forms that change its maintenance. */
import type { Hono } from 'hono';
import { html } from 'hono/html';
import { refuse, type AppContext, type AppEnv } from '../context.ts';
import { drawKey, startFromForm } from './commands.ts';
import { formOf, type Form } from './forms.ts';
import type { OperationsSeen } from './operations-feed.ts';
import { globalQuestion, hostQuestion, type Question } from './questions.ts';
import { forOperators, forReaders, type Desk, type Handler } from './desk.ts';
import type { Visitor } from './session.ts';
import { confirmForm, untilField } from './views/confirm.ts';
import { operationsPart } from './views/operations.ts';
import { statusPart } from './views/status.ts';
import { clusterPath, type Html } from './views/words.ts';

/** A page comes at once with what was seen last, where a look takes longer. */
const PATIENCE_MS = 1500;

function clusterOf(c: AppContext, { ports }: Desk): string | Response {
  const name = c.req.param('cluster') ?? '';
  if (ports.clusters.includes(name)) return name;
  return refuse(
    c,
    'cluster-not-found',
    `no cluster is called ${name}; known are: ${ports.clusters.join(', ') || 'none'}`,
  );
}

async function clusterPage(c: AppContext, desk: Desk, visitor: Visitor, cluster: string): Promise<Response> {
  const [seen, operations] = await Promise.all([desk.lastSeen.read(cluster, PATIENCE_MS), desk.feed.read(cluster)]);
  const now = desk.ports.clock();
  const content = html`${statusPart(cluster, seen, visitor, now)}${operationsPart(cluster, operations, now)}`;
  return desk.show(c, visitor, `Cluster ${cluster}`, html`<div class="columns">${content}</div>`, cluster);
}

interface Asking {
  readonly question: Question;
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields?: Html;
}

/** A change that a person confirms: what is asked, and what the form then orders. */
interface Change {
  readonly path: string;
  readonly question: (c: AppContext, cluster: string) => Asking | Response;
  /** Fields of the request, beside its cluster. */
  readonly order: (c: AppContext, form: Form) => Readonly<Record<string, unknown>> | Response;
}

type ClusterHandler = (c: AppContext, visitor: Visitor, cluster: string) => Response | Promise<Response>;

function ofCluster(desk: Desk, handler: ClusterHandler): Handler {
  return (c, visitor) => {
    const cluster = clusterOf(c, desk);
    return cluster instanceof Response ? cluster : handler(c, visitor, cluster);
  };
}

function changePages(app: Hono<AppEnv>, desk: Desk, { path, question, order }: Change): void {
  const forms = (handler: ClusterHandler) => forOperators(desk, ofCluster(desk, handler));
  app.get(
    path,
    forms((c, visitor, cluster) => {
      const asking = question(c, cluster);
      if (asking instanceof Response) return asking;
      const { question: asked, hidden, fields } = asking;
      const { title, what, button } = asked;
      const more = { back: clusterPath(cluster), visitor, hidden: { ...hidden, key: drawKey() } };
      const action = new URL(c.req.url).pathname;
      const form = { action, what, button, ...more, ...(fields === undefined ? {} : { fields }) };
      return desk.show(c, visitor, title, confirmForm(form), cluster);
    }),
  );
  app.post(
    path,
    forms(async (c, visitor, cluster) => {
      const form = await formOf(c, visitor.via === 'bearer' ? undefined : visitor.formToken);
      if (!form.ok) return form.response;
      const asked = order(c, form.value);
      if (asked instanceof Response) return asked;
      return startFromForm(c, desk.startPorts, visitor, form.value, { ...asked, cluster });
    }),
  );
}

function maintenancePages(app: Hono<AppEnv>, desk: Desk): void {
  changePages(app, desk, {
    path: '/ui/clusters/:cluster/maintenance',
    question(c, cluster) {
      const mode = c.req.query('mode') === 'off' ? 'off' : 'on';
      const asking = { question: globalQuestion(mode, cluster), hidden: { mode } };
      return mode === 'on' ? { ...asking, fields: untilField(desk.ports.clock()) } : asking;
    },
    order(_c, { mode = '', at = '', until: chosen = '' }) {
      // A field of date and time has neither zone nor, in some browsers, seconds.
      const until = at === '' ? chosen : `${at.length === 16 ? `${at}:00` : at}Z`;
      return { operation: 'global-maintenance', mode, ...(mode === 'on' && until !== '' ? { until } : {}) };
    },
  });
}

const HOST_OPERATIONS = { maintenance: 'enter-host-maintenance', activate: 'leave-host-maintenance' } as const;

function hostActionOf(c: AppContext, action = ''): keyof typeof HOST_OPERATIONS | Response {
  if (action === 'maintenance' || action === 'activate') return action;
  return refuse(c, 'not-found', `a host has no action ${action}`);
}

function hostPages(app: Hono<AppEnv>, desk: Desk): void {
  const hostOf = (c: AppContext) => c.req.param('host') ?? '';
  changePages(app, desk, {
    path: '/ui/clusters/:cluster/hosts/:host',
    question(c, cluster) {
      const action = hostActionOf(c, c.req.query('do'));
      if (action instanceof Response) return action;
      const { status } = desk.lastSeen.recall(cluster);
      return { question: hostQuestion(action, hostOf(c), status), hidden: { do: action } };
    },
    order(c, form) {
      const action = hostActionOf(c, form['do']);
      return action instanceof Response ? action : { operation: HOST_OPERATIONS[action], host: hostOf(c) };
    },
  });
}

/** @returns the part that is told by events. */
export function clusterPages(app: Hono<AppEnv>, desk: Desk): (cluster: string, seen: OperationsSeen) => Html {
  const { clock } = desk.ports;
  const page = (show: ClusterHandler) => forReaders(desk, ofCluster(desk, show));
  app.get(
    '/ui/clusters/:cluster',
    page((c, visitor, cluster) => clusterPage(c, desk, visitor, cluster)),
  );
  app.get(
    '/ui/clusters/:cluster/parts/status',
    page(async (c, visitor, cluster) => {
      const seen = await desk.lastSeen.read(cluster);
      return c.html(statusPart(cluster, seen, visitor, clock()));
    }),
  );
  app.get(
    '/ui/clusters/:cluster/parts/operations',
    page(async (c, _visitor, cluster) => c.html(operationsPart(cluster, await desk.feed.read(cluster), clock()))),
  );
  maintenancePages(app, desk);
  hostPages(app, desk);
  return (cluster, seen) => operationsPart(cluster, seen, clock());
}
