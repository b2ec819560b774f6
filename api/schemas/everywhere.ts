/** What holds for every path of the OpenAPI document, put there in one place: its tag, who may call it, its refusals by role. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { PROBLEMS } from '../problems.ts';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

/** A path belongs to the first tag that it fits. */
const TAGS = [
  {
    name: 'Webhooks',
    description: 'Ticketing systems and host workers tell the front door; what became of each.',
    paths: /^\/(webhooks|deliveries)\b/,
  },
  {
    name: 'Operations',
    description: 'Start an operation, look at it, retry, skip or abort its parked step.',
    paths: /^\/operations\b/,
  },
  { name: 'Clusters', description: 'How a cluster is now, and what it lacks.', paths: /^\/clusters\b/ },
  { name: 'Maintenance windows', description: 'Times in which operations run by themselves.', paths: /^\/windows\b/ },
  {
    name: 'Audit and metrics',
    description: 'Who changed what; figures for Prometheus.',
    paths: /^\/(audit|metrics)\b/,
  },
  { name: 'Service', description: 'The front door itself.', paths: /^\// },
] as const;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Who may call: `anyone`, the `sender` of a signed webhook, any token (`read-only`), an `operator`’s token. */
export const CALLERS = ['anyone', 'sender', 'read-only', 'operator'] as const;
export type Caller = (typeof CALLERS)[number];

type Operation = NonNullable<NonNullable<Document['paths']>[string]['get']>;

/** As `auth.ts` does: whoever has a token may look, an operator may change. */
function callerOf(method: string, { security }: Operation): Caller {
  if (security === undefined) return 'anyone';
  return method === 'get' ? 'read-only' : 'operator';
}

function withReadOnly(operation: Operation): void {
  const { title, status } = PROBLEMS['read-only'];
  const refusal: unknown = operation.responses?.[status];
  if (typeof refusal !== 'object' || refusal === null) throw new Error(`${operation.operationId} has no ${status}`);
  const said: unknown = Reflect.get(refusal, 'description');
  Reflect.set(refusal, 'description', `${String(said)} /problems/read-only: ${title}.`);
}

/** Completes the document in place. */
export function completeDocument(document: Document): Document {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      const tag = TAGS.find(({ paths }) => paths.test(path));
      operation.tags = tag === undefined ? [] : [tag.name];
      operation['x-caller'] ??= callerOf(method, operation);
      if (operation['x-caller'] === 'operator') withReadOnly(operation);
    }
  }
  document.tags = TAGS.map(({ name, description }) => ({ name, description }));
  return document;
}
