/** A cluster's page, and the forms that change its maintenance. */
import type { Hono } from 'hono';
import { html } from 'hono/html';
import { refuse, type AppContext, type AppEnv } from '../context.ts';
import { drawKey, startFromForm } from './commands.ts';
import { formOf } from './forms.ts';
import type { OperationsSeen } from './operations-feed.ts';
import { globalQuestion, hostQuestion, type Question } from './questions.ts';
import { forOperators, forReaders, type Desk } from './desk.ts';
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
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields?: Html;
}

function ask(c: AppContext, desk: Desk, visitor: Visitor, cluster: string, asking: Asking) {
  const { question, action, hidden, fields } = asking;
  const { title, what, button } = question;
  const form = { action, what, button, back: clusterPath(cluster), visitor, hidden: { ...hidden, key: drawKey() } };
  return desk.show(c, visitor, title, confirmForm(fields === undefined ? form : { ...form, fields }), cluster);
}

function maintenancePages(app: Hono<AppEnv>, desk: Desk): void {
  const { ports, startPorts } = desk;
  const path = '/ui/clusters/:cluster/maintenance';
  app.get(
    path,
    forOperators(desk, (c, visitor) => {
      const cluster = clusterOf(c, desk);
      if (cluster instanceof Response) return cluster;
      const mode = c.req.query('mode') === 'off' ? 'off' : 'on';
      const asking = { question: globalQuestion(mode, cluster), action: c.req.path, hidden: { mode } };
      const fields = untilField(ports.clock());
      return ask(c, desk, visitor, cluster, mode === 'on' ? { ...asking, fields } : asking);
    }),
  );
  app.post(
    path,
    forOperators(desk, async (c, visitor) => {
      const cluster = clusterOf(c, desk);
      if (cluster instanceof Response) return cluster;
      const form = await formOf(c, visitor.via === 'bearer' ? undefined : visitor.formToken);
      if (!form.ok) return form.response;
      const { mode = '', at = '', until: chosen = '' } = form.value;
      // A field of date and time has neither zone nor, in some browsers, seconds.
      const until = at === '' ? chosen : `${at.length === 16 ? `${at}:00` : at}Z`;
      const asked = {
        operation: 'global-maintenance',
        cluster,
        mode,
        ...(mode === 'on' && until !== '' ? { until } : {}),
      };
      return startFromForm(c, startPorts, visitor, form.value, asked);
    }),
  );
}

const HOST_OPERATIONS = { maintenance: 'enter-host-maintenance', activate: 'leave-host-maintenance' } as const;
const isHostAction = (text: string): text is keyof typeof HOST_OPERATIONS => Object.hasOwn(HOST_OPERATIONS, text);

function hostPages(app: Hono<AppEnv>, desk: Desk): void {
  const path = '/ui/clusters/:cluster/hosts/:host';
  app.get(
    path,
    forOperators(desk, (c, visitor) => {
      const cluster = clusterOf(c, desk);
      if (cluster instanceof Response) return cluster;
      const host = c.req.param('host') ?? '';
      const action = c.req.query('do') ?? '';
      if (!isHostAction(action)) return refuse(c, 'not-found', `a host has no action ${action}`);
      const question = hostQuestion(action, host, desk.lastSeen.recall(cluster).status);
      const to = clusterPath(cluster, `/hosts/${encodeURIComponent(host)}`);
      return ask(c, desk, visitor, cluster, { question, action: to, hidden: { do: action } });
    }),
  );
  app.post(
    path,
    forOperators(desk, async (c, visitor) => {
      const cluster = clusterOf(c, desk);
      if (cluster instanceof Response) return cluster;
      const form = await formOf(c, visitor.via === 'bearer' ? undefined : visitor.formToken);
      if (!form.ok) return form.response;
      const action = form.value['do'] ?? '';
      if (!isHostAction(action)) return refuse(c, 'not-found', `a host has no action ${action}`);
      const asked = { operation: HOST_OPERATIONS[action], cluster, host: c.req.param('host') ?? '' };
      return startFromForm(c, desk.startPorts, visitor, form.value, asked);
    }),
  );
}

/** @returns the part that is told by events. */
export function clusterPages(app: Hono<AppEnv>, desk: Desk): (cluster: string, seen: OperationsSeen) => Html {
  const { clock } = desk.ports;
  const page = (show: (c: AppContext, visitor: Visitor, cluster: string) => Response | Promise<Response>) =>
    forReaders(desk, (c, visitor) => {
      const cluster = clusterOf(c, desk);
      return cluster instanceof Response ? cluster : show(c, visitor, cluster);
    });
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
