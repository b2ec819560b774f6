/**
 * `POST /webhooks/:source`. Order matters: size, then signature over the raw bytes, and only then is anything parsed.
 */
import { startOperation, type StartPorts } from '../operations/start.ts';
import { answerStart } from '../operations/answer.ts';
import { bodyOf, jsonOf, refuse, type AppContext, type Parsed } from '../context.ts';
import type { AppPorts, WebhookSource } from '../ports.ts';
import { schemaErrors } from '../schemas/problem.ts';
import { idempotencyKey, webhookRequest } from '../schemas/request.ts';
import { secretsOf } from '../secrets.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { receiveAlert } from './host-alert.ts';
import { verifyStandard } from './standard.ts';

export const WEBHOOK_BYTES_MAX = 65_536;
const EVENT = 'operation.requested';

/** The sender's id of the delivery; a refusal when the signature is not its own. */
async function verified(
  c: AppContext,
  ports: AppPorts,
  source: WebhookSource,
  bytes: Uint8Array,
): Promise<Parsed<string>> {
  const secrets = await secretsOf(source, ports.readSecrets, ports.logger);
  if (secrets.length === 0) {
    return { ok: false, response: refuse(c, 'secret-unavailable', `source ${source.name} has no readable secret`) };
  }
  const result = verifyStandard(bytes, (name) => c.req.header(name), secrets, ports.clock());
  if (result.ok) return { ok: true, value: result.id };
  c.get('logged').reason = result.reason;
  return { ok: false, response: refuse(c, 'signature-refused', result.reason) };
}

/** The request inside `{type, data}`, or the body itself when it is the bare request. */
function eventData(c: AppContext, body: unknown): Parsed<{ readonly data: unknown; readonly path: string }> {
  if (typeof body !== 'object' || body === null || !('type' in body))
    return { ok: true, value: { data: body, path: '' } };
  if (body.type === EVENT && 'data' in body) return { ok: true, value: { data: body.data, path: 'data.' } };
  const type = JSON.stringify(body.type)?.slice(0, 100);
  return { ok: false, response: refuse(c, 'unsupported-event', `type is ${type}; only "${EVENT}" with data is known`) };
}

function requestOf(c: AppContext, source: WebhookSource, bytes: Uint8Array): Parsed<OperationRequest> {
  const json = jsonOf(c, bytes);
  if (!json.ok) return json;
  const event = eventData(c, json.value);
  if (!event.ok) return event;
  const parsed = webhookRequest.safeParse(event.value.data);
  if (!parsed.success) {
    const errors = schemaErrors(parsed.error).map((error) => ({ ...error, path: `${event.value.path}${error.path}` }));
    return { ok: false, response: refuse(c, 'invalid-request', 'nothing was started', { errors }) };
  }
  return { ok: true, value: { ...parsed.data, key: parsed.data.ticket, requestedBy: `webhook:${source.name}` } };
}

export function webhookHandler(ports: AppPorts, startPorts: StartPorts) {
  return async function receiveWebhook(c: AppContext): Promise<Response> {
    const name = c.req.param('source');
    const source = ports.sources.find((candidate) => candidate.name === name);
    if (source === undefined) return refuse(c, 'unknown-source', `no source is called ${name}`);
    c.get('logged').source = source.name;
    const body = await bodyOf(c, WEBHOOK_BYTES_MAX);
    if (!body.ok) return body.response;
    const delivery = await verified(c, ports, source, body.value);
    if (!delivery.ok) return delivery.response;
    c.get('logged').delivery = delivery.value;
    if (source.alertsOf !== undefined) return receiveAlert(c, ports, source.alertsOf, delivery.value, body.value);
    const request = requestOf(c, source, body.value);
    if (!request.ok) return request.response;
    // The header is not signed. That is safe: what runs once is fixed by the ticket, which is.
    const given = idempotencyKey.safeParse(c.req.header('idempotency-key'));
    const deliveryKey = `webhook:${source.name}:${given.success ? given.data : delivery.value}`;
    const outcome = await startOperation(startPorts, request.value, { deliveryKey });
    c.get('logged').outcome = outcome.outcome;
    if ('id' in outcome) c.get('logged').operation = outcome.id;
    return answerStart(outcome, { instance: c.get('instance'), temporalUiLink: ports.temporalUiLink });
  };
}
