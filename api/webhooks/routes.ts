/** The routes of webhooks: receiving them, and looking at what came. */
import type { Hono } from 'hono';
import { authenticate } from '../auth.ts';
import { refuse, type AppEnv } from '../context.ts';
import type { StartPorts } from '../operations/start.ts';
import type { AppPorts } from '../ports.ts';
import { schemaErrors } from '../schemas/problem.ts';
import { createDeliveryLog, deliveryQuery } from './deliveries.ts';
import { webhookHandler } from './route.ts';

export function webhookRoutes(app: Hono<AppEnv>, ports: AppPorts, startPorts: StartPorts): void {
  const deliveries = ports.deliveries ?? createDeliveryLog(ports.logger);
  app.post('/webhooks/:source', webhookHandler(ports, startPorts, deliveries));
  app.use('/deliveries', authenticate(ports));
  app.get('/deliveries', async (c) => {
    const query = deliveryQuery.safeParse(c.req.query());
    if (!query.success) return refuse(c, 'invalid-request', 'nothing was read', { errors: schemaErrors(query.error) });
    return c.json(await deliveries.list(query.data));
  });
}
