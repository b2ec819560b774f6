/** The audit trail and the metrics in the OpenAPI document. */
import { z, type OpenAPIHono } from '@hono/zod-openapi';
import { auditPage, auditQuery } from '../audit/routes.ts';
import { problemDetails } from './problem.ts';

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemDetails } },
});
const refusals = {
  401: problem('/problems/unauthorized'),
  403: problem('/problems/foreign-host'),
};
const security = [{ bearer: [] }, {}];

export function auditPaths(app: OpenAPIHono): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/audit',
    operationId: 'readAudit',
    summary: 'Who changed what, newest first',
    description:
      'Each change has two lines of the same instance: asked, written before anything is changed, and answered with the result. A refused call has the second only.',
    security,
    request: { query: auditQuery },
    responses: {
      200: { description: 'Lines of the audit trail.', content: { 'application/json': { schema: auditPage } } },
      404: problem('/problems/not-found: this front door keeps no audit trail.'),
      422: problem('/problems/invalid-request'),
      503: problem('/problems/audit-unavailable, /problems/secret-unavailable'),
      ...refusals,
    },
  });
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/metrics',
    operationId: 'metrics',
    summary: 'Metrics of the front door for Prometheus',
    security,
    responses: {
      200: { description: 'Prometheus’ text format.', content: { 'text/plain': { schema: z.string() } } },
      503: problem('/problems/secret-unavailable'),
      ...refusals,
    },
  });
}
