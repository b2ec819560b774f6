/**
 * The OpenAPI 3.1 document, generated from the zod schemas that also do the checking. It is served at /openapi.json and
 * checked in as `api/openapi.json`, where its changes are reviewed.
 */
import { OpenAPIHono, z } from '@hono/zod-openapi';
import { PROBLEMS, type ProblemName } from '../problems.ts';
import { hostAlert } from '../webhooks/host-alert.ts';
import { deliveryList, deliveryQuery } from '../webhooks/deliveries.ts';
import { actionAnswer, listQuery, operationList, operationReport, startAnswer } from './operation.ts';
import { problemDetails } from './problem.ts';
import { auditPaths } from './audit-paths.ts';
import { windowPaths } from './window-paths.ts';
import { backupListing } from './look.ts';
import { completeDocument } from './everywhere.ts';
import { clusterList, clusterStatus, doctorReport } from './status.ts';
import { operationBody, operatorCommand, webhookEvent, webhookRequest } from './request.ts';

const json = (schema: z.ZodType, example?: object) => ({
  'application/json': { schema, ...(example === undefined ? {} : { example }) },
});
const header = (example: string, description: string) => z.string().openapi({ example, description });

/** The problem answers of a path, one entry per status. */
function problems(...names: ProblemName[]) {
  const content = { 'application/problem+json': { schema: problemDetails } };
  const entries = names.map((name): [number, { description: string; content: typeof content }] => {
    const sameStatus = names.filter((other) => PROBLEMS[other].status === PROBLEMS[name].status);
    const description = sameStatus.map((other) => `/problems/${other}: ${PROBLEMS[other].title}.`).join(' ');
    return [PROBLEMS[name].status, { description, content }];
  });
  return Object.fromEntries(entries);
}

const BODY_PROBLEMS = ['malformed-json', 'body-too-large', 'invalid-request', 'internal-error'] as const;
const START_PROBLEMS = [
  'unknown-cluster',
  'invalid-vm-conf',
  'operation-exists',
  'too-many-starts',
  'temporal-unavailable',
  'secret-unavailable',
] as const;
const AUTH_PROBLEMS = ['unauthorized', 'foreign-host'] as const;
const bearer = [{ bearer: [] }, {}];

const operationExample = { operation: 'upgrade', cluster: 'Default', ticket: 'CHG0001234', key: 'CHG0001234' };
const webhookExample = {
  type: 'operation.requested',
  data: { operation: 'upgrade', cluster: 'Default', ticket: 'CHG0001234' },
};

const accepted = {
  description: 'Temporal has acknowledged the start. The same delivery gets the same answer again.',
  headers: z.object({ Location: header('/operations/upgrade%2FDefault%2FCHG0001234', 'The operation.') }),
  content: json(startAnswer),
};
const idParam = z.object({
  id: z.string().openapi({
    param: { name: 'id', in: 'path' },
    example: 'upgrade/Default/CHG0001234',
    description: 'Its slashes may be sent as %2F or as they are.',
  }),
});
const idempotencyHeader = (description: string) =>
  z.object({
    'idempotency-key': z.string().optional().openapi({ description, example: '2f1c9f1e-7a51-4f5e-9a41-6f2a5b1e0c11' }),
  });

function webhookPath(app: OpenAPIHono): void {
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/webhooks/{source}',
    operationId: 'receiveWebhook',
    summary: 'A signed webhook of a ticketing system starts an operation',
    'x-caller': 'sender',
    description:
      'Shown is scheme standard: Standard Webhooks, v1 (HMAC-SHA256 over id, time and raw body) or v1a (ed25519). Other schemes have the sender’s own headers, and sources with a mapping its own body: see api/webhooks/README.md. The ticket is the key: it runs once only. A source with alertsOf brings what the host workers of a cluster tell (HostAlert) instead.',
    request: {
      params: z.object({
        source: z.string().openapi({
          param: { name: 'source', in: 'path' },
          example: 'servicedesk',
          description: 'Its name in the file of BELLWETHER_WEBHOOKS_FILE.',
        }),
      }),
      headers: z.object({
        'webhook-id': header('msg_2KWPBgLlAfxdpx2AI54pPJ85f4W', 'The same over all retries of a delivery.'),
        'webhook-timestamp': header('1795271160', 'Seconds since 1970; at most 5 minutes off.'),
        'webhook-signature': header(
          'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
          'One or more, parted by spaces.',
        ),
        'idempotency-key': z
          .string()
          .optional()
          .openapi({ description: 'Stands in for webhook-id as the id of the delivery.' }),
      }),
      body: { required: true, content: json(z.union([webhookEvent, webhookRequest, hostAlert]), webhookExample) },
    },
    responses: {
      200: {
        description:
          'The delivery asks for nothing (a condition of the mapping does not hold). Also, to senders that would repeat it (Jira, GitLab), a refusal that would be 409 or 422 as application/problem+json.',
        content: {
          ...json(z.object({ nothingToDo: z.literal(true), because: z.string() })),
          'application/problem+json': { schema: problemDetails },
        },
      },
      202: accepted,
      ...problems(
        'signature-refused',
        'unknown-source',
        'unsupported-event',
        'rate-limited',
        ...BODY_PROBLEMS,
        ...START_PROBLEMS,
      ),
    },
  });
}

function startPath(app: OpenAPIHono): void {
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: '/operations',
    operationId: 'startOperation',
    summary: 'Start an operation',
    security: bearer,
    request: {
      headers: idempotencyHeader('Needed unless the body has a key.').extend({
        'x-requested-by': z
          .string()
          .optional()
          .openapi({ example: 'cli:alice', description: 'Who asks, for the auditor.' }),
      }),
      body: { required: true, content: json(operationBody, operationExample) },
    },
    responses: {
      202: accepted,
      ...problems('idempotency-key-missing', 'not-json', ...AUTH_PROBLEMS, ...BODY_PROBLEMS, ...START_PROBLEMS),
    },
  });
}

