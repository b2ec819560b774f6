/**
 * Prometheus metrics of the front door, in a registry of each app’s own. Counted around the routes and ports, which
 * know nothing of it. Labels are routes and names from the configuration, never what a caller can make up.
 */
import type { Hono, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AuditTrail } from '../audit/trail.ts';
import { answeredProblem, type AppEnv } from '../context.ts';
import type { AppPorts } from '../ports.ts';
import type { DeliveryLog } from '../webhooks/deliveries.ts';

/** From a cached answer to a look that waits for hosts. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface DoorMetrics {
  readonly middleware: MiddlewareHandler<AppEnv>;
  /** The same ports, counted. */
  around(ports: AppPorts, deliveries: DeliveryLog): AppPorts & { readonly deliveries: DeliveryLog };
  route(app: Hono<AppEnv>): void;
}

function instruments() {
  const registry = new Registry();
  const own = { registers: [registry] };
  const requests = new Counter({
    ...own,
    name: 'bellwether_http_requests_total',
    help: 'Requests answered, by route and status.',
    labelNames: ['method', 'route', 'status'],
  });
  const seconds = new Histogram({
    ...own,
    name: 'bellwether_http_request_duration_seconds',
    help: 'From the request’s head to the answer’s.',
    labelNames: ['method', 'route'],
    buckets: SECONDS,
  });
  const problems = new Counter({
    ...own,
    name: 'bellwether_problems_total',
    help: 'Requests refused, by problem.',
    labelNames: ['problem'],
  });
  const limited = new Counter({
    ...own,
    name: 'bellwether_rate_limited_total',
    help: 'Webhook deliveries refused for their number, by source.',
    labelNames: ['source'],
  });
  const deliveries = new Counter({
    ...own,
    name: 'bellwether_webhook_deliveries_total',
    help: 'Webhook deliveries, by source and what became of them.',
    labelNames: ['source', 'verdict'],
  });
  const starts = new Gauge({ ...own, name: 'bellwether_starts_in_flight', help: 'Starts that wait for Temporal.' });
  const audit = new Counter({
    ...own,
    name: 'bellwether_audit_lines_total',
    help: 'Lines of the audit trail, by whether they could be written.',
    labelNames: ['result'],
  });
  // Known from the first scrape on, so that an increase of them is one.
  for (const result of ['written', 'failed']) audit.inc({ result }, 0);
  return { registry, requests, seconds, problems, limited, deliveries, starts, audit };
}

function counted(trail: AuditTrail, audit: Counter): AuditTrail {
  return {
    async append(kind, fields) {
      try {
        const seq = await trail.append(kind, fields);
        audit.inc({ result: 'written' });
        return seq;
      } catch (error) {
        audit.inc({ result: 'failed' });
        throw error;
      }
    },
    read: (query) => trail.read(query),
  };
}

export function createMetrics(): DoorMetrics {
  const { registry, requests, seconds, problems, limited, deliveries, starts, audit } = instruments();
  return {
    async middleware(c, next) {
      const started = performance.now();
      await next();
      const problem = await answeredProblem(c);
      const route = problem === 'not-found' ? 'none' : routePath(c, -1);
      const { method } = c.req;
      requests.inc({ method, route, status: c.res.status });
      seconds.observe({ method, route }, (performance.now() - started) / 1000);
      const { source } = c.get('logged');
      if (problem !== undefined) problems.inc({ problem });
      if (problem === 'rate-limited' && typeof source === 'string') limited.inc({ source });
    },
    around(ports, log) {
      for (const { name } of ports.sources) limited.inc({ source: name }, 0);
      return {
        ...ports,
        starter: {
          async start(order) {
            starts.inc();
            return ports.starter.start(order).finally(() => starts.dec());
          },
        },
        deliveries: {
          ...log,
          record(record, evidence) {
            deliveries.inc({ source: record.source, verdict: record.verdict });
            log.record(record, evidence);
          },
        },
        ...(ports.audit === undefined ? {} : { audit: { ...ports.audit, trail: counted(ports.audit.trail, audit) } }),
      };
    },
    route(app) {
      app.get('/metrics', async (c) => c.body(await registry.metrics(), 200, { 'content-type': registry.contentType }));
    },
  };
}
