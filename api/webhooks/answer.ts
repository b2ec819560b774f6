/**
 * An operator's word in a comment of the ticket: `bellwether retry the disk is back`. It becomes the same Temporal update
 * as the API's; who may not, or asks for what can't be, gets an answer in the ticket.
 */
import type { OperatorAction } from '../../workflows/model/operation.ts';
import { refuse, type AppContext } from '../context.ts';
import type { AppPorts, OperationReport, WebhookSource } from '../ports.ts';
import { actor } from '../schemas/request.ts';
import type { Handled } from './note.ts';

export interface TicketAnswer {
  readonly ticket: string;
  /** As the ticket system calls the person. */
  readonly user: string;
  readonly action: OperatorAction;
  readonly reason?: string;
}

const COMMAND = /^bellwether\s+(retry|skip|abort)(?:\s+(.*))?$/i;
const ACTIONS: Readonly<Record<string, OperatorAction>> = { retry: 'retry', skip: 'skip', abort: 'abort' };
/** What we write ourselves has it (activities/tickets). */
const OURS = '[bellwether ';
const REASON_MAX = 500;
const OPERATIONS_MAX = 20;

/** The command in a comment's first line; undefined: it has none. Quoted text and our own comments are none. */
export function commandIn(comment: string): Pick<TicketAnswer, 'action' | 'reason'> | undefined {
  if (comment.includes(OURS)) return undefined;
  const first = comment.split(/\r?\n/).find((line) => line.trim() !== '');
  const match = COMMAND.exec(first?.trimEnd() ?? '');
  const action = ACTIONS[match?.[1]?.toLowerCase() ?? ''];
  if (action === undefined) return undefined;
  const reason = match?.[2]?.trim().slice(0, REASON_MAX);
  return { action, ...(reason === undefined || reason === '' ? {} : { reason }) };
}

export type AnswerDesk = Pick<AppPorts, 'desk' | 'reader' | 'followers'>;

/** Running operations of the ticket that this source started: another's are not its people's to decide. */
async function operationsOf(
  { reader }: AnswerDesk,
  source: WebhookSource,
  ticket: string,
): Promise<readonly OperationReport[] | { readonly why: string }> {
  const reply = await reader.list({ ticket, limit: OPERATIONS_MAX });
  if (reply.outcome === 'unavailable') return reply;
  const running = reply.operations.filter(({ execution }) => execution === 'running');
  const shown = await Promise.all(running.map(({ id }) => reader.show(id)));
  const away = shown.find((one) => one.outcome === 'unavailable');
  if (away !== undefined) return away;
  return shown.flatMap((one) =>
    one.outcome === 'found' && one.report.requestedBy === `webhook:${source.name}` ? [one.report] : [],
  );
}

export function mayAnswer(source: WebhookSource, user: string): boolean {
  return source.operators?.includes(user) === true;
}

/** The one that the word is for: the only one, or the only one that can take it. */
function chosen(operations: readonly OperationReport[], action: OperatorAction): OperationReport | undefined {
  const able = operations.filter(({ actions }) => actions.includes(action));
  if (able.length === 1) return able[0];
  return operations.length === 1 ? operations[0] : undefined;
}

async function act(
  c: AppContext,
  desk: AnswerDesk,
  source: WebhookSource,
  operation: OperationReport,
  answer: TicketAnswer,
  delivery: string,
): Promise<Handled> {
  const { user, action, reason } = answer;
  const { id } = operation;
  c.get('logged').operation = id;
  const by = actor.safeParse(`webhook:${source.name}:${user}`);
  if (!by.success || !mayAnswer(source, user)) {
    const who = source.operators?.join(', ') ?? 'nobody';
    return told(
      c,
      desk,
      id,
      delivery,
      `${user.slice(0, 100)} may not answer for ${id}. These may: ${who}.`,
      'not-an-operator',
    );
  }
  const command = { by: by.data, ...(reason === undefined ? {} : { reason }) };
  const reply = await desk.desk.act(id, action, command, delivery);
  switch (reply.outcome) {
    case 'accepted':
      return { response: c.json({ id, action, by: by.data }, 202), verdict: 'accepted', operation: id };
    case 'refused':
      return told(c, desk, id, delivery, `${user}: ${reply.why}.`, 'refused');
    case 'ended':
    case 'unknown':
      return {
        response: c.json({ nothingToDo: true, because: `${id} has ended` }),
        verdict: 'nothing-to-do',
        operation: id,
      };
    case 'no-worker':
    case 'unavailable': {
      const why = 'why' in reply ? reply.why : 'no worker took the command';
      return {
        response: refuse(c, 'temporal-unavailable', why),
        verdict: 'refused',
        reason: reply.outcome,
        operation: id,
      };
    }
  }
}

/** Refused, with a comment in the ticket for the person; the sender is a machine and is told that all is well. */
async function told(
  c: AppContext,
  desk: AnswerDesk,
  id: string,
  delivery: string,
  text: string,
  reason: string,
): Promise<Handled> {
  const reply = await desk.followers?.tell(id, { id: delivery, text });
  if (reply?.outcome === 'unavailable') {
    return { response: refuse(c, 'temporal-unavailable', reply.why), verdict: 'refused', reason: 'unavailable' };
  }
  return { response: c.json({ refused: true, because: text }), verdict: 'refused', reason, operation: id };
}

/** @param delivery the sender's id of it: the same delivery again is the same update */
export async function receiveAnswer(
  c: AppContext,
  desk: AnswerDesk,
  source: WebhookSource,
  answer: TicketAnswer,
  delivery: string,
): Promise<Handled> {
  const operations = await operationsOf(desk, source, answer.ticket);
  if ('why' in operations) {
    return { response: refuse(c, 'temporal-unavailable', operations.why), verdict: 'refused', reason: 'unavailable' };
  }
  const [first] = operations;
  if (first === undefined) {
    const because = `no operation of ${answer.ticket} that came from ${source.name} runs`;
    return { response: c.json({ nothingToDo: true, because }), verdict: 'nothing-to-do', reason: 'no operation' };
  }
  const operation = chosen(operations, answer.action);
  if (operation !== undefined) return act(c, desk, source, operation, answer, delivery);
  const names = operations.map(({ id }) => id).join(', ');
  const text = `Several operations of ${answer.ticket} run (${names}): use npx bellwether operation ${answer.action} ID.`;
  return told(c, desk, first.id, delivery, text, 'several operations');
}
