/** `/windows`: maintenance windows. Thin: their calendars are in the files beside, Temporal's schedules behind a port. */
import type { Hono } from 'hono';
import { closesAt, freezeAt, windowId, type Opening, type WindowDefinition } from '../../workflows/model/window.ts';
import { DEFAULT_TIMING } from '../../workflows/model/operation.ts';
import { refuse, type AppContext, type AppEnv } from '../context.ts';
import { jsonBody } from '../operations/routes.ts';
import type { AppPorts } from '../ports.ts';
import { schemaErrors } from '../schemas/problem.ts';
import { actor } from '../schemas/request.ts';
import { windowBody, windowCommand, windowQuery, type WindowPreview } from '../schemas/window.ts';
import { openingOf, reportOf, upcoming } from './answers.ts';
import { readDefinition } from './definition.ts';
import { calendarOf } from './ics.ts';
import type { KnownWindow, WindowsAway } from './ports.ts';

/** Room for change calendars. */
const BODY_BYTES_MAX = 1_048_576;
const COMMAND_BYTES_MAX = 8192;
const PREVIEW_ROWS = 10;
const ICS_ROWS = 20;
/** Temporal answers at most a thousand times: asked for as far as ten openings go, and a bit. */
const DAY_MS = 86_400_000;

interface Named {
  readonly cluster: string;
  readonly name: string;
}

const named = (c: AppContext): Named => ({ cluster: c.req.param('cluster') ?? '', name: c.req.param('name') ?? '' });

function missing(
  c: AppContext,
  { cluster, name }: Named,
  reply: { readonly outcome: 'unknown' } | WindowsAway,
): Response {
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  return refuse(c, 'window-not-found', `cluster ${cluster} has no window ${name}`);
}

function invalid(c: AppContext, error: Parameters<typeof schemaErrors>[0]): Response {
  const remedy = 'See WindowRequest in /openapi.json.';
  const errors = schemaErrors(error).map((one) => ({ ...one, remedy }));
  return refuse(c, 'invalid-request', 'nothing was done', { errors });
}

function preview(
  definition: WindowDefinition,
  rows: readonly Opening[],
  computedBy: WindowPreview['computedBy'],
): WindowPreview {
  return { timeZone: definition.timeZone, computedBy, openings: rows.map((row) => openingOf(definition, row)) };
}

async function createRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const json = await jsonBody(c, BODY_BYTES_MAX);
  if (!json.ok) return json.response;
  const body = windowBody.safeParse(json.value);
  if (!body.success) return invalid(c, body.error);
  const { cluster, name } = body.data;
  if (!ports.clusters.includes(cluster))
    return refuse(c, 'unknown-cluster', `known are: ${ports.clusters.join(', ') || 'none'}`);
  const by = actor.safeParse(c.req.header('x-requested-by'));
  const now = ports.clock();
  const read = readDefinition(body.data, by.success ? by.data : 'api', now);
  if (!read.ok) return refuse(c, 'invalid-request', 'no window was created', { errors: read.errors });
  const { definition } = read;
  if (c.req.query('dryRun') === 'true')
    return c.json(preview(definition, upcoming(definition, now, PREVIEW_ROWS), 'front-door'));
  const input = { definition, timing: ports.timing ?? DEFAULT_TIMING };
  const reply = await ports.windows.create(input);
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  if (reply.outcome === 'exists') return refuse(c, 'window-exists', `cluster ${cluster} has a window ${name} already`);
  if (reply.outcome === 'refused') {
    const remedy = 'Temporal’s own database of time zones may lack the zone: try Etc/UTC.';
    return refuse(c, 'invalid-request', 'no window was created', {
      errors: [{ path: 'timeZone', what: reply.why, remedy }],
    });
  }
  c.get('logged').window = windowId(cluster, name);
  const path = `/windows/${cluster}/${name}`;
  return c.json(reportOf({ input, open: false, last: [] }, now), 201, { location: path });
}

async function listed(c: AppContext, ports: AppPorts): Promise<readonly KnownWindow[] | Response> {
  const query = windowQuery.safeParse(c.req.query());
  if (!query.success) return invalid(c, query.error);
  const reply = await ports.windows.list(query.data.cluster);
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  const { name } = query.data;
  return reply.windows.filter(({ input }) => name === undefined || input.definition.name === name);
}

