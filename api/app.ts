/**
 * The front door: one Hono app, made from ports only. Adapters (`adapters/`) put it on Node or elsewhere.
 *
 * @example
 * const app = createApp(ports);
 * const response = await app.request('/healthz');
 */
import { Hono } from 'hono';
import { authenticate } from './auth.ts';
import { clusterRoutes } from './clusters/routes.ts';
import { refuse, requestLog, type AppEnv } from './context.ts';
import { createGate } from './operations/gate.ts';
import { operationRoutes } from './operations/routes.ts';
import type { StartPorts } from './operations/start.ts';
import type { AppPorts } from './ports.ts';
import { isProblemName, problemPage } from './problems.ts';
import { openApiDocument } from './schemas/document.ts';
import { windowRoutes } from './windows/routes.ts';
import { webhookRoutes } from './webhooks/routes.ts';

const STARTS_MAX = 32;

/** The app, and whether its operations need a token: without one an adapter may only listen on loopback. */
export type FrontDoor = Hono<AppEnv> & { readonly tokenRequired: boolean };

function publicRoutes(app: Hono<AppEnv>, ports: AppPorts): void {
  const document = openApiDocument();
  app.get('/healthz', (c) => c.json({ status: 'up' }));
  app.get('/readyz', async (c) => {
    const missing = await ports.reader.missing();
    return missing === undefined ? c.json({ status: 'ready' }) : refuse(c, 'not-ready', `missing: ${missing}`);
  });
  app.get('/openapi.json', (c) => c.json(document));
  app.get('/problems/:name', (c) => {
    const name = c.req.param('name');
    return isProblemName(name) ? c.text(problemPage(name)) : refuse(c, 'not-found', `no problem is called ${name}`);
  });
}

export function createApp(ports: AppPorts): FrontDoor {
  const app = new Hono<AppEnv>();
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
  app.onError((error, c) => {
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
  app.use('/clusters', authenticate(ports));
  app.use('/clusters/*', authenticate(ports));
  clusterRoutes(app, ports);
  return Object.assign(app, { tokenRequired: ports.apiTokenFile !== undefined });
}