function operationPaths(app: OpenAPIHono): void {
  const always = [...AUTH_PROBLEMS, 'secret-unavailable', 'temporal-unavailable', 'internal-error'] as const;
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/operations',
    operationId: 'listOperations',
    summary: 'List operations, newest first',
    security: bearer,
    request: { query: listQuery },
    responses: {
      200: { description: 'The operations.', content: json(operationList) },
      ...problems('invalid-request', ...always),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/operations/{id}',
    operationId: 'showOperation',
    summary: 'One operation with its steps',
    security: bearer,
    request: { params: idParam },
    responses: {
      200: { description: 'The operation.', content: json(operationReport) },
      ...problems('operation-not-found', ...always),
    },
  });
  for (const action of ['retry', 'skip', 'abort'] as const) {
    app.openAPIRegistry.registerPath({
      method: 'post',
      path: `/operations/{id}/${action}`,
      operationId: `${action}Operation`,
      summary: { retry: 'Try the parked step again', skip: 'Leave the parked step out', abort: 'Undo and end' }[action],
      security: bearer,
      request: {
        params: idParam,
        headers: idempotencyHeader('The same key is done once only.'),
        body: { required: true, content: json(operatorCommand) },
      },
      responses: {
        200: { description: 'The operation has taken the command.', content: json(actionAnswer) },
        ...problems(
          'operation-not-found',
          'action-refused',
          'operation-ended',
          'no-worker',
          'not-json',
          ...BODY_PROBLEMS,
          ...always,
        ),
      },
    });
  }
}

function deliveryPaths(app: OpenAPIHono): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/deliveries',
    operationId: 'listDeliveries',
    summary: 'What came in by webhook and what became of it, newest first',
    security: bearer,
    request: { query: deliveryQuery },
    responses: {
      200: { description: 'The deliveries, without bodies.', content: json(deliveryList) },
      ...problems('invalid-request', ...AUTH_PROBLEMS, 'secret-unavailable', 'internal-error'),
    },
  });
}

function clusterPaths(app: OpenAPIHono): void {
  const always = [...AUTH_PROBLEMS, 'secret-unavailable', 'internal-error'] as const;
  const params = z.object({
    name: z.string().openapi({ param: { name: 'name', in: 'path' }, example: 'Default', description: 'The cluster.' }),
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/clusters',
    operationId: 'listClusters',
    summary: 'The clusters that the front door knows',
    security: bearer,
    responses: { 200: { description: 'The clusters.', content: json(clusterList) }, ...problems(...always) },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/clusters/{name}/status',
    operationId: 'clusterStatus',
    summary: 'What a cluster looks like now',
    description:
      'Cheap enough to be asked every 5 s: requests within 3 s share one look. What does not answer is named in missing.',
    security: bearer,
    request: { params },
    responses: {
      200: { description: 'The status.', content: json(clusterStatus) },
      ...problems('cluster-not-found', 'no-worker-polls', 'look-failed', 'temporal-unavailable', ...always),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/clusters/{name}/doctor',
    operationId: 'examineCluster',
    summary: 'What is wrong with the installation',
    description:
      'Takes seconds, up to 50 when much is silent. Reads only, but for one test object in S3 that it removes.',
    security: bearer,
    request: { params },
    responses: {
      200: { description: 'The findings.', content: json(doctorReport) },
      ...problems('cluster-not-found', ...always),
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/clusters/{name}/backups',
    operationId: 'listBackups',
    summary: 'The backups of a cluster in S3, newest first',
    security: bearer,
    request: { params },
    responses: {
      200: { description: 'The backups; those that are damaged apart.', content: json(backupListing) },
      ...problems('cluster-not-found', 'no-worker-polls', 'look-failed', 'temporal-unavailable', ...always),
    },
  });
}

function servicePaths(app: OpenAPIHono): void {
  const plain = (description: string) => ({ description, content: { 'text/plain': { schema: z.string() } } });
  const status = (value: string) => ({ description: value, content: json(z.object({ status: z.literal(value) })) });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/healthz',
    operationId: 'health',
    summary: 'The process is up',
    responses: { 200: status('up') },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/readyz',
    operationId: 'readiness',
    summary: 'Temporal can be reached',
    responses: { 200: status('ready'), ...problems('not-ready') },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/problems/{name}',
    operationId: 'explainProblem',
    summary: 'What to do about a problem',
    request: {
      params: z.object({
        name: z.string().openapi({
          param: { name: 'name', in: 'path' },
          example: 'operation-exists',
          description: 'What follows /problems/ in its type.',
        }),
      }),
    },
    responses: { 200: plain('A short page.'), ...problems('not-found') },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/openapi.json',
    operationId: 'openApi',
    summary: 'This document',
    responses: { 200: { description: 'OpenAPI 3.1.', content: json(z.looseObject({ openapi: z.string() })) } },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/api',
    operationId: 'reference',
    summary: 'This document as a page for people',
    responses: { 200: { description: 'HTML.', content: { 'text/html': { schema: z.string() } } } },
  });
}

export function openApiDocument() {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'Needed when the front door is configured with a token; without one it listens on loopback only.',
  });
  webhookPath(app);
  startPath(app);
  operationPaths(app);
  deliveryPaths(app);
  clusterPaths(app);
  windowPaths(app, json, problems);
  auditPaths(app);
  servicePaths(app);
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Bellwether front door',
      version: '1',
      description: 'For people: GET /api shows this document as a page.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
  });
  return completeDocument(document);
}