async function listRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const windows = await listed(c, ports);
  return windows instanceof Response
    ? windows
    : c.json({ windows: windows.map((one) => reportOf(one, ports.clock())) });
}

async function icsRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const windows = await listed(c, ports);
  if (windows instanceof Response) return windows;
  const now = ports.clock();
  const entries = windows
    .filter(({ paused }) => paused === undefined)
    .flatMap(({ input: { definition } }) =>
      upcoming(definition, now, ICS_ROWS, true).map((opening) => ({ definition, opening })),
    )
    .toSorted((a, b) => a.opening.at - b.opening.at)
    .slice(0, ICS_ROWS);
  return c.body(calendarOf(entries, now), 200, { 'content-type': 'text/calendar; charset=utf-8' });
}

async function showRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const { cluster, name } = named(c);
  const reply = await ports.windows.show(cluster, name);
  return reply.outcome === 'found' ? c.json(reportOf(reply.window, ports.clock())) : missing(c, named(c), reply);
}

/** Temporal's own times, marked with the freezes, which are the workflow's matter. */
async function previewRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const { cluster, name } = named(c);
  const reply = await ports.windows.show(cluster, name);
  if (reply.outcome !== 'found') return missing(c, named(c), reply);
  const { definition } = reply.window.input;
  const now = ports.clock();
  const calendar = upcoming(definition, now, PREVIEW_ROWS);
  const to = new Date((calendar.at(-1)?.at ?? now.getTime()) + DAY_MS);
  const times = await ports.windows.times(cluster, name, now, to);
  if (times.outcome !== 'listed') return missing(c, named(c), times);
  const rows = times.times.slice(0, PREVIEW_ROWS).map((at): Opening => {
    // Length and freezes count from the calendar's time, the jitter does not.
    const nominal = calendar.findLast((opening) => opening.at <= at)?.at ?? at;
    const freeze = freezeAt(definition.freezes, nominal);
    return { at, until: closesAt(definition, nominal), ...(freeze === undefined ? {} : { freeze }) };
  });
  return c.json(preview(definition, rows, 'temporal'));
}

const ACTIONS = ['pause', 'resume', 'run-now'] as const;

async function actRoute(c: AppContext, ports: AppPorts, action: (typeof ACTIONS)[number]): Promise<Response> {
  const json = await jsonBody(c, COMMAND_BYTES_MAX);
  if (!json.ok) return json.response;
  const command = windowCommand.safeParse(json.value);
  if (!command.success) return invalid(c, command.error);
  const { by, reason } = command.data;
  if (action === 'pause' && reason === undefined) {
    const errors = [
      { path: 'reason', what: 'needed to pause', remedy: 'Say why: whoever looks for the openings reads it.' },
    ];
    return refuse(c, 'invalid-request', 'nothing was done', { errors });
  }
  const { cluster, name } = named(c);
  const note = reason === undefined ? by : `${by}: ${reason}`;
  const { windows } = ports;
  const reply = await {
    pause: () => windows.pause(cluster, name, note),
    resume: () => windows.resume(cluster, name, note),
    'run-now': () => windows.runNow(cluster, name),
  }[action]();
  const id = windowId(cluster, name);
  Object.assign(c.get('logged'), { window: id, action, by });
  if (reply.outcome === 'open') return refuse(c, 'window-open', `${id} is open: an opening of it runs`);
  return reply.outcome === 'done' ? c.json({ id, action, note }) : missing(c, named(c), reply);
}

async function deleteRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const { cluster, name } = named(c);
  const reply = await ports.windows.remove(cluster, name);
  const id = windowId(cluster, name);
  c.get('logged').window = id;
  return reply.outcome === 'done' ? c.json({ id, action: 'delete' }) : missing(c, named(c), reply);
}

export function windowRoutes(app: Hono<AppEnv>, ports: AppPorts): void {
  app.post('/windows', (c) => createRoute(c, ports));
  app.get('/windows', (c) => listRoute(c, ports));
  app.get('/windows.ics', (c) => icsRoute(c, ports));
  app.get('/windows/:cluster/:name', (c) => showRoute(c, ports));
  app.delete('/windows/:cluster/:name', (c) => deleteRoute(c, ports));
  app.get('/windows/:cluster/:name/preview', (c) => previewRoute(c, ports));
  for (const action of ACTIONS) app.post(`/windows/:cluster/:name/${action}`, (c) => actRoute(c, ports, action));
}
