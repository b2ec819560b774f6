/** `/operations`: start, list, show, and operators' commands. Thin: the work is behind the ports. */
import type { Hono } from 'hono';
import type { OperatorAction } from '../../workflows/model/operation.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { bodyOf, jsonOf, refuse, type AppContext, type AppEnv, type Parsed } from '../context.ts';
import type { ActReply, AppPorts } from '../ports.ts';
import { listQuery, type ActionAnswer } from '../schemas/operation.ts';
import { schemaErrors } from '../schemas/problem.ts';
import { actor, idempotencyKey, operationBody, operatorCommand } from '../schemas/request.ts';
import { KEY_PATTERN } from '../../workflows/model/ids.ts';
import { answerStart, operationPath } from './answer.ts';
import { uuidV5 } from './digest.ts';
import { requestDigest, startOperation, type StartPorts } from './start.ts';

/** Room for a vm.conf of 64 KiB in JSON's escapes. */
const API_BYTES_MAX = 262_144;
const COMMAND_BYTES_MAX = 8192;

/** Demanding the type keeps simple cross-site forms out: a browser asks first before it sends JSON to another origin. */
export async function jsonBody(c: AppContext, limit: number): Promise<Parsed<unknown>> {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    return { ok: false, response: refuse(c, 'not-json', `Content-Type is ${type === '' ? 'missing' : type}`) };
  }
  const bytes = await bodyOf(c, limit);
  return bytes.ok ? jsonOf(c, bytes.value) : bytes;
}

function idempotencyKeyOf(c: AppContext): Parsed<string | undefined> {
  const header = c.req.header('idempotency-key');
  if (header === undefined) return { ok: true, value: undefined };
  const parsed = idempotencyKey.safeParse(header);
  if (parsed.success) return { ok: true, value: parsed.data };
  const errors = schemaErrors(parsed.error).map((error) => ({ ...error, path: 'Idempotency-Key' }));
  return { ok: false, response: refuse(c, 'invalid-request', 'the header Idempotency-Key has mistakes', { errors }) };
}

function invalid(c: AppContext, error: Parameters<typeof schemaErrors>[0]): Response {
  return refuse(c, 'invalid-request', 'nothing was done', { errors: schemaErrors(error) });
}

interface Order {
  readonly request: OperationRequest;
  readonly deliveryKey: string;
}

async function orderOf(c: AppContext): Promise<Parsed<Order>> {
  const json = await jsonBody(c, API_BYTES_MAX);
  if (!json.ok) return json;
  const header = idempotencyKeyOf(c);
  if (!header.ok) return header;
  const body = operationBody.safeParse(json.value);
  if (!body.success) return { ok: false, response: invalid(c, body.error) };
  const given = header.value ?? body.data.key;
  if (given === undefined) {
    return {
      ok: false,
      response: refuse(c, 'idempotency-key-missing', 'neither an Idempotency-Key nor a key was sent'),
    };
  }
  // A header that can't be part of a workflow id (slashes, quotes) stands in as its UUID.
  const key = body.data.key ?? body.data.ticket ?? (KEY_PATTERN.test(given) ? given : uuidV5(given));
  const by = actor.safeParse(c.req.header('x-requested-by'));
  const request = { ...body.data, key, requestedBy: by.success ? by.data : 'api' };
  // Unlike a webhook's id this key is the caller's to reuse by mistake: with the content in it, a reuse for something
  // else is found to be a conflict instead of being answered like the first.
  return { ok: true, value: { request, deliveryKey: `api:${given}:${requestDigest(request).slice(0, 16)}` } };
}

async function startRoute(c: AppContext, ports: AppPorts, startPorts: StartPorts): Promise<Response> {
  const order = await orderOf(c);
  if (!order.ok) return order.response;
  const outcome = await startOperation(startPorts, order.value.request, order.value);
  c.get('logged').outcome = outcome.outcome;
  if ('id' in outcome) c.get('logged').operation = outcome.id;
  return answerStart(outcome, { instance: c.get('instance'), temporalUiLink: ports.temporalUiLink });
}

async function listRoute(c: AppContext, ports: AppPorts): Promise<Response> {
  const filter = listQuery.safeParse(c.req.query());
  if (!filter.success) return invalid(c, filter.error);
  const reply = await ports.reader.list(filter.data);
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  return c.json({ operations: reply.operations });
}

async function showRoute(c: AppContext, ports: AppPorts, id: string): Promise<Response> {
  const reply = await ports.reader.show(id);
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  if (reply.outcome === 'unknown') return refuse(c, 'operation-not-found', `no operation has the id ${id}`);
  return c.json(reply.report);
}

export function answerAct(c: AppContext, id: string, reply: Exclude<ActReply, { outcome: 'accepted' }>): Response {
  const operation = operationPath(id);
  switch (reply.outcome) {
    case 'unknown':
      return refuse(c, 'operation-not-found', `no operation has the id ${id}`);
    case 'refused':
      return refuse(c, 'action-refused', reply.why, { operation });
    case 'ended':
      return refuse(c, 'operation-ended', `${id} has ended; nothing was done`, { operation });
    case 'no-worker':
      return refuse(c, 'no-worker', `no worker took the command for ${id} in time`, { operation });
    case 'unavailable':
      return refuse(c, 'temporal-unavailable', reply.why);
  }
}

async function actRoute(c: AppContext, ports: AppPorts, id: string, action: OperatorAction): Promise<Response> {
  const json = await jsonBody(c, COMMAND_BYTES_MAX);
  if (!json.ok) return json.response;
  const updateId = idempotencyKeyOf(c);
  if (!updateId.ok) return updateId.response;
  const command = operatorCommand.safeParse(json.value);
  if (!command.success) return invalid(c, command.error);
  c.get('logged').operation = id;
  c.get('logged').action = action;
  const reply = await ports.desk.act(id, action, command.data, updateId.value);
  if (reply.outcome !== 'accepted') return answerAct(c, id, reply);
  const answer: ActionAnswer = { id, action, by: command.data.by, links: { self: operationPath(id) } };
  return c.json(answer);
}

/** Ids hold slashes: the routes take both `upgrade%2FDefault%2FCHG1` and `upgrade/Default/CHG1`. */
export function operationRoutes(app: Hono<AppEnv>, ports: AppPorts, startPorts: StartPorts): void {
  app.post('/operations', (c) => startRoute(c, ports, startPorts));
  app.get('/operations', (c) => listRoute(c, ports));
  app.get('/operations/:id{.+}', (c) => showRoute(c, ports, c.req.param('id')));
  for (const action of ['retry', 'skip', 'abort'] as const) {
    app.post(`/operations/:id{.+}/${action}`, (c) => actRoute(c, ports, c.req.param('id'), action));
  }
}
