/** What forms ask for: the same functions as the API's, with the person's name and a key drawn for each form. */
import { KEY_PATTERN } from '../../workflows/model/ids.ts';
import type { OperatorAction } from '../../workflows/model/operation.ts';
import { refuse, type AppContext, type Parsed } from '../context.ts';
import { answerStart } from '../operations/answer.ts';
import { answerAct } from '../operations/routes.ts';
import { requestDigest, startOperation, type StartPorts } from '../operations/start.ts';
import type { AppPorts } from '../ports.ts';
import { schemaErrors } from '../schemas/problem.ts';
import { actor, operationBody, operatorCommand } from '../schemas/request.ts';
import type { Form } from './forms.ts';
import type { Visitor } from './session.ts';
import { operationPath } from './views/words.ts';

/** Drawn when a form is made: sending it twice is asking once. */
export const drawKey = (): string => `ui-${crypto.randomUUID()}`;

function invalid(c: AppContext, errors: readonly { path: string; what: string }[]): Response {
  return refuse(c, 'invalid-request', 'nothing was done', { errors });
}

/** The person, as the history names them: by their token, else as they say. */
function personOf(c: AppContext, visitor: Visitor, form: Form): Parsed<string> {
  const by = actor.safeParse(`ui:${(visitor.name ?? form['by'] ?? '').trim()}`);
  if (by.success && by.data !== 'ui:') return { ok: true, value: by.data };
  return {
    ok: false,
    response: invalid(c, [{ path: 'by', what: 'your name is needed: letters, digits, spaces and . @ _ : + -' }]),
  };
}

function keyOf(c: AppContext, form: Form): Parsed<string> {
  const key = form['key'] ?? '';
  if (KEY_PATTERN.test(key)) return { ok: true, value: key };
  return { ok: false, response: refuse(c, 'form-refused', 'it has no key') };
}

const reasonOf = (form: Form) => {
  const reason = (form['reason'] ?? '').trim();
  return reason === '' ? {} : { reason };
};

/** Starts what the form asks for and leads to the operation's page. `asked`: the request's own fields. */
export async function startFromForm(
  c: AppContext,
  startPorts: StartPorts,
  visitor: Visitor,
  form: Form,
  asked: Readonly<Record<string, unknown>>,
): Promise<Response> {
  const person = personOf(c, visitor, form);
  if (!person.ok) return person.response;
  const key = keyOf(c, form);
  if (!key.ok) return key.response;
  const body = operationBody.safeParse({ ...asked, ...reasonOf(form), key: key.value });
  if (!body.success) return refuse(c, 'invalid-request', 'nothing was done', { errors: schemaErrors(body.error) });
  const request = { ...body.data, key: key.value, requestedBy: person.value };
  const deliveryKey = `ui:${key.value}:${requestDigest(request).slice(0, 16)}`;
  const outcome = await startOperation(startPorts, request, { deliveryKey });
  Object.assign(c.get('logged'), { outcome: outcome.outcome, ...('id' in outcome ? { operation: outcome.id } : {}) });
  if (outcome.outcome === 'accepted') return c.redirect(operationPath(outcome.id), 303);
  return answerStart(outcome, { instance: c.get('instance') });
}

/** Gives the operation the person's command and leads back to its page. */
export async function actFromForm(
  c: AppContext,
  ports: AppPorts,
  visitor: Visitor,
  form: Form,
  id: string,
  action: OperatorAction,
): Promise<Response> {
  const person = personOf(c, visitor, form);
  if (!person.ok) return person.response;
  const key = keyOf(c, form);
  if (!key.ok) return key.response;
  const command = operatorCommand.safeParse({ by: person.value, ...reasonOf(form) });
  if (!command.success)
    return refuse(c, 'invalid-request', 'nothing was done', { errors: schemaErrors(command.error) });
  Object.assign(c.get('logged'), { operation: id, action });
  const reply = await ports.desk.act(id, action, command.data, key.value);
  return reply.outcome === 'accepted' ? c.redirect(operationPath(id), 303) : answerAct(c, id, reply);
}
