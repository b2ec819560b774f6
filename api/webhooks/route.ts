/**
 * `POST /webhooks/:source`. Order matters: size, then signature over the raw bytes, and only then is anything parsed.
 * Each delivery that counts leaves one line in the delivery log.
 */
import { startOperation, type StartPorts } from '../operations/start.ts';
import { answerStart } from '../operations/answer.ts';
import { bodyOf, refuse, type AppContext } from '../context.ts';
import type { AppPorts, WebhookSource } from '../ports.ts';
import type { ProblemName } from '../problems.ts';
import { idempotencyKey } from '../schemas/request.ts';
import { secretsOf } from '../secrets.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { receiveAnswer, type AnswerDesk } from './answer.ts';
import { createBuckets } from './bucket.ts';
import type { DeliveryLog } from './deliveries.ts';
import { receiveAlert } from './host-alert.ts';
import { note, type Handled, type Incoming } from './note.ts';
import { readRequest, type RequestReading } from './request.ts';
import type { Scheme } from './verify/scheme.ts';
import { schemeOf } from './verify/schemes.ts';

const NATIVE_BYTES_MAX = 65_536;
/** Tickets come with comments, people and custom fields. */
const MAPPED_BYTES_MAX = 524_288;

type Desk = Pick<AppPorts, 'readSecrets' | 'logger' | 'clock' | 'alerts' | 'temporalUiLink'> &
  AnswerDesk & {
    readonly start: StartPorts;
    readonly deliveries: DeliveryLog;
  };

function refused(c: AppContext, name: ProblemName, detail: string, reason: string): Handled {
  return { response: refuse(c, name, detail), verdict: 'refused', reason: `${name}: ${reason}` };
}

/** Refusal of what is not proven to be the sender's; undefined when it is. */
async function unverified(desk: Desk, incoming: Incoming): Promise<Handled | undefined> {
  const { c, source, scheme } = incoming;
  const limit = source.mapping === undefined ? NATIVE_BYTES_MAX : MAPPED_BYTES_MAX;
  const body = await bodyOf(c, limit);
  if (!body.ok) return { response: body.response, verdict: 'refused', reason: `body-too-large: above ${limit} bytes` };
  incoming.body = body.value;
  incoming.secrets = await secretsOf(source, desk.readSecrets, desk.logger);
  if (incoming.secrets.length === 0) {
    return refused(c, 'secret-unavailable', `source ${source.name} has no readable secret`, 'no readable secret');
  }
  const delivery = { body: body.value, header: (name: string) => c.req.header(name) };
  const result = scheme.verify(delivery, incoming.secrets, desk.clock());
  if (!result.ok) {
    c.get('logged').reason = result.reason;
    return refused(c, 'signature-refused', result.reason, result.reason);
  }
  incoming.id = result.id;
  c.get('logged').delivery = result.id;
  return undefined;
}

/** The reason without any value of the body: the log keeps none. */
function invalid(c: AppContext, reading: RequestReading & { kind: 'invalid' }): Handled {
  const { problem, detail, errors } = reading;
  const fields = (errors ?? []).map(({ path }) => path).join(', ');
  const response = refuse(c, problem, detail, errors === undefined ? {} : { errors });
  return { response, verdict: 'refused', reason: fields === '' ? problem : `${problem}: ${fields}` };
}

async function started(desk: Desk, incoming: Incoming, request: OperationRequest, id: string): Promise<Handled> {
  const { c, source } = incoming;
  // The header is not signed. That is safe: what runs once is fixed by the ticket, which is.
  const given = idempotencyKey.safeParse(c.req.header('idempotency-key'));
  const repeated = desk.deliveries.seen(source.name, id);
  const deliveryKey = `webhook:${source.name}:${given.success ? given.data : id}`;
  const outcome = await startOperation(desk.start, request, { deliveryKey });
  c.get('logged').outcome = outcome.outcome;
  if ('id' in outcome) c.get('logged').operation = outcome.id;
  const response = answerStart(outcome, { instance: c.get('instance'), temporalUiLink: desk.temporalUiLink });
  if (outcome.outcome === 'accepted') {
    return { response, verdict: outcome.duplicate || repeated ? 'duplicate' : 'accepted', operation: outcome.id };
  }
  return {
    response,
    verdict: 'refused',
    reason: outcome.outcome,
    ...('id' in outcome ? { operation: outcome.id } : {}),
  };
}

async function verified(desk: Desk, incoming: Incoming, body: Uint8Array, id: string): Promise<Handled> {
  const { c, source } = incoming;
  if (source.alertsOf !== undefined) {
    const response = await receiveAlert(c, desk, source.alertsOf, id, body);
    if (response.ok) return { response, verdict: desk.deliveries.seen(source.name, id) ? 'duplicate' : 'accepted' };
    return { response, verdict: 'refused', reason: String(c.get('logged').problem ?? response.status) };
  }
  const reading = readRequest(source, body);
  if (reading.kind === 'invalid') return invalid(c, reading);
  if (reading.kind === 'request') return started(desk, incoming, reading.request, id);
  if (reading.kind === 'answer') return receiveAnswer(c, desk, source, reading.answer, id);
  c.get('logged').outcome = 'nothing-to-do';
  const response = c.json({ nothingToDo: true, because: reading.because });
  return { response, verdict: 'nothing-to-do', reason: `when: ${reading.unmet.join(', ')}` };
}

/** The same problem under a status that this sender does not answer by sending again. */
function told(scheme: Scheme, response: Response): Response {
  if (!scheme.toldAs200.includes(response.status)) return response;
  return new Response(response.body, { status: 200, headers: response.headers });
}

function rateLimited(c: AppContext, source: WebhookSource, seconds: number): Response {
  const response = refuse(c, 'rate-limited', `source ${source.name} has sent its share; wait ${seconds} s`);
  response.headers.set('retry-after', String(seconds));
  return response;
}

export function webhookHandler(ports: AppPorts, start: StartPorts, deliveries: DeliveryLog) {
  const desk: Desk = { ...ports, start, deliveries };
  const bucketOf = createBuckets(ports.clock);
  return async function receiveWebhook(c: AppContext): Promise<Response> {
    const name = c.req.param('source');
    const source = ports.sources.find((candidate) => candidate.name === name);
    if (source === undefined) return refuse(c, 'unknown-source', `no source is called ${name}`);
    c.get('logged').source = source.name;
    const incoming: Incoming = { c, source, scheme: schemeOf(source), secrets: [] };
    const forged = await unverified(desk, incoming);
    const wait = bucketOf(source, forged === undefined ? 'verified' : 'refused').take();
    // Whoever knows no secret could fill the disk with lines: what is above the rate gets none.
    if (forged !== undefined && wait !== undefined) return rateLimited(c, source, wait);
    let handled = forged;
    if (wait !== undefined) {
      handled = { response: rateLimited(c, source, wait), verdict: 'refused', reason: 'rate-limited' };
    }
    handled ??= await verified(desk, incoming, incoming.body ?? new Uint8Array(), incoming.id ?? '');
    handled = { ...handled, response: told(incoming.scheme, handled.response) };
    note(deliveries, ports.clock(), incoming, handled);
    return handled.response;
  };
}
