/** The paths of maintenance windows in the OpenAPI document. */
import { z, type OpenAPIHono } from '@hono/zod-openapi';
import type { ProblemName } from '../problems.ts';
import {
  windowAnswer,
  windowBody,
  windowCommand,
  windowList,
  windowName,
  windowPreview,
  windowQuery,
  windowReport,
} from './window.ts';

type Json = (schema: z.ZodType, example?: object) => { readonly 'application/json': { readonly schema: z.ZodType } };
type Problems = (...names: ProblemName[]) => object;

const ALWAYS = [
  'unauthorized',
  'foreign-host',
  'secret-unavailable',
  'temporal-unavailable',
  'internal-error',
] as const;
const BODY = ['malformed-json', 'not-json', 'body-too-large', 'invalid-request'] as const;
const security = [{ bearer: [] }, {}];

const params = z.object({
  cluster: z
    .string()
    .openapi({ param: { name: 'cluster', in: 'path' }, example: 'Default', description: 'The cluster.' }),
  name: windowName.openapi({ param: { name: 'name', in: 'path' }, example: 'sat' }),
});
const windowExample = {
  cluster: 'Default',
  name: 'sat',
  every: 'sat 22:00',
  timeZone: 'Europe/Berlin',
  lengthMinutes: 240,
  operations: [{ operation: 'rolling-host-update' }, { operation: 'backup', keep: 30 }],
};
const ONE = '/windows/{cluster}/{name}';

function collection(app: OpenAPIHono, json: Json, problems: Problems): void {
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/windows',
    operationId: 'createWindow',
    summary: 'Create a maintenance window',
    security,
    request: {
      query: z.object({
        dryRun: z.enum(['true']).optional().openapi({ description: 'Create nothing, answer the next ten openings.' }),
      }),
      body: { required: true, content: json(windowBody, windowExample) },
    },
    responses: {
      201: { description: 'Temporal has the schedule.', content: json(windowReport) },
      200: { description: 'With dryRun: what would be.', content: json(windowPreview) },
      ...problems('unknown-cluster', 'window-exists', ...BODY, ...ALWAYS),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/windows',
    operationId: 'listWindows',
    summary: 'The windows, with their next and last openings',
    security,
    request: { query: windowQuery },
    responses: {
      200: { description: 'The windows.', content: json(windowList) },
      ...problems('invalid-request', ...ALWAYS),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/windows.ics',
    operationId: 'windowCalendar',
    summary: 'The next twenty openings as iCalendar',
    security,
    request: { query: windowQuery },
    responses: {
      200: { description: 'RFC 5545.', content: { 'text/calendar': { schema: z.string() } } },
      ...problems('invalid-request', ...ALWAYS),
    },
  });
}

function oneWindow(app: OpenAPIHono, json: Json, problems: Problems): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: ONE,
    operationId: 'showWindow',
    summary: 'One window',
    security,
    request: { params },
    responses: {
      200: { description: 'The window.', content: json(windowReport) },
      ...problems('window-not-found', ...ALWAYS),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path: ONE,
    operationId: 'deleteWindow',
    summary: 'Delete it; an opening that runs closes by itself',
    security,
    request: { params },
    responses: {
      200: { description: 'It is gone.', content: json(windowAnswer) },
      ...problems('window-not-found', ...ALWAYS),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: `${ONE}/preview`,
    operationId: 'previewWindow',
    summary: 'Its next ten openings, those that a freeze leaves out too',
    security,
    request: { params },
    responses: {
      200: { description: 'The openings.', content: json(windowPreview) },
      ...problems('window-not-found', ...ALWAYS),
    },
  });
}

const ACTIONS = {
  pause: ['pauseWindow', 'No more openings until it is resumed; needs a reason'],
  resume: ['resumeWindow', 'Openings as before'],
  'run-now': ['runWindowNow', 'Open it once now'],
} as const;

export function windowPaths(app: OpenAPIHono, json: Json, problems: Problems): void {
  collection(app, json, problems);
  oneWindow(app, json, problems);
  for (const action of ['pause', 'resume', 'run-now'] as const) {
    const [operationId, summary] = ACTIONS[action];
    app.openAPIRegistry.registerPath({
      method: 'post',
      path: `${ONE}/${action}`,
      operationId,
      summary,
      security,
      request: { params, body: { required: true, content: json(windowCommand) } },
      responses: {
        200: { description: 'Done.', content: json(windowAnswer) },
        ...problems(
          'window-not-found',
          ...(action === 'run-now' ? (['window-open'] as const) : []),
          ...BODY,
          ...ALWAYS,
        ),
      },
    });
  }
}
