/** `/ui`: the status page. Reads through the ports and functions of the API, never over HTTP. */
import type { Hono } from 'hono';
import type { Watch } from '../clusters/watch.ts';
import { refuse, type AppEnv } from '../context.ts';
import type { StartPorts } from '../operations/start.ts';
import type { AppPorts } from '../ports.ts';
import { problemDetails } from '../schemas/problem.ts';
import { reportOf } from '../windows/answers.ts';
import { assetRoute, pageHeaders } from './assets.ts';
import { clusterPages } from './cluster-pages.ts';
import { forReaders, type Desk, type Handler, type Parts } from './desk.ts';
import { createStreams } from './events.ts';
import { createLastSeen } from './last-seen.ts';
import { operationPages } from './operation-pages.ts';
import { createOperationsFeed } from './operations-feed.ts';
import { createSessions, wantsHtml } from './session.ts';
import { signInPages } from './sign-in-pages.ts';
import { deliveriesPart } from './views/deliveries.ts';
import { layout } from './views/layout.ts';
import { problemView } from './views/problem.ts';
import { windowsPart, type WindowsSeen } from './views/windows.ts';
import { clusterPath, trouble } from './views/words.ts';

const STREAMS_MAX = 100;
const POLL_MS = 1000;
/** A stream's token is looked at again so often, when its listener comes back. */
const STREAM_MS = 600_000;
const DELIVERIES = 200;

function createDesk(ports: AppPorts, startPorts: StartPorts, watch: Watch): Desk {
  const { reader, clock } = ports;
  return {
    ports,
    startPorts,
    lastSeen: createLastSeen(watch),
    feed: createOperationsFeed({ reader, clock, everyMs: POLL_MS }),
    sessions: createSessions(ports),
    streams: createStreams(ports.streamsMax ?? STREAMS_MAX, clock),
    show(c, visitor, title, content, cluster) {
      if (c.req.query('part') !== undefined) return c.html(content);
      const around = { title, now: clock(), clusters: ports.clusters, visitor };
      return c.html(layout(cluster === undefined ? around : { ...around, cluster }, c.req.path, content));
    },
  };
}

async function windowsOf({ windows, clock }: AppPorts): Promise<WindowsSeen> {
  const reply = await windows
    .list()
    .catch((error: unknown) => ({ outcome: 'unavailable', why: String(error) }) as const);
  if (reply.outcome === 'unavailable') return { failure: reply.why };
  return { windows: reply.windows.map((one) => reportOf(one, clock())) };
}

function eventsRoute({ feed, streams, ports }: Desk, parts: Parts): Handler {
  return async (c, visitor) => {
    const cluster = c.req.query('cluster') ?? '';
    if (!ports.clusters.includes(cluster)) return refuse(c, 'cluster-not-found', `no cluster is called ${cluster}`);
    const operation = c.req.query('operation');
    const untilMs = Math.min(visitor.expiresAtMs, ports.clock().getTime() + STREAM_MS);
    const join = (tell: (part: string) => void) =>
      feed.listen(cluster, operation, (seen) => {
        const part =
          operation === undefined ? parts.operations(cluster, seen) : parts.operation(operation, seen, visitor);
        void Promise.resolve(part).then((text) => (text === undefined ? undefined : tell(String(text))));
      });
    const stream = streams.open(join, c.req.header('last-event-id') ?? '', untilMs);
    return stream ?? refuse(c, 'too-many-streams', 'as many as may be are open, or the front door is stopping');
  };
}

/** A problem as a page, where a browser asks. */
function problemPages(app: Hono<AppEnv>, { ports }: Desk): void {
  app.use('/ui/*', async (c, next) => {
    await next();
    if (!wantsHtml(c) || c.res.headers.get('content-type') !== 'application/problem+json') return;
    const problem = problemDetails.safeParse(await c.res.clone().json());
    if (!problem.success) return;
    const { title, status } = problem.data;
    const around = { title, now: ports.clock(), clusters: ports.clusters };
    const { headers } = c.res;
    const retry = headers.get('retry-after');
    const text = await layout(around, c.req.path, problemView(problem.data));
    c.res = new Response(String(text), {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8', ...(retry === null ? {} : { 'retry-after': retry }) },
    });
  });
}

/** @returns what ends its streams, for the shutdown. */
export function pageRoutes(app: Hono<AppEnv>, ports: AppPorts, startPorts: StartPorts, watch: Watch): () => void {
  const desk = createDesk(ports, startPorts, watch);
  const { clock, clusters, sources, deliveries } = ports;
  app.get('/', (c) => c.redirect('/ui/', 302));
  app.use('/ui/*', pageHeaders());
  problemPages(app, desk);
  for (const name of ['style.css', 'page.js', 'icon.svg'] as const) app.get(`/ui/${name}`, assetRoute(name));
  signInPages(app, desk);
  const home: Handler = (c, visitor) => {
    const [first] = clusters;
    if (first !== undefined) return c.redirect(clusterPath(first), 303);
    return desk.show(
      c,
      visitor,
      'No cluster',
      trouble(
        'warn',
        'No cluster is configured',
        'The front door knows none.',
        'Set BELLWETHER_CLUSTERS_FILE (see README.md).',
      ),
    );
  };
  app.get('/ui', (c) => c.redirect('/ui/', 302));
  app.get('/ui/', forReaders(desk, home));
  const operations = operationPages(app, desk);
  const parts: Parts = { operations: clusterPages(app, desk), operation: operations };
  app.get('/ui/events', forReaders(desk, eventsRoute(desk, parts)));
  app.get(
    '/ui/windows',
    forReaders(desk, async (c, visitor) =>
      desk.show(c, visitor, 'Windows', windowsPart(await windowsOf(ports), clock())),
    ),
  );
  app.get(
    '/ui/deliveries',
    forReaders(desk, async (c, visitor) => {
      const list = (await deliveries?.list({ limit: DELIVERIES })) ?? { deliveries: [], lastRefused: [] };
      const names = sources.map(({ name }) => name);
      return desk.show(c, visitor, 'Deliveries', deliveriesPart(names, list, clock()));
    }),
  );
  return () => desk.streams.close();
}
