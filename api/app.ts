/**
 * The front door: one Hono app, made from ports only. Adapters (`adapters/`) put it on Node or elsewhere.
 *
 * @example
 * const app = createApp(ports);
 * const response = await app.request('/healthz');
 */
import { Hono } from 'hono';
import { createAudit } from './audit/audit.ts';
import { auditRoutes } from './audit/routes.ts';
import { AuditUnavailable } from './audit/trail.ts';
import { authenticate } from './auth.ts';
import { clusterRoutes } from './clusters/routes.ts';
import { watchClusters } from './clusters/watch.ts';
import { refuse, requestLog, type AppEnv } from './context.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createGate } from './operations/gate.ts';
import { operationRoutes } from './operations/routes.ts';
import type { StartPorts } from './operations/start.ts';
import { pageRoutes } from './page/routes.ts';
import type { AppPorts } from './ports.ts';
import { isProblemName, problemPage } from './problems.ts';
import { referenceRoute } from './reference/routes.ts';
import { openApiDocument } from './schemas/document.ts';
import { windowRoutes } from './windows/routes.ts';
import { createDeliveryLog } from './webhooks/deliveries.ts';
import { webhookRoutes } from './webhooks/routes.ts';

const STARTS_MAX = 32;

/** The app, and what an adapter must know. */
export type FrontDoor = Hono<AppEnv> & {
  /** Without one it may only listen on loopback. */
  readonly tokenRequired: boolean;
  /** Ends what would go on for ever: an adapter calls it when it stops. */
  readonly endStreams: () => void;
};

function publicRoutes(app: Hono<AppEnv>, ports: AppPorts): void {
  const document = openApiDocument();
  app.get('/healthz', (c) => c.json({ status: 'up' }));
  app.get('/readyz', async (c) => {
    const missing = await ports.reader.missing();
    return missing === undefined ? c.json({ status: 'ready' }) : refuse(c, 'not-ready', `missing: ${missing}`);
  });
  app.get('/openapi.json', (c) => c.json(document));
  referenceRoute(app, ports, document);
  app.get('/problems/:name', (c) => {
    const name = c.req.param('name');
    return isProblemName(name) ? c.text(problemPage(name)) : refuse(c, 'not-found', `no problem is called ${name}`);
  });
}

export function createApp(given: AppPorts): FrontDoor {
  const app = new Hono<AppEnv>();
  const metrics = createMetrics();
  const counted = metrics.around(given, given.deliveries ?? createDeliveryLog(given.logger));
  const audit = counted.audit === undefined ? undefined : createAudit(counted.audit, counted);
  const ports = audit?.around(counted) ?? counted;
  const { starter, reader, clusters, timing, clock } = ports;
  const startPorts: StartPorts = {
    starter,
    reader,
    clusters,
    clock,
    gate: createGate(ports.startsMax ?? STARTS_MAX),
    ...(timing === undefined ? {} : { timing }),
  };
  app.use(requestLog(ports.logger, ports.clock));
  app.use(metrics.middleware);
  if (audit !== undefined) app.use(audit.middleware);
  app.onError((error, c) => {
    if (error instanceof AuditUnavailable) return refuse(c, 'audit-unavailable', `nothing was done: ${error.message}`);
    ports.logger.error({ instance: c.get('instance'), error: error.stack ?? String(error) }, 'request failed');
    return refuse(c, 'internal-error', 'the log has the cause under this instance');
  });
  app.notFound((c) => refuse(c, 'not-found', `${c.req.method} ${c.req.path} leads nowhere`));
  publicRoutes(app, ports);
  webhookRoutes(app, ports, startPorts);
  app.use('/windows', authenticate(ports));
  app.use('/windows.ics', authenticate(ports));
  app.use('/windows/*', authenticate(ports));
  windowRoutes(app, ports);
  app.use('/operations', authenticate(ports));
  app.use('/operations/*', authenticate(ports));
  operationRoutes(app, ports, startPorts);
  app.use('/audit', authenticate(ports));
  auditRoutes(app, ports);
  app.use('/metrics', authenticate(ports));
  metrics.route(app);
  app.use('/clusters', authenticate(ports));
  app.use('/clusters/*', authenticate(ports));
  const watch = watchClusters(ports);
  clusterRoutes(app, ports, watch);
  const endStreams = pageRoutes(app, ports, startPorts, watch);
  return Object.assign(app, { tokenRequired: ports.apiTokenFile !== undefined, endStreams });
}
